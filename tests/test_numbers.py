"""The arithmetic under the features: hashes, packed tables, sums within texts, exact networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanfeed.lexical import (
    PHRASE,
    keys_of,
    pack,
    quantise,
    rows_of_words,
    strongest,
    sum_words,
    unpack,
    words_of_lines,
)
from cleanfeed.lines import block_of
from cleanfeed.model import weighted_by_length
from cleanfeed.network import HIDDEN_STEP, INPUT_STEP, WEIGHT_STEP, Network, on_grid, settle
from cleanfeed.reading import EDGE_WORDS, edge_words
from cleanfeed.segments import Segments
from cleanfeed.tokens import HEAD, SPANS, TAIL, scan


def words_of(line: str) -> list[int]:
    """Hash of each word of a line."""
    block = block_of([line])
    return scan(block.codes, block.starts, block.ends).word_hash[:, 0].tolist()


def test_a_word_has_one_hash_wherever_it_stands() -> None:
    """The hash of a word does not depend on what is around it, on case, vowel signs, or joiners."""
    assert words_of("bridge")[0] == words_of("the old   Bridge, ")[2] == words_of("x" * 300 + " BRIDGE")[1]
    assert words_of("الكِتابُ") == words_of("الكتاب") == words_of("الكـــتاب")
    assert words_of("أحمد") == words_of("احمد")
    assert words_of("2024") == words_of("1999") != words_of("199")


def test_words_of_scripts_without_spaces() -> None:
    """Ideographs are read in pairs, Thai in pieces of four, and a run shares its pieces with a longer one."""
    assert len(words_of("漢字仮名")) == 4
    assert set(words_of("漢字仮名")[:3]) <= set(words_of("日本の漢字仮名交じり"))
    assert len(set(words_of("สวัสดี")) & set(words_of("คำว่าสวัสดีครับ"))) >= 3


def test_spans_see_through_prefixes() -> None:
    """A word with an article before it shares the hash of its end with the bare word."""
    block = block_of(["الصين", "بالصين"])
    read = scan(block.codes, block.starts, block.ends)
    last = SPANS.index("last 3")
    assert read.word_hash[0, last] == read.word_hash[1, last]


def test_long_lines_are_read_at_both_ends() -> None:
    """Of a long line the head and the tail are read, and no word spans the cut."""
    line = "a" * HEAD + "middle " * 500 + "b" * TAIL
    block = block_of([line])
    read = scan(block.codes, block.starts, block.ends)
    assert read.word_length.tolist() == [HEAD, TAIL]


def sum_rows(packed: np.ndarray, hashes: np.ndarray, n_words: np.ndarray) -> np.ndarray:
    """Rows of every span of every word of each line, summed."""
    return sum_words(rows_of_words(packed, hashes), words_of_lines(n_words), hashes.shape[1])


@given(st.integers(0, 2**32 - 1))
def test_packed_sums_are_sums(seed: int) -> None:
    """Rows summed four to an integer are the rows summed one by one."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-127, 128, (64, 8), dtype=np.int8)
    hashes = rng.integers(0, 1 << 63, (50, 3), dtype=np.uint64) << np.uint64(1)
    owner = np.sort(rng.integers(0, 9, 50))
    expected = np.zeros((10, 8), np.int64)
    np.add.at(expected, owner, rows[keys_of(hashes, 64)].sum(axis=1, dtype=np.int64))
    assert (sum_rows(pack(rows), hashes, np.bincount(owner, minlength=10)) == expected).all()
    assert (unpack(pack(rows)) == rows).all()


@given(st.lists(st.integers(0, 7), max_size=3), st.integers(0, 2**32 - 1))
def test_what_single_words_say_is_not_drowned(counts: list[int], seed: int) -> None:
    """The strongest word, the strongest four words in a row and the sum of what is positive, as a plain loop finds them."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-762, 763, (sum(counts), 4))
    owner = np.repeat(np.arange(len(counts)), counts)
    packed = (rows << (np.arange(4) * 16)).sum(axis=1, keepdims=True)
    word, phrase, positive = strongest(packed, words_of_lines(np.array(counts, np.int64)))
    for line in range(len(counts)):
        own = rows[owner == line]
        if len(own):
            ends = range(1, len(own) + 1)
            assert (word[line] == own.max(axis=0)).all()
            assert (phrase[line] == np.max([own[max(end - PHRASE, 0) : end].sum(axis=0) for end in ends], axis=0)).all()
            assert (positive[line] == np.maximum(own, 0).sum(axis=0)).all()
        else:
            assert not word[line].any() and not phrase[line].any() and not positive[line].any()


@pytest.mark.parametrize("weight", [-127, 127])
@pytest.mark.parametrize("n_words", [43, 44, 86, 512])
def test_packed_sums_of_one_word_again_and_again_are_sums(weight: int, n_words: int) -> None:
    """A line of the greatest weights only does not run over into the next column, nor into the line beside it."""
    rows = np.full((16, 4), weight, np.int8)
    rows[:, 2] = 1
    hashes = np.zeros((2 * n_words, 6), np.uint64)
    owner = np.repeat([0, 2], n_words)
    sums = sum_rows(pack(rows), hashes, np.bincount(owner, minlength=3))
    assert sums.tolist() == [[6 * n_words * value for value in (weight, weight, 1, weight)] if line != 1 else [0] * 4 for line in range(3)]


def test_quantise_keeps_what_is_not_extreme() -> None:
    """Quantised weights are within half a step of the weights."""
    weights = np.random.default_rng(0).normal(size=(5000, 4))
    integers, step = quantise(weights)
    near = np.abs(weights) < 2.5
    assert np.abs(integers * step - weights)[near].max() <= step.max() / 2 + 1e-6


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.data())
def test_segments_do_not_see_each_other(counts: list[int], data: st.DataObject) -> None:
    """Shifts, windows and running sums of a text are the same whatever stands beside it."""
    owner = np.repeat(np.arange(len(counts)), counts)
    values = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=len(owner), max_size=len(owner))))
    marks = values > 3
    whole = Segments(owner)
    for text in range(len(counts)):
        rows = owner == text
        alone = Segments(np.zeros(rows.sum(), np.int64))
        for by in (-2, -1, 1, 2):
            assert (whole.shift(values, by)[rows] == alone.shift(values[rows], by)).all()
        assert (whole.before(values)[rows] == alone.before(values[rows])).all()
        for there, here in zip(whole.beside(values, 2), alone.beside(values[rows], 2), strict=True):
            assert (there[rows] == here).all()
        assert (whole.since(marks)[rows] == alone.since(marks[rows])).all()
        assert (whole.until(marks)[rows] == alone.until(marks[rows])).all()


def test_since_and_until() -> None:
    """Distances run to the nearest mark on either side, and past the end of the text where there is none."""
    segments = Segments(np.zeros(5, np.int64))
    marks = np.array([False, True, False, False, True])
    assert segments.since(marks).tolist() == [1, 2, 1, 2, 3]
    assert segments.until(marks).tolist() == [1, 3, 2, 1, 1]


@given(st.integers(0, 2**32 - 1))
def test_networks_are_exact(seed: int) -> None:
    """A line's scores are the same to the last bit alone, in a batch, and with the features in another order."""
    rng = np.random.default_rng(seed)
    weights, biases = settle([rng.normal(size=(30, 8)), rng.normal(size=(8, 4))], [rng.normal(size=8), rng.normal(size=4)])
    network = Network(np.zeros(30, np.float32), np.ones(30, np.float32), weights, biases)
    inputs = network.inputs(rng.normal(scale=3, size=(30, 200)).astype(np.float32))
    together = network.logits(inputs)
    alone = np.concatenate([network.logits(inputs[line : line + 1]) for line in range(200)])
    order = rng.permutation(30)
    shuffled = network._replace(weights=[weights[0][order], weights[1]]).logits(inputs[:, order])
    assert (together == alone).all() and (together == shuffled).all()


def test_the_grids_leave_room() -> None:
    """The widest sum a network can form fits the 53 bits of a float64."""
    first = (8 / INPUT_STEP) * (16 / WEIGHT_STEP) * 512
    second = (4096 / HIDDEN_STEP) * (16 / WEIGHT_STEP) * 128
    assert first < 2**53 and second < 2**53
    assert on_grid(np.array([0.3]), WEIGHT_STEP)[0] == round(0.3 / WEIGHT_STEP) * WEIGHT_STEP


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_edge_words_are_the_first_and_the_last_of_each_line(counts: list[int]) -> None:
    """Of every line up to three words from either end; of a short one all, in both."""
    n_words = np.array(counts)
    first, last = edge_words(n_words)
    ends = np.cumsum(n_words)
    assert first.tolist() == [w for end, n in zip(ends, n_words, strict=True) for w in range(end - n, min(end, end - n + EDGE_WORDS))]
    assert last.tolist() == [w for end, n in zip(ends, n_words, strict=True) for w in range(max(end - n, end - EDGE_WORDS), end)]


@given(st.floats(0, 1), st.floats(0, 2000), st.floats(0, 2000))
def test_a_longer_line_needs_more_to_go(drop: float, one: float, other: float) -> None:
    """The score never rises with length, is the probability itself at 60 characters, and leaves certainty alone."""
    short, long = sorted((one, other))
    scores = weighted_by_length(np.full(3, drop), np.array([short, long, 60.0]))
    assert scores[0] >= scores[1] and 0 <= scores.min() and scores.max() <= 1
    assert scores[2] == pytest.approx(drop)
    assert weighted_by_length(np.array([0.0, 1.0]), np.array([long, long])).tolist() == [0, 1]
