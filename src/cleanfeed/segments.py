"""Sums, shifts and running values within the texts of a block, without a loop over texts.

Lines run along the last axis, so that many columns, one behind the other in memory, are worked on at once.

Every function gives a text the same numbers whatever stands beside it in the block: integer running sums are exact, and
:func:`numpy.add.reduceat` adds each segment by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

#: Lines scored together, if their documents are no longer: what is known of a line takes up to 6 kB while it is decided on.
_PORTION = 1 << 14
#: Lines of one document that are read as one, ten times the longest page of the training data. Of a longer text equal
#: parts are read as documents of their own, so that memory and time per line do not grow with it.
_LONGEST = 1 << 14


def starts_of_runs(values: Array) -> IntArray:
    """Where each run of equal values begins. Shape (n,) → (n_runs,).

    `np.diff` with its prepend and append did this in joining kept lines, and took a twelfth of the time of short documents.
    """
    if not len(values):
        return np.zeros(0, np.int64)
    return np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1))


def lengths_of_runs(starts: IntArray, total: int) -> IntArray:
    """Lengths of runs from where they begin, the last one up to ``total``."""
    lengths = np.empty_like(starts)
    if len(starts):
        np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
        lengths[-1] = total - starts[-1]
    return lengths


class Segments:
    """The texts of a block as runs of consecutive lines; texts without lines do not appear.

    Args:
        text_of_line: Index of each line's text, ascending. Shape (n_lines,).
    """

    def __init__(self, text_of_line: IntArray) -> None:
        self.n_lines = len(text_of_line)
        self.begin = starts_of_runs(text_of_line)
        """First line of each text. Shape (n_texts,)."""
        self.counts = lengths_of_runs(self.begin, self.n_lines)
        """Lines of each text. Shape (n_texts,)."""
        self.segment = np.repeat(np.arange(len(self.begin)), self.counts)
        """Text of each line, counted from 0 without gaps. Shape (n_lines,)."""
        self.rank = np.arange(self.n_lines) - self.spread(self.begin)
        """Number of lines of the same text before the line. Shape (n_lines,)."""
        self.rank_from_end = self.spread(self.counts) - self.rank - 1
        """Number of lines of the same text behind the line. Shape (n_lines,)."""
        self._ends: dict[int, IntArray] = {}

    def spread(self, per_text: Array) -> Array:
        """Give every line its text's value. Shape (..., n_texts) → (..., n_lines)."""
        return np.repeat(per_text, self.counts, axis=-1)

    def total(self, values: Array) -> Array:
        """Sum over the lines of each text. Shape (..., n_lines) → (..., n_texts)."""
        if not self.n_lines:
            return np.zeros((*values.shape[:-1], 0), values.dtype)
        return np.add.reduceat(values, self.begin, axis=-1)

    def shift(self, values: Array, by: int, fill: float = 0) -> Array:
        """The value ``by`` lines further on in the same text (``by`` < 0: before), ``fill`` past its ends.

        Shape (..., n_lines), in and out.
        """
        shifted = np.empty_like(values)
        if by > 0:
            shifted[..., :-by] = values[..., by:]
        else:
            shifted[..., -by:] = values[..., :by]
        shifted[..., self._past_the_end(by)] = fill
        return shifted

    def _past_the_end(self, by: int) -> IntArray:
        """Lines that have no line ``by`` lines further on in their text."""
        if by not in self._ends:
            self._ends[by] = np.flatnonzero(self.rank_from_end < by if by > 0 else self.rank < -by)
        return self._ends[by]

    def before(self, values: IntArray) -> IntArray:
        """Sum of the integer ``values`` of the lines before, in the same text."""
        running = np.cumsum(values) - values
        return running - self.spread(running[self.begin])

    def since(self, marks: npt.NDArray[np.bool_]) -> IntArray:
        """Lines since the last marked line before this one in the same text; the whole way and one where none is."""
        lines = np.arange(self.n_lines)
        last = np.maximum.accumulate(np.where(marks, lines, -1))
        last = np.concatenate(([-1], last[:-1])) if self.n_lines else last
        start = self.spread(self.begin)
        return lines - np.maximum(last, start - 1)

    def until(self, marks: npt.NDArray[np.bool_]) -> IntArray:
        """Lines until the next marked line behind this one in the same text; the whole way and one where none is."""
        lines = np.arange(self.n_lines)
        following = np.minimum.accumulate(np.where(marks, lines, self.n_lines)[::-1])[::-1]
        following = np.append(following[1:], self.n_lines) if self.n_lines else following
        return np.minimum(following, self.spread(self.begin + self.counts)) - lines


def documents_of(text: IntArray) -> IntArray:
    """Number of the document that each line is read in: its text, or one of the equal parts of a very long text.

    Args:
        text: Text of each line that is not blank, ascending. Shape (n_inked,).
    """
    if len(text) <= _LONGEST:
        return text
    counts = np.bincount(text)
    parts = -(-counts // _LONGEST)
    rank = np.arange(len(text)) - (np.cumsum(counts) - counts)[text]
    return (np.cumsum(parts) - parts)[text] + rank * parts[text] // counts[text]


def portions(document: IntArray, lines: int = _PORTION) -> Iterator[slice]:
    """Slices of whole documents, of up to so many lines if no document is longer.

    Args:
        document: Document of each line, ascending. Shape (n_lines,).
        lines: Lines of a slice.
    """
    ends = [*starts_of_runs(document)[1:].tolist(), len(document)]
    first = 0
    for end, following in zip(ends, [*ends[1:], None], strict=True):
        if following is None or following - first > lines:
            if end > first:
                yield slice(first, end)
            first = end
