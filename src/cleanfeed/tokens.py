"""From code points to what the features count: classes per line, words, and hashes of words and their ends.

No Python loop runs over characters, words or lines. Hashes come from prefix sums of a polynomial modulo 2^64: the
multiplier is odd, so it has an inverse, and the hash of any span is ``(prefix[end] - prefix[start]) * inverse^start``,
the same wherever the span stands (Karp and Rabin 1987, with the modulus that 64-bit arithmetic gives for nothing).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.segments import lengths_of_runs, starts_of_runs
from cleanfeed.unicode import CLASS, N_CLASSES, SPACED, tables

IntArray = npt.NDArray[np.int64]
HashArray = npt.NDArray[np.uint64]

#: Characters of a line that are read: so many from its head and so many from its tail. A paragraph shows what it is
#: in its first sentence. The numbers are a choice; other ones were not measured.
HEAD, TAIL = 384, 128
#: Characters scanned at once: arrays of 8 bytes a character then fit the second-level cache (1 MB).
PIECE = 1 << 17

_NEWLINE = 10
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd (Knuth, TAOCP 6.4)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
MIX = np.uint64(0xD6E8FEB86659FD93)  # of degski's 64-bit mixer; low bits of the polynomial are weak
#: Ways of the classes to make words: none, runs, pairs, pieces of four.
NO_WORD, SPACED_WORD, IDEOGRAPHS, UNSPACED_WORD = range(4)

#: Spans of a word that are hashed, besides the whole of it: its first 3 and 5 and its last 3 and 5 characters. They
#: see through prefixes and suffixes (Arabic wa-, al-, Turkish case endings) without knowing any language.
SPANS = ("word", "first 3", "first 5", "last 3", "last 5", "pair")
STEM = SPANS.index("first 5")
#: Spans looked up in the tables of a line's first and last words.
EDGE_SPANS = [SPANS.index(name) for name in ("word", "first 5", "pair")]


class Constants(NamedTuple):
    """Tables over code points and positions, built once per process."""

    classes: npt.NDArray[np.uint8]
    value: HashArray
    group: npt.NDArray[np.uint8]
    power: HashArray
    inverse: HashArray


@lru_cache(maxsize=1)
def constants() -> Constants:
    """The tables, worked out on first use."""
    table = tables()
    value = mix(table.folded.astype(np.uint64) + np.uint64(1))
    group = np.zeros(N_CLASSES, np.uint8)
    group[[CLASS[name] for name in SPACED]] = SPACED_WORD
    group[CLASS["ideograph"]] = IDEOGRAPHS
    group[CLASS["unspaced"]] = UNSPACED_WORD
    size = 2 * PIECE + HEAD + TAIL + 3
    power = np.full(size, MULTIPLIER)
    inverse = np.full(size, _INVERSE)
    power[0] = inverse[0] = 1
    return Constants(table.classes, value, group, np.multiply.accumulate(power), np.multiply.accumulate(inverse))


def mix(values: HashArray) -> HashArray:
    """Spread the bits of ``values`` so that any of them can index a table."""
    values = (values ^ (values >> np.uint64(32))) * MIX
    values = (values ^ (values >> np.uint64(32))) * MIX
    return values ^ (values >> np.uint64(32))


class Scan(NamedTuple):
    """What was read of some lines. ``n_lines`` counts them, ``n_words`` their words."""

    histogram: npt.NDArray[np.uint16]
    """Characters of each class in the read share. Shape (n_lines, N_CLASSES)."""
    edges: npt.NDArray[np.uint8]
    """Class of the first, second, last but one and last character that is not white space. Shape (n_lines, 4)."""
    line_hash: HashArray
    """Hash of the line's folded words, without digits' values, punctuation and spacing. Shape (n_lines,)."""
    word_hash: HashArray
    """Hashes of each word's :data:`SPANS`, in that order; one span after the other in memory. Shape (n_words, len(SPANS))."""
    word_line: IntArray
    """Line of each word, ascending. Shape (n_words,)."""
    word_length: npt.NDArray[np.uint16]
    """Characters of each word. Shape (n_words,)."""
    word_class: npt.NDArray[np.uint8]
    """Class of each word's first character. Shape (n_words,)."""


def scan(codes: npt.NDArray[np.uint32], starts: IntArray, ends: IntArray) -> Scan:
    """Read lines, none of them empty, whose read shares together stay within :data:`PIECE` (or one line alone)."""
    known = constants()
    characters, line_of_segment, segment_lengths = _read_share(codes, starts, ends)
    classes = known.classes.take(characters, mode="clip")
    line = np.repeat(line_of_segment, segment_lengths)
    seen = classes != CLASS["invisible"]
    if not seen.all():
        characters, classes, line = characters[seen], classes[seen], line[seen]
    n_lines = len(starts)
    histogram = np.bincount(line * N_CLASSES + classes, minlength=n_lines * N_CLASSES).reshape(n_lines, N_CLASSES)
    group = known.group.take(classes)
    value = known.value.take(characters, mode="clip")
    value *= known.power[: len(value)]
    prefix = np.empty(len(value) + 1, np.uint64)
    prefix[0] = 0
    np.cumsum(value, out=prefix[1:])
    first, last, group_of_word = _words(group)
    word_line = line.take(first)
    hashes = _hash_spans(prefix, known.inverse, first, last, group_of_word, word_line)
    return Scan(
        histogram.astype(np.uint16),
        _edges(classes, line, n_lines),
        _line_hash(hashes[:, 0], word_line, n_lines),
        hashes,
        word_line,
        (last - first).astype(np.uint16),
        classes.take(first),
    )


def _read_share(
    codes: npt.NDArray[np.uint32], starts: IntArray, ends: IntArray
) -> tuple[npt.NDArray[np.uint32], IntArray, IntArray]:
    """Heads and tails of the lines, each behind the other and ended by one newline, so that no word spans two."""
    lengths = ends - starts
    is_long = lengths > HEAD + TAIL
    n_segments = 1 + is_long
    line_of_segment = np.repeat(np.arange(len(starts)), n_segments)
    segment_starts = np.repeat(starts, n_segments)
    segment_lengths = np.repeat(np.where(is_long, HEAD, lengths), n_segments) + 1
    tails = np.cumsum(n_segments)[is_long] - 1
    segment_starts[tails] = ends[is_long] - TAIL
    segment_lengths[tails] = TAIL + 1
    behind = np.cumsum(segment_lengths)
    shift = segment_starts - (behind - segment_lengths)
    index = np.repeat(shift, segment_lengths)
    index += np.arange(len(index))
    characters = codes.take(index, mode="clip")
    characters[behind - 1] = _NEWLINE
    return characters, line_of_segment, segment_lengths


def _words(group: npt.NDArray[np.uint8]) -> tuple[IntArray, IntArray, npt.NDArray[np.uint8]]:
    """First character, position behind the last, and group of each word, in reading order.

    Runs of letters and digits are words. In ideographs every character begins one of two characters, in scripts
    without spaces one of four, both cut short where the run ends.
    """
    runs = np.flatnonzero(group[1:] != group[:-1]) + 1
    runs = np.concatenate(([0], runs))
    run_ends = np.append(runs[1:], len(group))
    run_group = group.take(runs)
    spaced = run_group == SPACED_WORD
    first, last = runs[spaced], run_ends[spaced]
    unspaced = run_group > SPACED_WORD
    if not unspaced.any():
        return first, last, np.full(len(first), SPACED_WORD, np.uint8)
    run_lengths = (run_ends - runs)[unspaced]
    piece_ends = np.repeat(run_ends[unspaced], run_lengths)
    pieces = np.flatnonzero(group > SPACED_WORD)
    width = np.where(group.take(pieces) == IDEOGRAPHS, 2, 4)
    piece_ends = np.minimum(pieces + width, piece_ends)
    first = np.concatenate((first, pieces))
    last = np.concatenate((last, piece_ends))
    order = np.argsort(first, kind="stable")
    first = first[order]
    return first, last[order], group.take(first)


def _hash_spans(
    prefix: HashArray,
    inverse: HashArray,
    first: IntArray,
    last: IntArray,
    group: npt.NDArray[np.uint8],
    word_line: IntArray,
) -> HashArray:
    """Mixed hashes of the spans of each word. Shape (n_words, len(SPANS))."""
    # Ideographs: one character stands for three of an alphabet, and the last character of a pair begins the next.
    short = np.where(group == IDEOGRAPHS, 1, 3)
    hashes = np.empty((len(SPANS), len(first)), np.uint64)
    at_first, at_last = prefix.take(first), prefix.take(last)
    inverse_first = inverse.take(first)
    hashes[0] = (at_last - at_first) * inverse_first
    for row, width in ((1, short), (2, 5)):
        hashes[row] = (prefix.take(np.minimum(first + width, last)) - at_first) * inverse_first
    for row, width in ((3, short), (4, 5)):
        begin = np.maximum(last - width, first)
        hashes[row] = (at_last - prefix.take(begin)) * inverse.take(begin)
    hashes[5, :-1] = hashes[0, :-1] * MULTIPLIER + hashes[0, 1:]
    ends_line = np.ones(len(first), np.bool_)
    ends_line[:-1] = word_line[1:] != word_line[:-1]
    hashes[5][ends_line] = hashes[0][ends_line] * MULTIPLIER
    hashes += (np.arange(len(SPANS), dtype=np.uint64) * MIX)[:, None]
    return mix(hashes).T


def _edges(classes: npt.NDArray[np.uint8], line: IntArray, n_lines: int) -> npt.NDArray[np.uint8]:
    """Classes of the outermost characters of each line that are not white space. Shape (n_lines, 4)."""
    inked = np.flatnonzero(classes != CLASS["space"])
    inked_line = line.take(inked)
    inked_classes = classes.take(inked)
    bounds = np.searchsorted(inked_line, np.arange(n_lines + 1))
    begin, end = bounds[:-1], bounds[1:] - 1
    some = end >= begin
    edges = np.full((n_lines, 4), CLASS["space"], np.uint8)
    for column, position in enumerate((begin, np.minimum(begin + 1, end), np.maximum(end - 1, begin), end)):
        edges[some, column] = inked_classes[position[some]]
    return edges


def _line_hash(word_hash: HashArray, word_line: IntArray, n_lines: int) -> HashArray:
    """Order-sensitive hash of the words of each line; 0 for a line without words. Shape (n_lines,)."""
    if not len(word_hash):
        return np.zeros(n_lines, np.uint64)
    sums = np.zeros(n_lines, np.uint64)
    begin = starts_of_runs(word_line)
    rank = np.arange(len(word_line)) - np.repeat(begin, lengths_of_runs(begin, len(word_line)))
    sums[word_line[begin]] = np.add.reduceat(word_hash * (rank * 2 + 1).astype(np.uint64), begin)
    return mix(sums)
