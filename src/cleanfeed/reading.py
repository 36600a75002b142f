"""Reading: what each line of a block of texts says by itself, whatever stands beside it.

Lines are read piece by piece, so that working memory is bounded by the piece and not by
the text. :mod:`cleanfeed.features` sets the lines beside each other afterwards. Blank lines are taken out before and
have no influence: extractors disagree on them.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.lexical import rows_of_words, strongest, sum_words, words_of_lines
from cleanfeed.lines import Block
from cleanfeed.tokens import EDGE_SPANS, HEAD, PIECE, SPANS, STEM, TAIL, Scan, constants, scan
from cleanfeed.unicode import CLASS, N_CLASSES, tables

IntArray = npt.NDArray[np.int64]

#: Columns of the lexical tables: log-odds of the label against all others, summed over words.
LEXICAL = ("junk", "teaser", "boilerplate", "meta")
#: Words at either end of a line that are read once more by tables of their own: "Read also: …", "… continue reading".
EDGE_WORDS = 3
#: Characters of a block from which the compiled pass reads it, if numba is installed: a quarter of what `clean_many` puts together.
#: A single page never waits for numba to load, which takes half a second; once loaded it reads single pages as well.
_WORTH_COMPILING = 1 << 17


class WordTables(NamedTuple):
    """The tables that turn words into numbers; part of the model."""

    lexicon: IntArray
    """Packed lexical weights, see :mod:`cleanfeed.lexical`. Shape (n_rows, 1)."""
    lexicon_step: npt.NDArray[np.float32]
    """Log-odds per unit. Shape (4,)."""
    edges: tuple[IntArray, IntArray]
    """Packed lexical weights of the first and of the last words of a line. Shapes (n_rows, 1)."""
    edge_steps: npt.NDArray[np.float32]
    """Log-odds per unit in each. Shape (2, 4)."""
    meaning: IntArray
    """Packed embedding. Shape (n_rows, n_dimensions / 4)."""
    meaning_step: npt.NDArray[np.float32]
    """Scale of each dimension. Shape (n_dimensions,)."""
    rarity: npt.NDArray[np.float32]
    """Rarity of a stem, 0 to 1. Shape (n_rows,)."""


class Lines(NamedTuple):
    """What was read of each line of a block by itself. All arrays have ``n_lines`` rows.

    Matrices lie column by column in memory, since they are worked on by column.
    """

    histogram: npt.NDArray[np.uint16]
    edges: npt.NDArray[np.uint8]
    line_hash: npt.NDArray[np.uint64]
    length: IntArray
    n_words: IntArray
    n_capitalised: IntArray
    word_characters: IntArray
    lexical: npt.NDArray[np.float32]
    strongest_word: npt.NDArray[np.float32]
    strongest_phrase: npt.NDArray[np.float32]
    positive_words: npt.NDArray[np.float32]
    first_words: npt.NDArray[np.float32]
    last_words: npt.NDArray[np.float32]
    meaning: npt.NDArray[np.float32]
    stem: npt.NDArray[np.uint64]
    """Hash of each word's stem. Shape (n_words,)."""
    stem_line: IntArray
    """Line of each word. Shape (n_words,)."""


def inked_lines(block: Block) -> IntArray:
    """Indices of the lines of a block that hold anything but white space. Shape (n_inked,)."""
    filled = np.flatnonzero(block.ends > block.starts)
    if not len(filled):
        return filled
    classes = tables().classes
    is_inked = np.empty(len(block.codes), np.bool_)
    for first in range(0, len(block.codes), PIECE):
        kind = classes.take(block.codes[first : first + PIECE], mode="clip")
        is_inked[first : first + PIECE] = (kind != CLASS["space"]) & (kind != CLASS["invisible"])
    # Empty lines are left out, so every span here is real; the terminator behind a span is white space.
    some = np.logical_or.reduceat(is_inked, block.starts[filled])
    return filled[some]


def read_lines(block: Block, lines: IntArray, words: WordTables) -> Lines:
    """Read the chosen lines of a block; the compiled pass reads large blocks, where it can be had.

    Args:
        block: The texts.
        lines: Indices of lines of the block that are not blank, ascending; at least one.
        words: Word tables of the model.
    """
    worth_it = len(block.codes) >= _WORTH_COMPILING or "cleanfeed.compiled" in sys.modules
    if worth_it and (compiled := _compiled()):
        return read_compiled(compiled, block, lines, words)
    return read_in_pieces(block, lines, words)


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    """The compiled pass, or None without a numba that works."""
    try:
        from cleanfeed import compiled
    except (ImportError, RuntimeError):
        # Not installed, not made for this NumPy, or without any folder to keep what it compiles in.
        return None
    return compiled


def read_compiled(compiled: ModuleType, block: Block, lines: IntArray, words: WordTables) -> Lines:
    """What :func:`read_lines` gives, by :mod:`cleanfeed.compiled`."""
    starts, ends = block.starts[lines], block.ends[lines]
    n_lines, n_read = len(lines), int(np.minimum(ends - starts, HEAD + TAIL).sum())
    line_hash, counts = np.empty(n_lines, np.uint64), np.empty((3, n_lines), np.int64)
    histogram = np.zeros((n_lines, N_CLASSES), np.uint16)
    edges = np.full((n_lines, 4), CLASS["space"], np.uint8)
    by_word = (words.lexicon, *words.edges, words.meaning)
    sums = tuple(np.zeros((n_lines, 4 * table.shape[1]), np.int32) for table in by_word)
    strongest_of_line = np.zeros((3, n_lines, 4), np.int32)
    stem, stem_line = np.empty(n_read, np.uint64), np.empty(n_read, np.int64)
    known = constants()
    n_words = compiled.read(
        block.codes, starts, ends, (known.classes, known.value, known.group), by_word, EDGE_WORDS,
        line_hash, counts, histogram, edges, sums, strongest_of_line, stem, stem_line,
    )  # fmt: skip
    lexical, first_words, last_words, meaning = sums
    word, phrase, positive = strongest_of_line
    return Lines(
        np.asfortranarray(histogram), edges, line_hash, ends - starts, counts[0], counts[1], counts[2],
        _scaled(lexical, words.lexicon_step), _scaled(word, words.lexicon_step),
        _scaled(phrase, words.lexicon_step), _scaled(positive, words.lexicon_step),
        _scaled(first_words, words.edge_steps[0]), _scaled(last_words, words.edge_steps[1]),
        _scaled(meaning, words.meaning_step), stem[:n_words].copy(), stem_line[:n_words].copy(),
    )  # fmt: skip


def read_in_pieces(block: Block, lines: IntArray, words: WordTables) -> Lines:
    """What :func:`read_lines` gives, by NumPy: at most about :data:`~cleanfeed.tokens.PIECE` characters at a time."""
    starts, ends = block.starts[lines], block.ends[lines]
    shares = np.cumsum(np.minimum(ends - starts, HEAD + TAIL) + 2)
    cuts = np.searchsorted(shares, np.arange(PIECE, int(shares[-1]) + PIECE, PIECE))
    parts: list[Lines] = []
    first = 0
    for last in [*np.unique(cuts).tolist(), len(lines)]:
        if last > first:
            parts.append(_describe(scan(block.codes, starts[first:last], ends[first:last]), first, words))
        first = max(first, last)
    joined = parts[0] if len(parts) == 1 else Lines(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return joined._replace(length=ends - starts)


def edge_words(n_words: IntArray) -> tuple[IntArray, IntArray]:
    """Indices of the first and of the last :data:`EDGE_WORDS` words of each line, ascending.

    Args:
        n_words: Words of each line. Shape (n_lines,).
    """
    end = np.cumsum(n_words)[:, None]
    begin = end - n_words[:, None]
    first, last = begin + np.arange(EDGE_WORDS), end + np.arange(-EDGE_WORDS, 0)
    return first[first < end], last[last >= begin]


def _describe(read: Scan, first_line: int, tables: WordTables) -> Lines:
    n_lines = len(read.histogram)
    n_words = np.bincount(read.word_line, minlength=n_lines)
    words = words_of_lines(n_words)
    begins_upper = read.word_class == CLASS["upper"]
    of_word = rows_of_words(tables.lexicon, read.word_hash)
    word, phrase, positive = strongest(of_word, words)
    spans = read.word_hash[:, EDGE_SPANS]
    at_edge = words_of_lines(np.minimum(n_words, EDGE_WORDS))
    of_edge = [
        _scaled(sum_words(rows_of_words(table, spans.take(chosen, axis=0)), at_edge, len(EDGE_SPANS)), step)
        for table, step, chosen in zip(tables.edges, tables.edge_steps, edge_words(n_words), strict=True)
    ]
    meaning = sum_words(rows_of_words(tables.meaning, read.word_hash[:, :-1]), words, len(SPANS) - 1)
    return Lines(
        histogram=np.asfortranarray(read.histogram),
        edges=read.edges,
        line_hash=read.line_hash,
        length=n_words,
        n_words=n_words,
        n_capitalised=np.bincount(read.word_line[begins_upper], minlength=n_lines),
        word_characters=np.bincount(read.word_line, read.word_length, minlength=n_lines).astype(np.int64),
        lexical=_scaled(sum_words(of_word, words, len(SPANS)), tables.lexicon_step),
        strongest_word=_scaled(word, tables.lexicon_step),
        strongest_phrase=_scaled(phrase, tables.lexicon_step),
        positive_words=_scaled(positive, tables.lexicon_step),
        first_words=of_edge[0],
        last_words=of_edge[1],
        meaning=_scaled(meaning, tables.meaning_step),
        stem=np.ascontiguousarray(read.word_hash[:, STEM]),
        stem_line=read.word_line + first_line,
    )


def _scaled(sums: npt.NDArray[np.int32], step: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Sums of a table's rows in its own units, column by column in memory. Shape (n_lines, n_columns)."""
    return np.multiply(sums.T, step[:, None], order="C", dtype=np.float32).T
