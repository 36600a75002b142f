"""Features: the lines of a block of texts set beside each other, as a matrix of named numbers.

:mod:`cleanfeed.reading` has looked at each line alone; here come its form and words, its position, coherence and repetition.
All else about the lines around is for :mod:`cleanfeed.network` to see.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed import coherence
from cleanfeed.lexical import keys_of
from cleanfeed.reading import EDGE_WORDS, LEXICAL, Lines, WordTables
from cleanfeed.segments import Segments
from cleanfeed.unicode import CLASS, N_CLASSES, SCRIPTS

IntArray = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
Columns = dict[str, Floats]

#: Characters of a Latin-script text that carry as much as one ideograph, which is half a word; a Thai or Burmese letter is a
#: letter. Interface strings are 2.9 times as long in English as in Chinese (median of 773); a little less is taken.
_IDEOGRAPH_WEIGHT = 2.5
#: From this effective length on a line is a paragraph whatever it holds; from the second on if a sentence ends in it.
_PARAGRAPH, _SENTENCE = 150, 70
_SHARES = (
    "digit", "upper", "quote", "bracket", "dash", "comma", "colon", "stop", "exclamation", "question", "ellipsis",
    "bullet", "arrow", "bar", "link", "symbol", "emoji", "space", "legal", "other",
)  # fmt: skip
_FIRST_GROUPS = {
    "bullet": ("bullet", "dash", "arrow"), "digit": ("digit",), "quote": ("quote", "bracket"), "upper": ("upper",),
    "mark": ("link", "bar", "symbol", "emoji", "legal"),
}  # fmt: skip
_LAST_GROUPS = {
    "stop": ("stop",), "question": ("question",), "exclamation": ("exclamation",), "ellipsis": ("ellipsis",),
    "colon": ("colon",), "quote": ("quote",), "bracket": ("bracket",), "bar": ("bar",), "digit": ("digit",),
    "comma": ("comma", "dash"), "arrow": ("arrow", "link", "symbol", "emoji", "bullet"),
}  # fmt: skip


def _membership(groups: Iterable[tuple[str, ...]]) -> npt.NDArray[np.bool_]:
    """Whether a class belongs to a group. Shape (n_groups, N_CLASSES)."""
    return np.array([[number in [CLASS[name] for name in names] for number in range(N_CLASSES)] for names in groups])


_BEGINS = _membership(_FIRST_GROUPS.values())
_ENDS = _membership([*_LAST_GROUPS.values(), ("stop", "question", "exclamation", "ellipsis")])
_SHARED_CLASSES = [CLASS[name] for name in _SHARES]
_CASED = [CLASS[name] for name in ("latin", "cyrillic", "greek", "upper")]


def _form(lines: Lines) -> Columns:
    """Length, punctuation, case, and how the line begins and ends."""
    histogram = lines.histogram
    read = np.maximum(histogram.T.sum(axis=0), 1)
    words = np.maximum(lines.n_words, 1)
    ideographs = histogram[:, CLASS["ideograph"]]
    effective = lines.length * (1 + (_IDEOGRAPH_WEIGHT - 1) * ideographs / read)
    columns: Columns = {
        "log length": np.log1p(effective),
        "log words": np.log1p(lines.n_words),
        "word length": np.minimum(lines.word_characters / words, 20.0),
        "log stops": np.log1p(histogram[:, CLASS["stop"]]),
        "log commas": np.log1p(histogram[:, CLASS["comma"]]),
        "log digits": np.log1p(histogram[:, CLASS["digit"]]),
    }
    shares = np.sqrt(histogram.T[_SHARED_CLASSES] / read)
    columns |= {f"share of {name}": share for name, share in zip(_SHARES, shares, strict=True)}
    begins = _BEGINS.take(lines.edges[:, 0], axis=1)
    columns |= {f"begins with {name}": column for name, column in zip(_FIRST_GROUPS, begins, strict=True)}
    ends = _ENDS[:-1].take(lines.edges[:, 3], axis=1)
    columns |= {f"ends with {name}": column for name, column in zip(_LAST_GROUPS, ends, strict=True)}
    stops = _ENDS[-1].take(lines.edges[:, 2])
    columns["ends with quoted stop"] = (columns["ends with quote"] | columns["ends with bracket"]) & stops
    columns["ends with several stops"] = columns["ends with stop"] & stops
    columns["ends a sentence"] = (
        columns["ends with stop"] | columns["ends with question"] | columns["ends with exclamation"]
        | columns["ends with quoted stop"] | columns["ends with ellipsis"]
    )  # fmt: skip
    columns["capitalised words"] = lines.n_capitalised / words
    columns["cased script"] = histogram.T[_CASED].sum(axis=0) / read
    columns["unspaced script"] = (ideographs + histogram[:, CLASS["unspaced"]]) / read
    columns["effective length"] = effective
    return columns


def _words(lines: Lines, units: Floats) -> Columns:
    """What the words say by themselves: lexical scores and the meaning of the line."""
    keys = np.maximum(lines.n_words, 1)
    lexical = lines.lexical.T
    columns: Columns = {f"words say {name}": mean for name, mean in zip(LEXICAL, lexical / keys, strict=True)}
    columns |= {f"words insist on {name}": sums for name, sums in zip(LEXICAL, lexical / np.sqrt(keys), strict=True)}
    columns |= {f"strongest word says {name}": column for name, column in zip(LEXICAL, lines.strongest_word.T, strict=True)}
    columns |= {f"strongest phrase says {name}": column for name, column in zip(LEXICAL, lines.strongest_phrase.T, strict=True)}
    positive = lines.positive_words.T / np.sqrt(keys)
    columns |= {f"positive words insist on {name}": column for name, column in zip(LEXICAL, positive, strict=True)}
    at_edge = np.sqrt(np.minimum(keys, EDGE_WORDS))
    for place, sums in (("first", lines.first_words), ("last", lines.last_words)):
        columns |= {f"{place} words say {name}": column for name, column in zip(LEXICAL, sums.T / at_edge, strict=True)}
    columns |= {f"meaning {number}": column for number, column in enumerate(units)}
    return columns


def _coherence(
    lines: Lines, units: Floats, pool: coherence.StemPool, form: Columns, long: npt.NDArray[np.bool_], seg: Segments
) -> Columns:
    """Shared stems and cosines with the paragraphs, the opening, the neighbours."""
    weight = np.minimum(form["effective length"], 400.0)
    opening = seg.rank < 3
    columns: Columns = {}
    for name, members in (("paragraphs", long), ("opening", opening), ("all lines", np.ones(seg.n_lines, np.bool_))):
        share, total = coherence.shared_stems(pool, members)
        columns[f"stems shared with {name}"] = share
        columns[f"sum of stems shared with {name}"] = np.log1p(total)
    for name, share in (
        ("paragraphs", weight * long), ("opening", weight * opening), ("all lines", np.minimum(weight, 100.0)),
    ):  # fmt: skip
        centroid = coherence.centroid_of_others(lines.meaning.T, share, seg)
        columns[f"meaning like {name}"] = coherence.cosine(units, centroid)
    behind = coherence.cosine_with_next(units, seg)
    columns["meaning like line -1"] = seg.shift(behind, -1)
    columns["meaning like line +1"] = behind
    columns["log repeats in document"] = np.log1p(_repeats(lines.line_hash, seg))
    columns["opening again"] = _opening_again(lines.line_hash, seg)
    return columns


def _repeats(line_hash: npt.NDArray[np.uint64], seg: Segments) -> IntArray:
    """How many other lines of the same text have the same words. Shape (n_lines,)."""
    keyed = line_hash + seg.segment.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    _, inverse, counts = np.unique(keyed, return_inverse=True, return_counts=True)
    return (counts[inverse] - 1) * (line_hash != 0)


def _opening_again(line_hash: npt.NDArray[np.uint64], seg: Segments) -> npt.NDArray[np.bool_]:
    """Whether the line repeats the first line of its text."""
    return (line_hash == seg.spread(line_hash[seg.begin])) & (seg.rank > 0) & (line_hash != 0)


def _position(form: Columns, long: npt.NDArray[np.bool_], seg: Segments) -> Columns:
    """Where the line stands, and where the paragraphs stand from it."""
    count = seg.spread(seg.counts)
    length = np.minimum(form["effective length"], 1000.0).astype(np.int64)
    characters = np.maximum(seg.spread(seg.total(length)), 1)
    before = seg.before(length)
    n_long = seg.spread(seg.total(long.astype(np.int64)))
    long_before = seg.before(long.astype(np.int64))
    long_behind = n_long - long_before - long
    since, until = seg.since(long), seg.until(long)
    return {
        "log lines before": np.log1p(seg.rank),
        "log lines behind": np.log1p(seg.rank_from_end),
        "lines before": seg.rank / count,
        "characters before": before / characters,
        "characters behind": (characters - before - length) / characters,
        "is paragraph": long,
        "log paragraphs before": np.log1p(long_before),
        "log paragraphs behind": np.log1p(long_behind),
        "paragraphs before": long_before / np.maximum(n_long, 1),
        "before the first paragraph": (long_before == 0) & ~long,
        "behind the last paragraph": (long_behind == 0) & ~long,
        "log since paragraph": np.log1p(since),
        "log until paragraph": np.log1p(until),
        "log run between paragraphs": np.log1p((since + until) * ~long),
        "log read behind last paragraph": np.log1p(np.where(long_behind == 0, since, 0)),
    }


def _page(columns: Columns, seg: Segments) -> Columns:
    """How long the document is, and how much of it stands in paragraphs; what else it is the network sees."""
    characters = seg.total(columns["effective length"])
    in_paragraphs = seg.total(columns["effective length"] * columns["is paragraph"])
    return {
        "log lines of page": np.log1p(seg.spread(seg.counts)),
        "log characters of page": np.log1p(seg.spread(characters)),
        "page in paragraphs": seg.spread(in_paragraphs / np.maximum(characters, 1)),
    }


def _alike(columns: Columns, lines: Lines, seg: Segments) -> Columns:
    """Whether the lines beside begin and end as the line does, and how far their lengths are from its own.

    A convolution could not compare them. What the lines beside are, and their means over the page, are not among the features:
    without these 125 columns the network had a mean junk F1 of 0.791, with them 0.780 (models/EXPERIMENTS.md).
    """
    beside: Columns = {}
    first, last, length = lines.edges[:, 0], lines.edges[:, 3], columns["log length"]
    for by in (-1, 1):
        beside[f"line {by:+d}: begins alike"] = first == seg.shift(first, by, 255)
        beside[f"line {by:+d}: ends alike"] = last == seg.shift(last, by, 255)
        beside[f"line {by:+d}: length apart"] = np.abs(length - seg.shift(length, by))
    return beside


def _script_apart(lines: Lines, seg: Segments) -> Floats:
    """Share of the line's letters that are not of the document's main script. Shape (n_lines,)."""
    letters = lines.histogram.T[[CLASS[name] for name in SCRIPTS]].astype(np.int64)
    letters[0] += lines.histogram[:, CLASS["upper"]]  # nearly always Latin where it is not Cyrillic or Greek
    main = seg.spread(seg.total(letters).argmax(axis=0))
    total = np.maximum(letters.sum(axis=0), 1)
    return 1 - letters[main, np.arange(seg.n_lines)] / total


class Described(NamedTuple):
    """The matrix of a block and what the decision reads besides."""

    matrix: npt.NDArray[np.float32]
    """Shape (n_features, n_lines)."""
    names: list[str]
    """Name of each row of the matrix."""
    columns: Columns
    segments: Segments


def document_features(lines: Lines, text_of_line: IntArray, tables: WordTables) -> Described:
    """Describe each line within its document.

    Args:
        lines: From :func:`read_lines`.
        text_of_line: Index of the text of each of these lines, ascending. Shape (n_lines,).
        tables: Word tables of the model.
    """
    seg = Segments(text_of_line)
    columns = _form(lines)
    effective = columns["effective length"]
    long = (effective >= _PARAGRAPH) | ((effective >= _SENTENCE) & (lines.histogram[:, CLASS["stop"]] > 0))
    units = coherence.unit(lines.meaning.T)
    columns |= _words(lines, units)
    rarity = tables.rarity.take(keys_of(lines.stem, len(tables.rarity)))
    pool = coherence.pool_stems(lines.stem, lines.stem_line, rarity, seg)
    columns |= _coherence(lines, units, pool, columns, long, seg)
    columns["script apart"] = _script_apart(lines, seg)
    columns |= _position(columns, long, seg)
    columns |= _page(columns, seg)
    columns |= _alike(columns, lines, seg)
    names = [name for name in columns if name != "effective length"]
    matrix = np.concatenate([columns[name] for name in names], dtype=np.float32, casting="same_kind").reshape(len(names), -1)
    return Described(matrix, names, columns, seg)
