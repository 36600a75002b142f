"""What the model gets wrong of a labelled document."""

from __future__ import annotations

from cleanfeed import explain


def wrong_lines(case: dict[str, object]) -> list[tuple[str, float, str]]:
    """Label, score and text of body that goes and of junk that stays; meta may do either."""
    lines, labels = case["lines"], case["labels"]
    assert isinstance(lines, list)
    assert isinstance(labels, list)
    explained = explain("\n".join(lines))
    return [
        (label, round(line.score, 2), text)
        for text, label, line in zip(lines, labels, explained, strict=True)
        if label != "meta" and line.dropped != (label in ("teaser", "boilerplate"))
    ]
