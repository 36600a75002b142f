"""The reading of :mod:`cleanfeed.reading` as one compiled pass over the characters, where numba is installed.

NumPy reads a block in some forty passes, each over arrays that leave the cache. Here every line is read once, and what is
known of it stays in registers and a buffer of 4 kB. All sums are of whole numbers, so the result is the same to the bit.

Compiling takes seconds, once on a machine (numba keeps the code beside this file, or in the user's cache folder), and
loading what was compiled half a second: only blocks as full as `clean_many` makes them are worth it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cleanfeed.lexical import PHRASE, words_per_sum
from cleanfeed.tokens import HEAD, IDEOGRAPHS, MIX, MULTIPLIER, SPACED_WORD, SPANS, TAIL
from cleanfeed.unicode import CLASS, LIMIT

_SPACE, _INVISIBLE, _UPPER = CLASS["space"], CLASS["invisible"], CLASS["upper"]
_READ = HEAD + TAIL + 2  # a separator behind the head and one behind the tail
_LANE = np.int64(0x8000)
_LANES = np.int64(0x8000_8000_8000)
#: Words summed before the packed sums are unpacked.
_WORDS_PER_SUM = words_per_sum(len(SPANS))


@njit(cache=True, nogil=True)
def _mix(value: Any) -> Any:
    """:func:`cleanfeed.tokens.mix` of one value."""
    value = (value ^ (value >> np.uint64(32))) * MIX
    value = (value ^ (value >> np.uint64(32))) * MIX
    return value ^ (value >> np.uint64(32))


@njit(cache=True, nogil=True)
def _unpack(packed: Any, sums: Any) -> None:
    """Add the four lanes of a packed sum (:func:`cleanfeed.lexical.unpack`) to four columns."""
    lanes = packed + _LANES
    for lane in range(3):
        sums[lane] += ((lanes >> (16 * lane)) & 0xFFFF) - _LANE
    sums[3] += lanes >> 48


@njit(cache=True, nogil=True)
def _characters(codes: Any, start: Any, end: Any, classes: Any, value: Any, kind: Any, values: Any, histogram: Any) -> int:
    """Classes and values of the characters that are read of a line, head and tail each ended by a separator."""
    n = 0
    is_long = end - start > HEAD + TAIL
    for part in range(1 + is_long):
        first = end - TAIL if part else start
        last = start + HEAD if is_long and not part else end
        for at in range(first, last):
            code = min(codes[at], np.uint32(LIMIT))
            if classes[code] != _INVISIBLE:
                kind[n], values[n] = classes[code], value[code]
                histogram[kind[n]] += 1
                n += 1
        kind[n], values[n] = _SPACE, 0
        histogram[_SPACE] += 1
        n += 1
    return n


@njit(cache=True, nogil=True)
def _edges(kind: Any, n: int, edges: Any) -> None:
    """Classes of the outermost characters that are not white space."""
    first, last = 0, n - 1
    while first < n and kind[first] == _SPACE:
        first += 1
    if first == n:
        return
    while kind[last] == _SPACE:
        last -= 1
    second, last_but_one = min(first + 1, last), max(last - 1, first)
    while kind[second] == _SPACE:
        second += 1
    while kind[last_but_one] == _SPACE:
        last_but_one -= 1
    edges[0], edges[1], edges[2], edges[3] = kind[first], kind[second], kind[last_but_one], kind[last]


@njit(cache=True, nogil=True)
def _words(kind: Any, n: int, group: Any, begin: Any, stop: Any) -> int:
    """First character of each word and position behind its last; the number of words."""
    n_words = at = 0
    while at < n:
        way = group[kind[at]]
        end = at + 1
        while end < n and group[kind[end]] == way:
            end += 1
        if way == SPACED_WORD:
            begin[n_words], stop[n_words] = at, end
            n_words += 1
        elif way > SPACED_WORD:
            width = 2 if way == IDEOGRAPHS else 4
            for piece in range(at, end):
                begin[n_words], stop[n_words] = piece, min(piece + width, end)
                n_words += 1
        at = end
    return n_words


@njit(cache=True, nogil=True)
def _hash(values: Any, begin: int, stop: int) -> Any:
    """Polynomial hash of a span, the same wherever it stands."""
    total, power = np.uint64(0), np.uint64(1)
    for at in range(begin, stop):
        total += values[at] * power
        power *= MULTIPLIER
    return total


@njit(cache=True, nogil=True)
def _strongest(rows: Any, n_words: int, word: Any, phrase: Any, positive: Any) -> None:
    """Greatest sum of a word and of a phrase, and sum of what is positive, of each column (:func:`cleanfeed.lexical.strongest`)."""
    for column in range(4):
        running = 0
        for at in range(n_words):
            value = rows[at, column]
            running += value
            if at >= PHRASE:
                running -= rows[at - PHRASE, column]
            positive[column] += max(value, 0)
            if not at or value > word[column]:
                word[column] = value
            if not at or running > phrase[column]:
                phrase[column] = running


@njit(cache=True, nogil=True)
def read(
    codes: Any, starts: Any, ends: Any, constants: Any, tables: Any, edge_words: int,
    line_hash: Any, counts: Any, histogram: Any, edges: Any, sums: Any, strongest: Any, stem: Any, stem_line: Any,
) -> int:  # fmt: skip
    """Read lines that are not blank, and fill the arrays given for what is read.

    Args:
        codes: Code points. Shape (n_characters,), uint32.
        starts: First character of each line. Shape (n_lines,), int64.
        ends: Position behind its last. Shape (n_lines,), int64.
        constants: Class and value of each code point, and the way words of each class are cut.
        tables: Packed lexicon, tables of first and of last words, embedding.
        edge_words: Words at either end of a line that the tables of first and last words see.
        line_hash: Filled. Shape (n_lines,), uint64.
        counts: Words, capitalised words and characters of words; filled. Shape (3, n_lines), int64.
        histogram: Zeros; filled. Shape (n_lines, N_CLASSES), uint16.
        edges: Filled where anything but white space is read. Shape (n_lines, 4), uint8.
        sums: Zeros, one array for each table; filled. Shapes (n_lines, n_columns), int32.
        strongest: Zeros for the strongest word, the strongest phrase and the positive words; filled. Shape (3, n_lines, 4), int32.
        stem: Filled. Shape (at least the number of words,), uint64.
        stem_line: Filled. Shape (as ``stem``,), int64.

    Returns:
        Words of all lines together.
    """
    classes, value, group = constants
    lexicon, first_words, last_words, meaning = tables
    lexical_sums, first_sums, last_sums, meaning_sums = sums
    lexicon_shift = np.uint64(64 - np.rint(np.log2(len(lexicon))))
    edge_shift = np.uint64(64 - np.rint(np.log2(len(first_words))))
    meaning_shift = np.uint64(64 - np.rint(np.log2(len(meaning))))
    n_packed = meaning.shape[1]
    kind, values = np.empty(_READ, np.uint8), np.empty(_READ, np.uint64)
    begin, stop = np.empty(_READ, np.int32), np.empty(_READ, np.int32)
    rows = np.empty((_READ, 4), np.int32)
    whole, means = np.zeros(_READ + 1, np.uint64), np.zeros(n_packed, np.int64)
    total = 0
    for line in range(len(starts)):
        n = _characters(codes, starts[line], ends[line], classes, value, kind, values, histogram[line])
        _edges(kind, n, edges[line])
        n_words = _words(kind, n, group, begin, stop)
        n_capitalised = n_characters = 0
        for word in range(n_words):
            n_capitalised += kind[begin[word]] == _UPPER
            n_characters += stop[word] - begin[word]
            whole[word] = _hash(values, begin[word], stop[word])
        whole[n_words] = 0  # what the last word's pair is made with
        counts[0, line], counts[1, line], counts[2, line] = n_words, n_capitalised, n_characters
        lexical = first = last = np.int64(0)
        of_line = np.uint64(0)
        for word in range(n_words):
            at, end = begin[word], stop[word]
            short = 1 if group[kind[at]] == IDEOGRAPHS else 3
            hash_0 = _mix(whole[word])
            hash_1 = _mix(_hash(values, at, min(at + short, end)) + MIX)
            hash_2 = _mix(_hash(values, at, min(at + 5, end)) + np.uint64(2) * MIX)
            hash_3 = _mix(_hash(values, max(end - short, at), end) + np.uint64(3) * MIX)
            hash_4 = _mix(_hash(values, max(end - 5, at), end) + np.uint64(4) * MIX)
            hash_5 = _mix(whole[word] * MULTIPLIER + whole[word + 1] + np.uint64(5) * MIX)
            of_word = (
                lexicon[hash_0 >> lexicon_shift, 0] + lexicon[hash_1 >> lexicon_shift, 0] + lexicon[hash_2 >> lexicon_shift, 0]
                + lexicon[hash_3 >> lexicon_shift, 0] + lexicon[hash_4 >> lexicon_shift, 0] + lexicon[hash_5 >> lexicon_shift, 0]
            )  # fmt: skip
            rows[word] = 0
            _unpack(of_word, rows[word])
            lexical += of_word
            for column in range(n_packed):
                means[column] += (
                    meaning[hash_0 >> meaning_shift, column] + meaning[hash_1 >> meaning_shift, column]
                    + meaning[hash_2 >> meaning_shift, column] + meaning[hash_3 >> meaning_shift, column]
                    + meaning[hash_4 >> meaning_shift, column]
                )  # fmt: skip
            edge_0, edge_2, edge_5 = hash_0 >> edge_shift, hash_2 >> edge_shift, hash_5 >> edge_shift
            if word < edge_words:
                first += first_words[edge_0, 0] + first_words[edge_2, 0] + first_words[edge_5, 0]
            if word >= n_words - edge_words:
                last += last_words[edge_0, 0] + last_words[edge_2, 0] + last_words[edge_5, 0]
            of_line += hash_0 * np.uint64(2 * word + 1)
            stem[total], stem_line[total] = hash_2, line
            total += 1
            if word % _WORDS_PER_SUM == _WORDS_PER_SUM - 1 or word == n_words - 1:
                _unpack(lexical, lexical_sums[line])
                lexical = np.int64(0)
                for column in range(n_packed):
                    _unpack(means[column], meaning_sums[line, 4 * column :])
                    means[column] = 0
        _strongest(rows, n_words, strongest[0, line], strongest[1, line], strongest[2, line])
        _unpack(first, first_sums[line])
        _unpack(last, last_sums[line])
        line_hash[line] = _mix(of_line)
    return total
