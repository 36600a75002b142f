"""Figures of line cleaning as pure functions of arrays.

What is scored: lines labelled `body` on one side, `teaser`, `boilerplate` and `junk` on the other. Lines labelled
`meta` or null, and blank lines, are not scored: keeping or dropping them changes no figure.

A measurement goes in two steps, so that a bootstrap over documents is a matrix product: `counts` gives one row of
counts per document, and `figures` turns sums of such rows, weighted in whatever way, into figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanfeed.evaluation.records import JUNK, LABELS, Document
from cleanfeed.model import cost_of_losing

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMNS = (
    "junk_dropped",
    "body_dropped",
    "junk_kept",
    "body_characters",
    "body_characters_kept",
    "exact",
    "documents",
    *(f"{label}_{outcome}" for label in LABELS for outcome in ("hit", "false", "missed")),
)
"""The columns of `counts`; the last twelve say how often each of the four labels was given rightly."""

FIGURES = ("precision", "recall", "f1", "body_kept", "exact", "recall_at_995", *(f"f1_{label}" for label in LABELS))
"""All figures, in the order of the reports. The first three are of junk: what was dropped, what had to be."""

BODY_KEPT_ASKED = 0.995
"""`recall_at_995` is the junk recall at the threshold that keeps this share of the body's characters."""

_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Truth:
    """The labels of many documents as flat arrays, one entry per line.

    Attributes:
        document: index of the line's document.
        junk, body: what the line is, where it is scored; neither, where it is not.
        characters: length of the line.
        label: index into `LABELS`, -1 for `junk`, null and blank lines.
        n_documents: how many documents there are, those without lines included.
    """

    document: NDArray[np.int64]
    junk: Flags
    body: Flags
    characters: NDArray[np.int64]
    label: NDArray[np.int64]
    n_documents: int

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Truth:
        """Flatten documents."""
        labels = [
            label if line.strip() else None
            for document in documents
            for line, label in zip(document.lines, document.labels, strict=True)
        ]
        return cls(
            document=np.repeat(np.arange(len(documents)), [len(document.lines) for document in documents]),
            junk=np.array([label in JUNK for label in labels], dtype=bool),
            body=np.array([label == "body" for label in labels], dtype=bool),
            characters=np.array([len(line) for document in documents for line in document.lines], dtype=np.int64),
            label=label_codes(labels),
            n_documents=len(documents),
        )

    def part(self, members: NDArray[np.int64]) -> tuple[Truth, NDArray[np.intp]]:
        """The truth of some documents, numbered in the order given, and the indices of their lines among all lines."""
        place = np.full(self.n_documents, -1)
        place[members] = np.arange(len(members))
        document = place[self.document]
        lines = np.flatnonzero(document >= 0)
        part = Truth(
            document[lines],
            self.junk[lines],
            self.body[lines],
            self.characters[lines],
            self.label[lines],
            len(members),
        )
        return part, lines


def label_codes(labels: Sequence[str | None]) -> NDArray[np.int64]:
    """Index of each label in `LABELS`, -1 for any other."""
    code: dict[str | None, int] = {label: index for index, label in enumerate(LABELS)}
    return np.array([code.get(label, -1) for label in labels], dtype=np.int64)


def counts(truth: Truth, kept: Flags, label: NDArray[np.int64] | None = None) -> Floats:
    """Count, per document, what happened to its lines.

    Args:
        truth: the labels, n lines of m documents.
        kept: shape (n,), whether the system kept the line.
        label: shape (n,), the system's own label as an index into `LABELS`, where it gives labels.

    Returns:
        Shape (m, len(COLUMNS)); the columns of labels are NaN where the system gives none.
    """

    def per_document(flags: Flags, weights: NDArray[np.int64] | None = None) -> Floats:
        values = None if weights is None else weights[flags]
        return np.bincount(truth.document[flags], values, truth.n_documents).astype(np.float64)

    wrong = per_document((truth.body & ~kept) | (truth.junk & kept))
    columns = [
        per_document(truth.junk & ~kept),
        per_document(truth.body & ~kept),
        per_document(truth.junk & kept),
        per_document(truth.body, truth.characters),
        per_document(truth.body & kept, truth.characters),
        (wrong == 0).astype(np.float64),
        np.ones(truth.n_documents),
    ]
    for code in range(len(LABELS)):
        if label is None:
            columns += [np.full(truth.n_documents, np.nan)] * 3
            continue
        true, given = truth.label == code, (label == code) & (truth.label >= 0)
        columns += [per_document(true & given), per_document(given & ~true), per_document(true & ~given)]
    return np.stack(columns, axis=1)


def figures(sums: Floats) -> dict[str, Floats]:
    """Turn sums of `counts` rows into figures.

    Args:
        sums: shape (..., len(COLUMNS)).

    Returns:
        Figures of shape (...), between 0 and 1; NaN where there is nothing to measure. Nothing dropped: precision is
        NaN, recall and F1 are 0. No junk in the documents: recall and F1 are NaN.
    """
    column = {name: sums[..., index] for index, name in enumerate(COLUMNS)}
    dropped_rightly, dropped_wrongly = column["junk_dropped"], column["body_dropped"]
    result = {
        "precision": _ratio(dropped_rightly, dropped_rightly + dropped_wrongly),
        "recall": _ratio(dropped_rightly, dropped_rightly + column["junk_kept"]),
        "f1": _f1(dropped_rightly, dropped_wrongly, column["junk_kept"]),
        "body_kept": _ratio(column["body_characters_kept"], column["body_characters"]),
        "exact": _ratio(column["exact"], column["documents"]),
    }
    for label in LABELS:
        result[f"f1_{label}"] = _f1(*(column[f"{label}_{outcome}"] for outcome in ("hit", "false", "missed")))
    return result


def curve(truth: Truth, scores: Floats, weights: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """What the threshold buys: junk recall and body characters kept at each threshold that changes something.

    Args:
        truth: the labels, n lines of m documents.
        scores: shape (n,); lines are dropped at or above the threshold.
        weights: shape (r, m), how often each of r resamples holds each document; none: each document once.

    Returns:
        Thresholds of shape (k,), falling; body kept and junk recall, each of shape (r, k). The thresholds begin above
        every score, where all is kept.
    """
    weights = np.ones((1, truth.n_documents)) if weights is None else weights
    scored = np.flatnonzero(truth.junk | truth.body)
    order = scored[np.argsort(-scores[scored], kind="stable")]
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # lines of one score fall together
    thresholds = np.concatenate(([np.inf], scores[order][ends]))

    def passed(per_line: Flags | NDArray[np.int64]) -> Floats:
        gone = np.cumsum(weights[:, truth.document[order]] * per_line[order], axis=1)
        share = _ratio(gone[:, ends], gone[:, -1:]) if len(ends) else gone
        return np.concatenate((np.zeros((len(weights), 1)), share), axis=1)

    return thresholds, 1 - passed(truth.body * truth.characters), passed(truth.junk)


def recall_at(truth: Truth, scores: Floats, weights: Floats | None = None, asked: float = BODY_KEPT_ASKED) -> Floats:
    """Junk recall at the lowest threshold that keeps the asked share of body characters; shape (r,), see `curve`."""
    weights = np.ones((1, truth.n_documents)) if weights is None else weights
    if not truth.junk.any():
        return np.full(len(weights), np.nan)
    rows = max(1, _CELLS // len(scores))  # resamples at a time, so that memory does not grow with their number
    found = []
    for start in range(0, len(weights), rows):
        _, kept, recall = curve(truth, scores, weights[start : start + rows])
        fits = np.isnan(kept) | (kept >= asked - 1e-12)  # NaN: no body, nothing can be lost
        last = np.sum(fits, axis=1) - 1  # the share kept falls, so the thresholds that fit come first
        found.append(recall[np.arange(len(recall)), last])
    return np.concatenate(found)


def _f1(hit: Floats, false: Floats, missed: Floats) -> Floats:
    return np.where(hit + missed > 0, _ratio(2 * hit, 2 * hit + false + missed), np.nan)


def _ratio(part: Floats, whole: Floats) -> Floats:
    result: Floats = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def reliability(truth: Truth, scores: Floats, n_bins: int = 10) -> tuple[Floats, Floats]:
    """How often lines of about the same score are junk (DeGroot and Fienberg 1983); on the diagonal where calibrated.

    A body line counts by what losing it costs, as it does in cleanfeed's score (`cleanfeed.model.weighted_by_length`), here by
    its characters, where the score takes an ideograph for more than a letter.

    Args:
        truth: The labels.
        scores: Score of each line, 0 to 1. Shape (n_lines,).
        n_bins: Bins of equal width.

    Returns:
        Mean score and share of junk of each bin that holds lines. Shapes (n_filled_bins,).
    """
    scored = truth.junk | truth.body
    weight = np.where(truth.junk, 1.0, cost_of_losing(truth.characters.astype(np.float64)))[scored]
    bin_of = np.minimum((scores[scored] * n_bins).astype(np.int64), n_bins - 1)
    total = np.bincount(bin_of, weight, minlength=n_bins)
    filled = total > 0
    mean = np.bincount(bin_of, weight * scores[scored], minlength=n_bins)[filled] / total[filled]
    return mean, np.bincount(bin_of, truth.junk[scored], minlength=n_bins)[filled] / total[filled]
