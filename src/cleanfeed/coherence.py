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
    """Bucket of each word. Shape (n_words,)."""
    n_buckets: int
    line: IntArray
    """Line of each word. Shape (n_words,)."""
    rarity: npt.NDArray[np.float32]
    """How much sharing the word tells, 0 to 1: inverse document frequency in the training data. Shape (n_words,)."""


def pool_stems(
    stem: npt.NDArray[np.uint64], word_line: IntArray, rarity: npt.NDArray[np.float32], segments: Segments
) -> StemPool:
    """Assign each word's stem to a bucket of its document; the number of buckets grows with the document."""
    text = segments.segment.take(word_line)
    words = np.bincount(text, minlength=len(segments.begin))
    size = 1 << np.ceil(np.log2(np.maximum(words, 1) * _BUCKETS_PER_WORD)).astype(np.int64)
    offset = np.cumsum(size) - size
    within = (stem >> np.uint64(20)).astype(np.int64) & (size - 1).take(text)
    return StemPool(offset.take(text) + within, int(size.sum()), word_line, rarity)


def shared_stems(pool: StemPool, in_pool: npt.NDArray[np.bool_], n_lines: int) -> tuple[Floats, Floats]:
    """Rarity-weighted share of a line's stems that other lines of a pool hold, and the rarity they sum to.

    Args:
        pool: Stems of the block.
        in_pool: Whether a line lends its stems. Shape (n_lines,).
        n_lines: Number of lines.

    Returns:
        Share, 0 to 1, and sum; both of shape (n_lines,), float64.
    """
    lends = in_pool.take(pool.line)
    counts = np.bincount(pool.bucket[lends], minlength=pool.n_buckets)
    # A line that lends does not answer to itself. A word it holds twice then counts as shared, rarely.
    found = (counts.take(pool.bucket) - lends) > 0
    weight = pool.rarity.astype(np.float64)
    shared = np.bincount(pool.line, weight * found, minlength=n_lines)
    total = np.bincount(pool.line, weight, minlength=n_lines)
    return shared / np.maximum(total, 1e-6), shared


def unit(vectors: Floats) -> Floats:
    """Vectors of length one; a zero vector stays zero."""
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    return vectors / np.maximum(length, 1e-6)


def cosine(left: Floats, right: Floats) -> Floats:
    """Row-wise cosine, 0 where either is the zero vector. Shape (n_lines,)."""
    return (unit(left) * unit(right)).sum(axis=1)


def centroid_of_others(vectors: Floats, weight: Floats, segments: Segments) -> Floats:
    """Weighted sum of the vectors of a line's document without the line itself. Shape (n_lines, n_dimensions)."""
    weighted = vectors * weight[:, None]
    return segments.spread(segments.total(weighted)) - weighted
