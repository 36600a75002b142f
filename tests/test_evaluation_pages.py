"""The HTML route."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from cleanfeed.evaluation import bootstrap, pages

PROSE = "The council voted on Monday for a new bridge over the river, which the town has wanted for twenty years."
HTML = f"<html><body><article>{''.join(f'<p>{PROSE} Paragraph {n}.</p>' for n in range(6))}</article></body></html>"
TRUTH = "\n".join(f"{PROSE} Paragraph {n}." for n in range(6))


def test_shingle_shares_by_hand() -> None:
    """`a b c d e` against `a b c d x`: abcd right, bcdx false, bcde missed, a third each."""
    assert (1 / 3, 1 / 3, 1 / 3) == pages.shingle_shares("a b c d e", "a b c d x")


@pytest.mark.parametrize(
    ("truth", "text", "shares"),
    [
        ("", "", (0, 0, 0)),
        ("one two", "One two", (0, 0.5, 0.5)),
        ("one, two!", "one two", (1, 0, 0)),
        ("", "one two three", (0, 1, 0)),
        ("a b c d a b c d", "a b c d", (1 / 5, 0, 4 / 5)),
    ],
)
def test_shingles_of_short_and_repeated_texts(truth: str, text: str, shares: tuple[float, float, float]) -> None:
    """Fewer than four words are one shingle; case counts, punctuation does not; repetitions count."""
    assert shares == pages.shingle_shares(truth, text)


def test_figures_are_means_over_pages_and_f1_of_the_means() -> None:
    """An empty text has no precision and a recall of 0, as the public benchmark has it."""
    found = pages.shingle_figures(["a b c d", "a b c d e", "a b"], ["a b c d", "a b c d x", ""], np.ones((1, 3)))
    precision, recall = (1 + 1 / 2) / 2, (1 + 1 / 2 + 0) / 3
    assert [precision] == pytest.approx(found["precision"].tolist())
    assert [recall] == pytest.approx(found["recall"].tolist())
    assert [2 * precision * recall / (precision + recall)] == pytest.approx(found["f1"].tolist())


def folder_of(tmp_path: Path, layout: str) -> Path:
    """A folder with one page, in each of the layouts."""
    html = tmp_path / ("pages" if layout == "own" else "html")
    html.mkdir()
    (html / "p1.html.gz").write_bytes(gzip.compress(HTML.encode()))
    if layout == "scrapinghub":
        truth = {"p1": {"articleBody": TRUTH}, "gone": {"articleBody": "x"}, "bad": {}}
        (tmp_path / "ground-truth.json").write_text(json.dumps(truth))
        (tmp_path / "output").mkdir()
        (tmp_path / "output" / "tool.json").write_text(json.dumps({"p1": {"articleBody": "nothing of it"}}))
        (tmp_path / "output" / "broken.json").write_text("[")
    elif layout == "wcxb":
        (tmp_path / "ground-truth").mkdir()
        (tmp_path / "ground-truth" / "p1.json").write_text(json.dumps({"ground_truth": {"main_content": TRUTH}}))
    else:
        (tmp_path / "truth.jsonl").write_text(json.dumps({"id": "p1", "body": TRUTH}) + "\n{broken\n")
    return tmp_path


@pytest.mark.parametrize(("layout", "problems"), [("scrapinghub", 3), ("wcxb", 0), ("own", 1)])
def test_each_layout_is_read_and_faults_are_told(tmp_path: Path, layout: str, problems: int) -> None:
    """Pages that are there are read; those that are not, or are broken, are named."""
    found, told, outputs = pages.read(folder_of(tmp_path, layout))
    assert [pages.Page("p1", HTML.encode(), TRUTH)] == found
    assert problems == len(told)
    assert ({"tool": {"p1": "nothing of it"}} if layout == "scrapinghub" else {}) == outputs


def test_a_folder_of_no_layout_is_refused(tmp_path: Path) -> None:
    """It is said what was looked for."""
    with pytest.raises(FileNotFoundError, match=r"holds no ground-truth\.json"):
        pages.read(tmp_path)


def test_trafilatura_alone_and_with_cleanfeed_stand_beside_published_outputs(tmp_path: Path) -> None:
    """Seven rows, best first; a page that trafilatura has whole is whole in the figures."""
    pytest.importorskip("trafilatura")
    found, _, outputs = pages.read(folder_of(tmp_path, "scrapinghub"))
    rows = pages.measure(found, outputs, resamples=10)
    assert 7 == len(rows)
    assert "tool" == rows[-1].system
    alone = next(row for row in rows if row.system == "trafilatura")
    assert 1.0 == pytest.approx(alone.f1.value)
    gains = {row.system: row.gain for row in rows if row.gain is not None}
    assert {f"trafilatura{mode} + cleanfeed" for mode in ("", " recall", " precision")} == set(gains)
    with_it = next(row for row in rows if row.system == "trafilatura + cleanfeed")
    assert with_it.f1.value - alone.f1.value == pytest.approx(gains["trafilatura + cleanfeed"].value)


def test_resamples_of_pages_are_seeded() -> None:
    """The same seed gives the same interval."""
    texts = ["a b c d e", "a b c d x", "x y z w"]
    first, second = (
        pages.shingle_figures(["a b c d e"] * 3, texts, bootstrap.weights(3, 20, seed=1))["f1"] for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
