"""Documents on which every line is right today and must stay so, and known failures, which must go on failing.

They were picked from the test third by what the model does: they guard what works and say nothing of how often it does.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from case_support import wrong_lines
from cleanfeed import explain

ROOT = Path(__file__).parents[1]
CASES = [
    pytest.param(
        case,
        id=case["id"],
        marks=[pytest.mark.xfail(reason=case["known_failure"])] if "known_failure" in case else [],
    )
    for path in sorted((ROOT / "tests" / "cases").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES)
def test_every_line_is_right(case: dict[str, object]) -> None:
    """Body stays, teasers and boilerplate go; meta may do either."""
    assert not wrong_lines(case)


def test_cases_hold_together() -> None:
    """Every case has as many labels as lines, and an id of its own."""
    cases = [param.values[0] for param in CASES]
    assert len({case["id"] for case in cases}) == len(cases) > 20
    assert all(len(case["lines"]) == len(case["labels"]) for case in cases)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.txt")), ids=lambda path: path.stem)
def test_examples_keep_their_article(path: Path) -> None:
    """In the documents of the demo at least 99 % of the article's characters stay."""
    expected = json.loads((ROOT / "tests" / "examples.json").read_text(encoding="utf-8"))[path.name]
    explained = explain(path.read_text(encoding="utf-8"))
    body = [line for line, label in zip(explained, expected, strict=True) if label == "body"]
    kept = sum(line.end - line.start for line in body if not line.dropped)
    assert kept >= 0.99 * sum(line.end - line.start for line in body)


def test_the_founding_examples(data: Path) -> None:
    """Of the document this project began with exactly the last eight lines go; of the clean one nothing."""
    folder = data.parent / "examples"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    tailed = (folder / "003_e3be2538b903c186.txt").read_text(encoding="utf-8")
    explained = [line for line in explain(tailed) if line.label != "blank"]
    assert [line.dropped for line in explained] == [False] * (len(explained) - 8) + [True] * 8
    clean_one = (folder / "000_710880ad12dce100.txt").read_text(encoding="utf-8")
    assert not any(line.dropped for line in explain(clean_one))
