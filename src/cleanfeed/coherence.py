"""Topic coherence: does a line share words, or the meaning of its words, with the rest of its document?

Two measures stand side by side, since each is blind where the other sees: rare word stems shared with the article
(names, terms), and the cosine between static embeddings distilled from a multilingual sentence encoder, which knows
that a club's name belongs to football.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.segments import Segments

IntArray = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]

#: Buckets per word of a document in which stems are counted: at 8, one stem in eight meets a stranger.
_BUCKETS_PER_WORD = 8


class StemPool(NamedTuple):
    """Where each stem of a block is counted: a bucket of its document."""

    bucket: IntArray
    """Bucket of each word, among those that hold one. Shape (n_words,)."""
    n_buckets: int
    line: IntArray
    """Line of each word. Shape (n_words,)."""
    rarity: Floats
    """How much sharing the word tells, 0 to 1: inverse document frequency in the training data. Shape (n_words,)."""
    total: Floats
    """Sum of the rarity of the words of each line. Shape (n_lines,)."""


def pool_stems(
    stem: npt.NDArray[np.uint64], word_line: IntArray, rarity: npt.NDArray[np.float32], segments: Segments
) -> StemPool:
    """Assign each word's stem to a bucket of its document; the number of buckets grows with the document."""
    text = segments.segment.take(word_line)
    words = np.bincount(text, minlength=len(segments.begin))
    size = 1 << np.ceil(np.log2(np.maximum(words, 1) * _BUCKETS_PER_WORD)).astype(np.int64)
    offset = np.cumsum(size) - size
    bucket = (stem >> np.uint64(20)).view(np.int64) & (size - 1).take(text)
    bucket += offset.take(text)
    # Nine buckets in ten stay empty. The others are numbered anew, so that what is counted in them is small.
    filled = np.zeros(int(size.sum()), np.bool_)
    filled[bucket] = True
    occupied = np.flatnonzero(filled)
    number = np.empty(len(filled), np.int64)  # read only where it is written to in the next line
    number[occupied] = np.arange(len(occupied))
    weight = rarity.astype(np.float64)
    total: Floats = np.bincount(word_line, weight, minlength=segments.n_lines)
    return StemPool(number.take(bucket), len(occupied), word_line, weight, total)


def shared_stems(pool: StemPool, in_pool: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Rarity-weighted share of a line's stems that other lines of a pool hold, and the rarity they sum to.

    Args:
        pool: Stems of the block.
        in_pool: Whether a line lends its stems. Shape (n_lines,).

    Returns:
        Share, 0 to 1, and sum; both of shape (n_lines,), float64.
    """
    lends = in_pool.take(pool.line)
    counts = np.bincount(pool.bucket[lends], minlength=pool.n_buckets)
    # A line that lends does not answer to itself. A word it holds twice then counts as shared, rarely.
    found = counts.take(pool.bucket) > lends
    shared = np.bincount(pool.line, pool.rarity * found, minlength=len(pool.total))
    return shared / np.maximum(pool.total, 1e-6), shared


def unit(vectors: Floats) -> Floats:
    """Vectors of length one; a zero vector stays zero. Shape (n_dimensions, n_lines)."""
    return vectors / _length(vectors)


def _length(vectors: Floats) -> Floats:
    """Length of each vector, or next to nothing for the zero vector. Shape (n_lines,)."""
    return np.maximum(np.sqrt(_sum_dimensions(vectors * vectors)), 1e-6)


def cosine(units: Floats, vectors: Floats) -> Floats:
    """Cosine of each line's two vectors, the first ones of length one; 0 where either is the zero vector.

    Args:
        units: From :func:`unit`. Shape (n_dimensions, n_lines).
        vectors: Shape (n_dimensions, n_lines).
    """
    return _sum_dimensions(units * vectors) / _length(vectors)


def cosine_with_next(units: Floats, segments: Segments) -> Floats:
    """Cosine of each line's vector, of length one, with that of the line behind it. Shape (n_lines,)."""
    return _sum_dimensions(units * segments.shift(units, 1))


def centroid_of_others(vectors: Floats, weight: Floats, segments: Segments) -> Floats:
    """Weighted sum of the vectors of a line's document without the line itself. Shape (n_dimensions, n_lines)."""
    weighted = vectors * weight.astype(np.float32)
    sums = segments.spread(segments.total(weighted))
    sums -= weighted
    return sums


def _sum_dimensions(values: Floats) -> Floats:
    """Sum over dimensions, in an order of additions that is written here and not left to NumPy. Shape (n_lines,).

    Eight running sums, then their sum in pairs: no step waits long for the one before it.
    """
    if len(values) % 8 == 0:
        values = values.reshape(-1, 8, values.shape[1]).sum(axis=0)
    while len(values) % 2 == 0:
        values = values[::2] + values[1::2]
    return values.sum(axis=0)
