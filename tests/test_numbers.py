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
from cleanfeed.model import find, weighted_by_length
from cleanfeed.network import (
    INPUT_STEP,
    LINES_AT_MOST,
    STEP,
    Convolution,
    Layer,
    Member,
    Network,
    Surroundings,
    whole_numbers,
)  # fmt: skip
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
        assert (whole.since(marks)[rows] == alone.since(marks[rows])).all()
        assert (whole.until(marks)[rows] == alone.until(marks[rows])).all()


def test_since_and_until() -> None:
    """Distances run to the nearest mark on either side, and past the end of the text where there is none."""
    segments = Segments(np.zeros(5, np.int64))
    marks = np.array([False, True, False, False, True])
    assert segments.since(marks).tolist() == [1, 2, 1, 2, 3]
    assert segments.until(marks).tolist() == [1, 3, 2, 1, 1]


def made_up_network(rng: np.random.Generator, *, features: int, width: int, summary: int) -> Network:
    """A network of random weights with two convolutions."""

    def layer(n_in: int, n_out: int, step_in: float, step_out: float) -> Layer:
        return whole_numbers(rng.normal(size=(n_in, n_out)), rng.normal(size=n_out), step_in=step_in, step_out=step_out)

    convolutions = tuple(
        Convolution(layer(width, summary, STEP, STEP), layer(6 * summary, width, STEP, STEP), dilation) for dilation in (1, 3)
    )
    members = tuple(Member(layer(features, width, INPUT_STEP, STEP), convolutions, layer(width, 4, STEP, 1.0)) for _ in range(2))
    return Network(np.zeros(features, np.float32), np.ones(features, np.float32), members)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 40), min_size=2, max_size=8))
def test_networks_are_exact(seed: int, counts: list[int]) -> None:
    """A line's scores are the same to the last bit with its document alone, in a batch, and with the features in another order."""
    rng = np.random.default_rng(seed)
    network = made_up_network(rng, features=30, width=16, summary=5)
    segments = Segments(np.repeat(np.arange(len(counts)), counts))
    inputs = network.inputs(rng.normal(scale=3, size=(30, segments.n_lines)).astype(np.float32))
    together = network.logits(inputs, segments)
    alone = [
        network.logits(inputs[first : first + n], Segments(np.zeros(n, np.int64)))
        for first, n in zip(segments.begin, counts, strict=True)
    ]
    order = rng.permutation(30)
    members = [
        member._replace(encoder=member.encoder._replace(weight=member.encoder.weight[order])) for member in network.members
    ]
    shuffled = network._replace(members=tuple(members))
    assert (together == np.concatenate(alone)).all()
    assert (together == shuffled.logits(inputs[:, order], segments)).all()


def test_the_bundled_network_is_exact_where_it_is_cut() -> None:
    """Documents that fill stacks of a product, or pass alone, score in a batch as by themselves."""
    network, counts = find("default").network, [1, 700, 1, 1024, 1025, 3000, 2]
    segments = Segments(np.repeat(np.arange(len(counts)), counts))
    matrix = np.random.default_rng(0).normal(scale=2, size=(len(network.centre), segments.n_lines)) / network.scale[:, None]
    inputs = network.inputs(matrix.astype(np.float32))
    together = network.logits(inputs, segments)
    for first, n in zip(segments.begin, counts, strict=True):
        rows = slice(first, first + n)
        assert (network.logits(inputs[rows], Segments(np.zeros(n, np.int64))) == together[rows]).all()


def test_documents_too_long_to_add_up_are_refused() -> None:
    """Sums of more lines than float32 can hold exactly are not formed."""
    network = made_up_network(np.random.default_rng(0), features=3, width=4, summary=2)
    with pytest.raises(ValueError, match="not exact"):
        network.logits(np.zeros((LINES_AT_MOST + 1, 3), np.float32), Segments(np.zeros(LINES_AT_MOST + 1, np.int64)))


def test_what_stands_around_a_line() -> None:
    """Lines at the distance and the means of the document, before and behind; past the ends zeros, of other texts nothing."""
    found = Surroundings(Segments(np.array([0, 0, 0, 1])))(np.array([[[2.0], [4], [9], [7]]], np.float32), 1)
    assert found.tolist() == [[[0, 2, 4, 5, 0, 6], [2, 4, 9, 5, 2, 9], [4, 9, 0, 5, 3, 0], [0, 7, 0, 7, 0, 0]]]


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
