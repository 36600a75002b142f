"""The laws of `clean`, each as a property of any text."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanfeed import LABELS, Cleaner, clean, explain
from strategies import text

ARTICLE = "\n".join(f"Paragraph {n}: the council met on Monday and agreed to repair the bridge over the river." for n in range(5))


def is_subsequence_of_lines(result: str, source: str) -> bool:
    """Whether ``result`` is made of lines of ``source``, terminators included, in order."""
    lines = explain(source)
    bounds = [*[line.start for line in lines], len(source)][1:]
    at = 0
    for line, end in zip(lines, bounds, strict=False):
        piece = source[line.start : end]
        if not line.dropped:
            assert result.startswith(piece, at)
            at += len(piece)
    return at == len(result)


@given(text)
def test_subset(source: str) -> None:
    """The result is made of lines of the input, verbatim, in order, terminators kept."""
    assert is_subsequence_of_lines(clean(source), source)


@given(text)
def test_total(source: str) -> None:
    """Any str is cleaned and explained, and every character belongs to a line or a terminator."""
    lines = explain(source)
    between = [source[a.end : b.start] for a, b in pairwise(lines)]
    assert set(between) <= {"\n", "\r\n", "\r"}
    assert all(line.label in (*LABELS, "blank") and 0 <= line.score <= 1 for line in lines)
    assert all(bool(line.reason) == (line.label != "blank") for line in lines)


@given(st.lists(text, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_deterministic_in_any_batch(sources: list[str], random: object) -> None:
    """A text gives the same result alone, in any batch and in any order, to the last bit of every score."""
    alone = [explain(source) for source in sources]
    assert list(Cleaner().explain_many(sources)) == alone
    order = list(range(len(sources)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = list(Cleaner().explain_many([sources[i] for i in order]))
    assert [shuffled[order.index(i)] for i in range(len(sources))] == alone
    assert list(Cleaner().clean_many(sources)) == [clean(source) for source in sources]


@given(text)
def test_blank_lines_have_no_influence(source: str) -> None:
    """Blank lines change no decision about the lines around them."""
    lines = [line for line in explain(source) if line.label != "blank"]
    spaced = "\n\n \n".join(source[line.start : line.end] for line in lines)
    again = [line for line in explain(spaced) if line.label != "blank"]
    assert [(line.label, line.score) for line in again] == [(line.label, line.score) for line in lines]


@given(text)
def test_a_blank_line_shares_the_fate_of_the_line_before(source: str) -> None:
    """Blank lines around a dropped run collapse to those that stood before it."""
    dropped = False
    for line in explain(source):
        if line.label == "blank":
            assert line.dropped == dropped
        dropped = line.dropped


@given(text.filter(lambda source: sum(line.label != "blank" for line in explain(source)) == 1))
def test_the_only_line_stays(source: str) -> None:
    """A text of one line that is not blank comes back whole."""
    assert clean(source, threshold=0.0) == source


@given(text, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_keeps_more(source: str, one: float, other: float) -> None:
    """What a lower threshold keeps, a higher one keeps as well."""
    low, high = sorted((one, other))
    kept_low = {line.start for line in explain(source, threshold=low) if not line.dropped}
    kept_high = {line.start for line in explain(source, threshold=high) if not line.dropped}
    assert kept_low <= kept_high


@given(text)
def test_nothing_to_drop(source: str) -> None:
    """With no label to drop the text comes back whole."""
    assert clean(source, drop=set()) == source


def test_empty() -> None:
    """The empty text stays empty and has no lines."""
    assert clean("") == ""
    assert explain("") == []


def test_five_million_empty_lines() -> None:
    """Millions of empty lines are cleaned to themselves."""
    source = "\n" * 5_000_000
    assert clean(source) == source


def test_one_giant_line() -> None:
    """A line of ten million characters is read in a bounded share."""
    source = "giant " * 1_700_000
    assert clean(source) == source
    assert clean(ARTICLE + "\n" + source).startswith(ARTICLE)


@pytest.mark.parametrize(("value", "hint"), [(b"x", "decode"), (None, "NoneType"), (3, "int"), (["x"], "list")])
def test_not_a_text(value: object, hint: str) -> None:
    """What is not a str raises a TypeError that says what to do."""
    with pytest.raises(TypeError, match=hint):
        clean(value)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=hint):
        list(Cleaner().clean_many([value]))  # type: ignore[list-item]


def test_one_text_where_several_are_due() -> None:
    """A single str given to clean_many raises instead of being taken for letters."""
    with pytest.raises(TypeError, match="several texts"):
        list(Cleaner().clean_many("text"))


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_threshold_outside(threshold: float) -> None:
    """A threshold that is no probability raises a ValueError."""
    with pytest.raises(ValueError, match="0 to 1"):
        clean("text", threshold=threshold)


def test_unknown_label() -> None:
    """An unknown label raises a ValueError that names the known ones."""
    with pytest.raises(ValueError, match=r"junk.*boilerplate"):
        clean("text", drop={"junk"})


def test_threads() -> None:
    """Many threads over one Cleaner give what one thread gives."""
    cleaner = Cleaner()
    sources = [f"{ARTICLE}\nNumber {n}\nShare on Facebook\nTen cats that look like actors" for n in range(40)]
    barrier = threading.Barrier(8)

    def run(part: int) -> list[str]:
        barrier.wait()
        return [cleaner.clean(source) for source in sources[part::8]]

    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(run, range(8)))
    assert parallel == [[clean(source) for source in sources[part::8]] for part in range(8)]


def test_pickle() -> None:
    """A Cleaner pickles to a few bytes and cleans the same afterwards."""
    cleaner = Cleaner(threshold=0.6, drop={"teaser"})
    pickled = pickle.dumps(cleaner)
    assert len(pickled) < 2000
    assert pickle.loads(pickled).explain(ARTICLE) == cleaner.explain(ARTICLE)


def test_repeats_are_evidence() -> None:
    """A line seen on many pages of its site is likelier to be junk, and one seen once is judged as before."""
    source = f"{ARTICLE}\nThe bridge and its keeper"
    n_lines = len(explain(source))
    scores = [
        next(Cleaner().explain_many([source], repeats=[[1] * (n_lines - 1) + [count]]))[-1].score for count in (1, 10, 1000)
    ]
    assert scores[0] == explain(source)[-1].score
    assert scores == sorted(scores) and scores[0] < scores[-1]


def test_repeats_of_the_wrong_length() -> None:
    """Counts that do not fit the lines raise a ValueError."""
    with pytest.raises(ValueError, match="3 counts for a text of 5 lines"):
        list(Cleaner().clean_many([ARTICLE], repeats=[[1, 2, 3]]))


def test_a_line_spared_for_its_length_says_so() -> None:
    """Between its score and P(drop) lies what its length adds; with the threshold there the line stays, and says why."""
    long = "Subscribe to our newsletter and never miss a story, an offer or an event near you; we promise to write only once a week. " * 2
    text = f"The council met on Monday.\nIt agreed to repair the bridge over the river before winter comes.\n{long}\nShare"
    score = explain(text)[2].score
    cost = len(long.strip()) / 60
    probability = score * cost / (1 - score + score * cost)
    assert 0 < score < probability < 1
    line = Cleaner(threshold=(score + probability) / 2).explain(text)[2]
    assert not line.dropped and line.reason == "is long: losing it would lose much"
