"""Lossless splitting of texts into lines, and joining of what is kept.

A line ends at ``\\n``, ``\\r\\n`` or ``\\r`` and nowhere else: U+2028, U+0085 and their like stay inside a line, since an
extractor that wrote them meant something other than a new block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.segments import starts_of_runs

IntArray = npt.NDArray[np.int64]

_NEWLINE, _RETURN = 10, 13


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text and what the classifier says of it."""

    start: int
    """Offset of the first character."""
    end: int
    """Offset behind the last character; the line terminator is not part of the line."""
    label: str
    """``body``, ``meta``, ``teaser`` or ``boilerplate``; ``blank`` where there is nothing to judge."""
    score: float
    """P(drop), 0 to 1: probability that the line is of a label to drop, calibrated where a line counts by its length.

    A line of 60 characters counts once, one of 600 ten times, since losing it loses ten times the text.
    """
    reason: str
    """What moved the score most, in words; empty for a blank line."""
    dropped: bool
    """Whether :func:`cleanfeed.clean` with the same settings leaves the line out."""


class Block(NamedTuple):
    """Several texts as one array of code points, with their lines."""

    codes: npt.NDArray[np.uint32]
    """Code points of all texts, each text followed by one newline. Shape (n_characters,)."""
    text_starts: IntArray
    """Offset of each text in ``codes``. Shape (n_texts,)."""
    starts: IntArray
    """Offset in ``codes`` of the first character of each line. Shape (n_lines,)."""
    ends: IntArray
    """Offset in ``codes`` behind the last character of each line, terminator excluded. Shape (n_lines,)."""
    text_of_line: IntArray
    """Index of the text a line belongs to, ascending. Shape (n_lines,)."""


def codes_of(text: str) -> npt.NDArray[np.uint32]:
    """Code points of ``text``, lone surrogates included. Shape (len(text),)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def block_of(texts: Sequence[str]) -> Block:
    """Put texts together and find their lines, without a Python loop over lines.

    A text that ends in a line terminator has no empty line behind it (as :meth:`str.splitlines`).
    """
    codes = codes_of("\n".join([*texts, ""]))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    text_starts = np.concatenate(([0], np.cumsum(lengths + 1)))[:-1].astype(np.int64)
    seams = text_starts + lengths  # the newline put behind each text
    is_seam = np.zeros(len(codes), np.bool_)
    is_seam[seams] = True
    breaks = np.flatnonzero((codes == _NEWLINE) | (codes == _RETURN))
    # "\r" just before "\n" is half of one terminator, unless the "\n" is a seam.
    crlf = np.zeros(len(breaks), np.bool_)
    crlf[:-1] = (codes[breaks[:-1]] == _RETURN) & (codes[breaks[1:]] == _NEWLINE) & (np.diff(breaks) == 1)
    crlf[:-1] &= ~is_seam[breaks[1:]]
    terminators = breaks[~crlf]
    starts = np.concatenate(([0], terminators[:-1] + 1))
    ends = terminators - np.concatenate(([False], crlf[:-1]))[~crlf]
    # The seam ends a line of its text only if something stands between it and the terminator before it.
    real = ~is_seam[terminators] | (starts < terminators)
    starts, ends = starts[real], ends[real]
    text_of_line = np.searchsorted(text_starts, starts, "right") - 1
    return Block(codes, text_starts, starts, ends, text_of_line)


def split(text: str) -> tuple[IntArray, IntArray]:
    """Offsets of the lines of ``text``: starts, and ends without the terminator. Both of shape (n_lines,)."""
    block = block_of([text])
    return block.starts, block.ends


def join_kept(text: str, starts: IntArray, kept: npt.NDArray[np.bool_]) -> str:
    """The kept lines of ``text``, verbatim, terminators included.

    Args:
        text: The text that was split.
        starts: Offset of each line in it, ascending, the first one 0. Shape (n_lines,).
        kept: Whether the line stays. Shape (n_lines,).
    """
    if kept.all():
        return text
    edges = starts_of_runs(kept)[0 if kept[0] else 1 :].tolist()
    if kept[-1]:
        edges.append(len(kept))
    bounds = [*starts.tolist(), len(text)] if len(starts) < 64 else np.append(starts, len(text))
    return "".join([text[bounds[first] : bounds[last]] for first, last in zip(edges[::2], edges[1::2], strict=True)])


def keep_blanks(
    kept: npt.NDArray[np.bool_], blank: npt.NDArray[np.bool_], text_of_line: IntArray
) -> npt.NDArray[np.bool_]:
    """Let a blank line share the fate of the last line before it, in its text, that is not blank.

    So the blank lines around a dropped run collapse to those that stood before it. Blank lines at the head stay.

    Args:
        kept: Decision for each line that is not blank; what stands at blank lines is ignored. Shape (n_lines,).
        blank: Whether the line has nothing but white space. Shape (n_lines,).
        text_of_line: Text of each line, ascending. Shape (n_lines,).
    """
    if not len(kept):
        return kept
    last = np.maximum.accumulate(np.where(blank, 0, np.arange(len(kept))))
    return np.where(blank[last] | (text_of_line[last] != text_of_line), True, kept[last])
