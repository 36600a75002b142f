"""What all engines stand on: values of a column, cleaned as ``clean`` would, with whatever stands between them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import cleanfeed
from cleanfeed import Cleaner
from cleanfeed.engines import clean_values, in_blocks


def test_texts_equal_clean(corpus: list[dict[str, Any]], expected: dict[str, str]) -> None:
    """Every text of the corpus comes out as from ``clean``, and the lines asked for say the same."""
    texts = [record["text"] for record in corpus]
    cleaned = clean_values(Cleaner(), texts)
    assert cleaned.values == [expected[record["id"]] for record in corpus]
    assert not any(cleaned.bad)
    explained = clean_values(Cleaner(), texts[:200], explained=True)
    assert explained.values == cleaned.values[:200]
    assert explained.lines == [cleanfeed.explain(text) for text in texts[:200]]


def test_odd_values_pass(odd: list[Any], odd_cleaned: list[Any]) -> None:
    """What is no text stays the very value; all of it but None is bad."""
    cleaned = clean_values(Cleaner(), odd)
    assert cleaned.values == odd_cleaned
    assert cleaned.bad == [value is not None and not isinstance(value, str) for value in odd]
    assert cleaned.lines == [[] for _ in odd]


def test_a_text_that_fails_is_passed_through(corpus: list[dict[str, Any]]) -> None:
    """If cleaning one text raises, that text stays and is bad, and the others are cleaned."""

    class Failing(Cleaner):
        def _clean_block(self, texts: list[str], repeats: Any) -> list[str]:
            if any("RAISE" in text for text in texts):
                raise MemoryError("a text that is too much")
            return super()._clean_block(texts, repeats)

    texts = [corpus[0]["text"], "RAISE\nyes", corpus[1]["text"]]
    cleaned = clean_values(Failing(), texts)
    assert cleaned.values == [cleanfeed.clean(texts[0]), texts[1], cleanfeed.clean(texts[2])]
    assert cleaned.bad == [False, True, False]
    # One by one, the text that fails stays; but where all of several fail, the cleaner is at fault, and says so.
    assert clean_values(Failing(), texts[1:2]).bad == [True]
    with pytest.raises(MemoryError, match="too much"):
        clean_values(Failing(), texts[1:2] * 3)


def test_repeats_stay_with_their_text(corpus: list[dict[str, Any]]) -> None:
    """Counts reach the text they belong to, whatever stands before it."""
    text = corpus[0]["text"]
    counts = [1] * (text.count("\n") + 1)
    counts[-1] = 5000
    cleaned = clean_values(Cleaner(), [None, 7, text, text], repeats=[None, None, counts, None])
    assert cleaned.values[2:] == list(Cleaner().clean_many([text, text], repeats=[counts, None]))


def test_blocks_are_bounded() -> None:
    """A stream is cut where a block is full, and nothing is lost or moved."""
    texts = ["a" * 100_000] * 7 + ["", "b" * 1_000_000, "c"]
    blocks = list(in_blocks(texts, len))
    assert [text for block in blocks for text in block] == texts
    assert [len(block) for block in blocks] == [3, 3, 3, 1]


@pytest.mark.parametrize(
    ("absent", "code"),
    [
        ("pyspark", "from cleanfeed.engines.spark import clean_column; clean_column(None)"),
        ("pyarrow", "from cleanfeed.engines.spark import clean_column; clean_column(None)"),
        ("ray", "from cleanfeed.engines.ray import clean_column; clean_column(None)"),
        ("datatrove", "import cleanfeed.engines.datatrove"),
    ],
)
def test_a_missing_engine_is_named(absent: str, code: str) -> None:
    """Without an engine there is an ImportError that names the extra to install."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules[{absent!r}] = None; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    extra = code.partition("engines.")[2].split()[0]
    last = run.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert f"cleanfeed[{extra}]" in last


def test_engines_are_imported_when_used() -> None:
    """Importing a module of engines loads no engine, save datatrove's, whose steps are its classes."""
    heavy = ["pyspark", "ray", "datasets", "datatrove", "pyarrow", "pandas"]
    code = (
        f"import sys; from cleanfeed.engines import arrow, datasets, ray, spark; print({{*sys.modules}} & {{*{heavy}}})"
    )
    # The names of our own modules are cleanfeed.engines.ray and so on, never ray.
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )
