"""Word tables: what the words of a line say of its label, what its first and last words say, and what they mean.

All are indexed by the top bits of the hashes of a word's spans (:data:`cleanfeed.tokens.SPANS`), and are
summed over the words of a line. Rows of small integers are packed four to a 64-bit integer, 16 bits each, so that one
gather and one addition serve four columns: 6 ns a key for 32 columns, where summing rows of float32 takes 38.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

_LANES = 4
_LANE_BITS = 16
_LANE_LIMIT = (1 << (_LANE_BITS - 1)) - 1
#: Weights are integers within ±WEIGHT_LIMIT.
WEIGHT_LIMIT = 127
#: Words in a row that are read as one phrase.
PHRASE = 4


def pack(rows: npt.NDArray[np.int8]) -> IntArray:
    """Four columns to an integer. Shape (n_rows, n_columns) → (n_rows, n_columns / 4)."""
    lanes = rows.reshape(len(rows), -1, _LANES).astype(np.int64)
    return np.ascontiguousarray((lanes << (np.arange(_LANES) * _LANE_BITS)).sum(axis=2))


def unpack(sums: IntArray) -> npt.NDArray[np.int32]:
    """Undo :func:`pack` on sums of packed rows; exact while each column's sum lies within ±32,767."""
    bias = np.int64(sum(0x8000 << (lane * _LANE_BITS) for lane in range(_LANES - 1)) - (1 << 63))
    # With the bias every lane is 16 bits without a sign, which lie in memory one after the other, lowest first.
    lanes = (sums + bias).astype("<i8", copy=False).view("<u2")
    return lanes.astype(np.int32) - 0x8000


def keys_of(hashes: npt.NDArray[np.uint64], size: int) -> npt.NDArray[np.int64]:
    """Row of a table of ``size`` rows (a power of two) for each hash."""
    return (hashes >> np.uint64(64 - (size.bit_length() - 1))).view(np.int64)


def rows_of_words(packed: IntArray, word_hash: npt.NDArray[np.uint64]) -> IntArray:
    """Sum of the rows of every span of each word, still packed.

    Args:
        packed: Table from :func:`pack`, of shape (n_rows, n_packed), n_rows a power of two.
        word_hash: Hashes of the spans to look up. Shape (n_words, n_spans).

    Returns:
        Shape (n_words, n_packed).
    """
    of_word = packed.take(keys_of(word_hash[:, 0], len(packed)), axis=0, mode="clip")
    of_span = np.empty_like(of_word)
    for span in range(1, word_hash.shape[1]):
        packed.take(keys_of(word_hash[:, span], len(packed)), axis=0, mode="clip", out=of_span)
        of_word += of_span
    return of_word


class WordsOfLines(NamedTuple):
    """Which words belong to which line: words stand in the order of their lines, and a line may have none."""

    n_lines: int
    lines: IntArray
    """Lines that have words, ascending. Shape (n_lines with words,)."""
    begin: IntArray
    """First word of each of these. Same shape."""
    counts: IntArray
    """Words of each of these. Same shape."""


def words_of_lines(n_words: IntArray) -> WordsOfLines:
    """Lay words out by line.

    Args:
        n_words: Words of each line. Shape (n_lines,).
    """
    lines = np.flatnonzero(n_words)
    counts = n_words[lines]
    return WordsOfLines(len(n_words), lines, np.cumsum(counts) - counts, counts)


def words_per_sum(n_spans: int) -> int:
    """Words of ``n_spans`` rows each that a packed lane has room for, all of the greatest weight."""
    return _LANE_LIMIT // (n_spans * WEIGHT_LIMIT)


def sum_words(of_word: IntArray, words: WordsOfLines, n_spans: int) -> npt.NDArray[np.int32]:
    """Sum what :func:`rows_of_words` gives over the words of each line, exactly.

    A line of more than :func:`words_per_sum` words is summed in pieces of as many.

    Args:
        of_word: Packed rows. Shape (n_words, n_packed).
        words: Where the words of each line stand.
        n_spans: Rows of the table that went into a word.

    Returns:
        Shape (n_lines, 4 * n_packed).
    """
    sums = np.zeros((words.n_lines, _LANES * of_word.shape[1]), np.int32)
    if not len(words.lines):
        return sums
    most = words_per_sum(n_spans)
    if words.counts.max() <= most:
        sums[words.lines] = unpack(np.add.reduceat(of_word, words.begin, axis=0))
        return sums
    pieces = -(-words.counts // most)
    first_piece = np.cumsum(pieces) - pieces
    first_word = np.repeat(words.begin - most * first_piece, pieces) + most * np.arange(pieces.sum())
    of_piece = unpack(np.add.reduceat(of_word, first_word, axis=0))
    sums[words.lines] = np.add.reduceat(of_piece, first_piece, axis=0)
    return sums


def strongest(of_word: IntArray, words: WordsOfLines) -> tuple[npt.NDArray[np.int32], ...]:
    """What single words say, where a sum over all would drown it.

    Args:
        of_word: Packed rows of a table of four columns. Shape (n_words, 1).
        words: Where the words of each line stand.

    Returns:
        The greatest row sum of a word, of :data:`PHRASE` words in a row, and the sum over the words for which it is
        positive. Shapes (n_lines, 4).
    """
    found = tuple(np.zeros((words.n_lines, _LANES), np.int32) for _ in range(3))
    if len(words.lines):
        rows = np.ascontiguousarray(unpack(of_word).T)
        running = np.zeros((_LANES, len(of_word) + 1), np.int32)
        np.cumsum(rows, axis=1, out=running[:, 1:])
        since = np.maximum(np.arange(len(of_word)) - (PHRASE - 1), np.repeat(words.begin, words.counts))
        phrases = running[:, 1:] - running.take(since, axis=1)
        found[0][words.lines] = np.maximum.reduceat(rows, words.begin, axis=1).T
        found[1][words.lines] = np.maximum.reduceat(phrases, words.begin, axis=1).T
        found[2][words.lines] = np.add.reduceat(np.maximum(rows, 0), words.begin, axis=1).T
    return found


def quantise(weights: npt.NDArray[Any], limit: int = WEIGHT_LIMIT) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Integers within ±``limit`` and the step of each column, so that ``integers * step`` is near ``weights``.

    The largest thousandth of a column is clipped: one stray weight would coarsen all others.
    """
    step = np.maximum(np.quantile(np.abs(weights), 0.999, axis=0) / limit, 1e-12).astype(np.float32)
    return np.clip(np.rint(weights / step), -limit, limit).astype(np.int8), step
