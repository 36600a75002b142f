"""Text columns of Arrow."""

from __future__ import annotations

from typing import Any

import pytest

import cleanfeed
from cleanfeed import Cleaner

pa = pytest.importorskip("pyarrow")

from cleanfeed.engines.arrow import clean_array, rejects_of, values_of  # noqa: E402 - after the skip


def layouts() -> list[Any]:
    """Every layout of strings that this pyarrow has."""
    return [pa.string(), pa.large_string()] + ([pa.string_view()] if hasattr(pa, "string_view") else [])


@pytest.mark.parametrize("layout", layouts(), ids=str)
def test_every_layout_of_strings(corpus: list[dict[str, Any]], expected: dict[str, str], layout: Any) -> None:
    """Strings come out in the layout they came in, equal to ``clean``, nulls null, slices and dictionaries too."""
    texts = [None, *(record["text"] for record in corpus[:50]), "", None]
    cleaned = [None, *(expected[record["id"]] for record in corpus[:50]), "", None]
    array, done = clean_array(Cleaner(), pa.array(texts, layout))
    assert (array.type, array.to_pylist()) == (layout, cleaned)
    assert not any(done.bad)
    assert clean_array(Cleaner(), pa.array(texts, layout).slice(5, 9))[0].to_pylist() == cleaned[5:14]


def test_dictionary_is_laid_out(corpus: list[dict[str, Any]]) -> None:
    """A dictionary of texts gives plain texts."""
    texts = [corpus[0]["text"], None, corpus[0]["text"]]
    array, _ = clean_array(Cleaner(), pa.array(texts).dictionary_encode())
    assert array.to_pylist() == [None if text is None else cleanfeed.clean(text) for text in texts]


@pytest.mark.parametrize("column", [[1, None, 3], [None, None], [b"a\nb"], [["a"], []], []], ids=str)
def test_other_columns_pass(column: list[Any]) -> None:
    """A column without strings is the very same, and each value but null is bad."""
    array, done = clean_array(Cleaner(), pa.array(column))
    assert array.equals(pa.array(column))
    assert done.bad == [value is not None for value in column]


@pytest.mark.parametrize("layout", layouts(), ids=str)
def test_bytes_that_are_no_utf8(corpus: list[dict[str, Any]], layout: Any) -> None:
    """Lone surrogates are cleaned as text; other damage is bad and stays byte for byte."""
    text = f"{corpus[0]['text']}\n\ud83d half"
    raw = [text.encode("utf-8", "surrogatepass"), b"\xff\xfe\n\x80", None, corpus[1]["text"].encode("utf-8")]
    flat = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}.get(layout) or pa.binary_view()
    array, done = clean_array(Cleaner(), pa.array(raw, flat).view(layout))
    assert done.bad == [False, True, False, False]
    assert array.view(flat).to_pylist() == [
        cleanfeed.clean(text).encode("utf-8", "surrogatepass"),
        raw[1],
        None,
        cleanfeed.clean(corpus[1]["text"]).encode("utf-8"),
    ]


def test_rejects_are_the_dropped_lines(corpus: list[dict[str, Any]]) -> None:
    """Rejects name each dropped line with place and reason; null for null, and Arrow takes them whatever they hold."""
    text = f"{corpus[0]['text']}\n\ud83d half a character"
    cleaner = Cleaner(threshold=0.01)
    array = pa.array([text.encode("utf-8", "surrogatepass"), None, b""], pa.binary()).view(pa.string())
    _, done = clean_array(cleaner, array, explained=True)
    rejects = rejects_of(values_of(array), done).to_pylist()
    lines = [(number, line) for number, line in enumerate(cleaner.explain(text), 1) if line.dropped]
    assert len(lines) > 3
    assert rejects[1:] == [None, []]
    assert [reject["line"] for reject in rejects[0]] == [number for number, _ in lines]
    assert rejects[0][0]["text"] == text[lines[0][1].start : lines[0][1].end]
    assert {reject["label"] for reject in rejects[0]} <= {"teaser", "boilerplate", "meta", "body"}
    assert all(reject["reason"] for reject in rejects[0])
