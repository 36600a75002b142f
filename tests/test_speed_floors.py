"""Speed as ratios within one run, with margins wide enough for any machine: how cost grows, and who is faster."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from cleanfeed import Cleaner, clean, explain
from speed_support import SCRIPTS, cpu_time, mixed, own_documents, page, paired_ratio

MEGABYTE = 1_000_000


def per_character(text: str) -> float:
    """Best of three, in seconds a character."""
    return min(cpu_time(lambda: clean(text)) for _ in range(3)) / len(text)


def peak(text: str) -> int:
    """Most bytes held at once beyond the text."""
    tracemalloc.start()
    try:
        clean(text)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_time_grows_with_the_text() -> None:
    """A text ten times as long costs at most half as much again per character."""
    small, large = mixed(MEGABYTE // 2), mixed(5 * MEGABYTE)
    assert paired_ratio(lambda: clean(large), lambda: clean(small), 3) < 10 * 1.5


def test_no_script_is_slow() -> None:
    """The slowest script takes at most four times as long per character as the fastest."""
    costs = {script: per_character(page(script, 300_000)) for script in SCRIPTS}
    assert max(costs.values()) < 4 * min(costs.values()), costs


def test_shapes_cost_no_more_per_character_than_pages_or_little_per_line() -> None:
    """A giant line, long paragraphs and empty lines are cheaper than a page; the shortest lines cost as lines, not more."""
    whole = mixed(MEGABYTE)
    line = per_character(whole) * len(whole) / (whole.count("\n") + 1)
    for shape in ("giant " * 500_000, "\n".join(["A long paragraph of a report. " * 100] * 300), "\n" * MEGABYTE):
        assert per_character(shape) < 4 * per_character(whole)
    assert per_character("ab\n" * 100_000) * 3 < 3 * line


def test_a_giant_line_is_read_in_a_bounded_share() -> None:
    """Of a line of three million characters only the ends are read: a twentieth of the cost of as much in short lines."""
    giant, pages = "giant " * 500_000, page("latin", 3 * MEGABYTE)
    assert paired_ratio(lambda: clean(giant), lambda: clean(pages), 3) < 0.5


def test_batch_is_faster_than_one_by_one() -> None:
    """Documents put together cost at most two thirds of what they cost alone."""
    texts = ["\n".join(lines) for lines, _ in own_documents()[:200]]
    cleaner = Cleaner()
    alone = lambda: [cleaner.clean(text) for text in texts]  # noqa: E731
    assert paired_ratio(lambda: list(cleaner.clean_many(texts)), alone, 3) < 0.67


def test_products_stay_on_one_thread() -> None:
    """BLAS wakes no second thread: two cleaners in two threads take little more processor time than one after the other."""
    texts = ["\n".join(lines) for lines, _ in own_documents()]
    cleaner = Cleaner()

    def at_once() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: list(cleaner.clean_many(texts[part::2])), range(2)))

    assert paired_ratio(at_once, lambda: list(cleaner.clean_many(texts)), 3) < 1.6


def test_faster_than_justext() -> None:
    """One document of about 6 kB is cleaned faster than jusText judges it."""
    pytest.importorskip("justext", reason="compares with jusText, which is not installed")
    from cleanfeed.evaluation.systems import Bench, peers

    text = page("latin", 6000)
    keep = peers()["justext"].keep
    assert keep is not None
    judge, lines = keep(Bench()), text.split("\n")
    assert paired_ratio(lambda: judge(lines, "en"), lambda: clean(text), 9) > 1.1


@pytest.mark.parametrize("text", ["ab\n" * 300_000, page("arabic", 3 * MEGABYTE)], ids=["short lines", "pages"])
def test_memory_is_bounded(text: str) -> None:
    """What is held beyond the text is 150 MB and twelve times its UTF-8 size at most, whatever the shape of its lines."""
    assert peak(text) < 150e6 + 12 * len(text.encode())


def test_memory_of_a_stream_is_bounded() -> None:
    """A stream of many documents holds no more than one block of them."""
    texts = (page("latin", 20_000) for _ in range(150))
    tracemalloc.start()
    try:
        for _ in Cleaner().clean_many(texts):
            pass
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()


def test_a_very_long_text_is_read_in_parts() -> None:
    """Beyond 16,384 lines a text is read in equal parts, alike alone and in a batch, and blank lines change nothing."""
    source = page("latin", 1_100_000) + "\nlast"
    lines = explain("\n".join([source] * 3))
    assert len(lines) > 16_384
    assert list(Cleaner().explain_many(["before\nit", "\n".join([source] * 3), "behind\nit"]))[1] == lines
    spaced = [line for line in explain("\n\n".join([source] * 3)) if line.label != "blank"]
    assert [line.score for line in spaced] == [line.score for line in lines]
