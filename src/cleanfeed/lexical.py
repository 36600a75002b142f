"""Word tables: what the words of a line say of its label, what its first and last words say, and what they mean.

All are indexed by the top bits of the hashes of a word's spans (:data:`cleanfeed.tokens.SPANS`), and are
summed over the words of a line. Rows of small integers are packed four to a 64-bit integer, 16 bits each, so that one
gather and one addition serve four columns: 6 ns a key for 32 columns, where summing rows of float32 takes 38.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

_LANES = 4
_LANE_BITS = 16
_LANE_LIMIT = (1 << (_LANE_BITS - 1)) - 1
#: Weights are integers within ±WEIGHT_LIMIT.
WEIGHT_LIMIT = 127


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


def sum_rows(
    packed: IntArray, word_hash: npt.NDArray[np.uint64], word_line: IntArray, n_lines: int
) -> npt.NDArray[np.int32]:
    """Sum the rows of every span of every word of each line, exactly.

    A packed lane has room for so many words of the greatest weight; a longer line is summed in pieces of as many.

    Args:
        packed: Table from :func:`pack`, of shape (n_rows, n_packed), n_rows a power of two.
        word_hash: Hashes of the spans to look up. Shape (n_words, n_spans).
        word_line: Line of each word, ascending. Shape (n_words,).
        n_lines: Number of lines, those without words included.

    Returns:
        Shape (n_lines, 4 * n_packed).
    """
    sums = np.zeros((n_lines, _LANES * packed.shape[1]), np.int32)
    if len(word_line):
        begin = np.flatnonzero(np.diff(word_line, prepend=-1))
        most = _LANE_LIMIT // (word_hash.shape[1] * WEIGHT_LIMIT)
        pieces = -(-np.diff(begin, append=len(word_line)) // most)
        first_piece = np.cumsum(pieces) - pieces
        first_word = np.repeat(begin - most * first_piece, pieces) + most * np.arange(pieces.sum())
        of_word = packed.take(keys_of(word_hash[:, 0], len(packed)), axis=0, mode="clip")
        of_span = np.empty_like(of_word)
        for span in range(1, word_hash.shape[1]):
            packed.take(keys_of(word_hash[:, span], len(packed)), axis=0, mode="clip", out=of_span)
            of_word += of_span
        of_piece = unpack(np.add.reduceat(of_word, first_word, axis=0))
        if len(of_piece) > len(begin):
            of_piece = np.add.reduceat(of_piece, first_piece, axis=0)
        sums[word_line[begin]] = of_piece
    return sums


def quantise(weights: npt.NDArray[Any], limit: int = WEIGHT_LIMIT) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Integers within ±``limit`` and the step of each column, so that ``integers * step`` is near ``weights``.

    The largest thousandth of a column is clipped: one stray weight would coarsen all others.
    """
    step = np.maximum(np.quantile(np.abs(weights), 0.999, axis=0) / limit, 1e-12).astype(np.float32)
    return np.clip(np.rint(weights / step), -limit, limit).astype(np.int8), step
