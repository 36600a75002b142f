"""The sequence decode: a second look at each line, now that the first says what its neighbours are.

Stacked sequential learning (Cohen and Carvalho 2005): a classifier over windows of another classifier's predictions.

Junk comes in runs and a body ends once, but blocks in the middle exist. The second network reads, for every line, the
first one's probabilities of the lines around it, how much body is still to come, and whether the line shares words and
meaning with what was taken for the body, and with what was taken for junk. It is a window model, so it needs no pass over
the lines one after the other and gives a document the same result in any batch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cleanfeed import coherence
from cleanfeed.features import Columns, Described, matrix_of
from cleanfeed.reading import Lines
from cleanfeed.segments import Segments

#: Columns of the first step that the second network reads again.
CARRIED = (
    "log length", "log words", "log stops", "log commas", "share of digit", "share of bar", "share of link",
    "capitalised words", "begins with bullet", "begins with digit", "ends with stop", "ends with question",
    "ends with exclamation", "ends with ellipsis", "ends with colon", "ends with quote", "ends a sentence",
    "words say junk", "words say teaser", "words say boilerplate", "words say meta", "words insist on junk",
    "strongest word says junk", "strongest phrase says junk", "positive words insist on junk",
    "first words say junk", "first words say teaser", "last words say junk",
    "stems shared with paragraphs", "stems shared with opening", "stems shared with all lines",
    "meaning like paragraphs", "meaning like opening", "meaning like line -1", "meaning like line +1",
    "log repeats in document", "script apart", "log lines before", "log lines behind", "characters behind",
    "is paragraph", "log paragraphs behind", "behind the last paragraph", "log since paragraph", "log until paragraph",
    "log lines of page", "page in paragraphs", "page: words say junk", "page: ends a sentence", "page: capitalised words",
    "line -1: begins alike", "line +1: begins alike", "line -1: ends alike", "line +1: ends alike",
    "line -1: length apart", "line +1: length apart", "cased script", "unspaced script",
)  # fmt: skip
_FIXED_POINT = 1024.0
_SURE = 0.7


def second_features(
    lines: Lines, described: Described, probabilities: npt.NDArray[np.float64]
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Names and matrix of the features of the second network.

    Args:
        lines: What was read of each line.
        described: Its features.
        probabilities: P(label) from the first network. Shape (4, n_lines).

    Returns:
        Names, and a matrix of shape (n_features, n_lines).
    """
    columns: Columns = {f"again: {name}": described.columns[name] for name in CARRIED}
    columns |= _around(described, probabilities)
    columns |= _kinship(lines, described, probabilities)
    columns |= _run(lines, described, probabilities)
    return list(columns), matrix_of(list(columns.values()))


def _around(described: Described, probabilities: npt.NDArray[np.float64]) -> Columns:
    """The first network's view of the line, its neighbours, and all before and behind."""
    seg = described.segments
    fixed = np.rint(probabilities * _FIXED_POINT).astype(np.int64)
    body, drop = fixed[0], fixed[2] + fixed[3]
    columns: Columns = {
        f"first: {name}": np.log((fixed[row] + 4.0) / (_FIXED_POINT + 4.0 - fixed[row]))
        for row, name in enumerate(("body", "meta", "teaser", "boilerplate"))
    }
    columns["first: drop"] = np.log((drop + 4.0) / (_FIXED_POINT + 4.0 - drop))
    for by in (-3, -2, -1, 1, 2, 3):
        columns[f"drop {by:+d}"] = seg.shift(drop, by, -_FIXED_POINT) / _FIXED_POINT
    for by in (-1, 1):
        columns[f"teaser {by:+d}"] = seg.shift(fixed[2], by) / _FIXED_POINT
        columns[f"meta {by:+d}"] = seg.shift(fixed[1], by) / _FIXED_POINT
    for width in (4, 10):
        before, behind = seg.beside(drop, width)
        columns[f"drop in {width} before"] = before / _FIXED_POINT
        columns[f"drop in {width} behind"] = behind / _FIXED_POINT
    length = np.minimum(described.columns["effective length"], 1000.0).astype(np.int64)
    weight = length * body
    total = np.maximum(seg.spread(seg.total(weight)), 1)
    before = seg.before(weight)
    columns["body before"] = before / total
    columns["body behind"] = (total - before - weight) / total
    columns["page: body"] = total / np.maximum(seg.spread(seg.total(length)) * _FIXED_POINT, 1)
    columns["page: drop"] = seg.spread(seg.mean(drop.astype(np.float64))) / _FIXED_POINT
    sure_body = body > _SURE * _FIXED_POINT
    sure_drop = drop > _SURE * _FIXED_POINT
    columns["log sure body behind"] = np.log1p(
        seg.spread(seg.total(sure_body.astype(np.int64))) - seg.before(sure_body.astype(np.int64)) - sure_body
    )
    columns["log sure body before"] = np.log1p(seg.before(sure_body.astype(np.int64)))
    columns["log since sure body"] = np.log1p(seg.since(sure_body))
    columns["log until sure body"] = np.log1p(seg.until(sure_body))
    columns["log since sure drop"] = np.log1p(seg.since(sure_drop))
    columns["log until sure drop"] = np.log1p(seg.until(sure_drop))
    return columns


def _kinship(lines: Lines, described: Described, probabilities: npt.NDArray[np.float64]) -> Columns:
    """Shared stems and meaning with what the first network took for body, and with what it took for junk."""
    seg = described.segments
    weight = np.minimum(described.columns["effective length"], 400.0)
    drop = probabilities[2] + probabilities[3]
    columns: Columns = {}
    for name, share in (("body", probabilities[0]), ("junk", drop)):
        centroid = coherence.centroid_of_others(lines.meaning.T, weight * share, seg)
        columns[f"meaning like {name}"] = coherence.cosine(described.units, centroid)
    shared, total = coherence.shared_stems(described.pool, probabilities[0] > 0.5)
    columns["stems shared with body"] = shared
    columns["sum of stems shared with body"] = np.log1p(total)
    shared, _ = coherence.shared_stems(described.pool, drop > 0.5)
    columns["stems shared with junk"] = shared
    columns["meaning nearer body than junk"] = columns["meaning like body"] - columns["meaning like junk"]
    return columns


def _run(lines: Lines, described: Described, probabilities: npt.NDArray[np.float64]) -> Columns:
    """The run of lines between two paragraphs as one: a tail is rarely half junk."""
    seg = described.segments
    long = described.columns["is paragraph"]
    begins = long | (seg.rank == 0)
    begins[1:] |= long[:-1]
    run = Segments(np.cumsum(begins))
    weight = np.minimum(described.columns["effective length"], 400.0) * probabilities[0] * long
    body = seg.spread(seg.total(lines.meaning.T * weight.astype(np.float32)))
    whole = run.spread(run.total(described.units))
    size = run.spread(run.counts)
    return {
        "run: drop": run.spread(run.mean(probabilities[2] + probabilities[3])),
        "run: ends a sentence": run.spread(run.mean(described.columns["ends a sentence"].astype(np.float64))),
        "run: log lines": np.log1p(size),
        "run: place": run.rank / size,
        "run: is last": seg.rank_from_end == run.rank_from_end,
        "run: meaning like body": coherence.cosine(coherence.unit(whole), body),
        "run: meaning like line": coherence.cosine(described.units, whole - described.units),
    }
