"""Counts of lines per site: exact where they fit, the same in any batches, safe to save and load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanfeed import lines
from cleanfeed.repeats import Repeats, RepeatsError, describe

TEXTS = st.lists(st.text(alphabet="ab \n\r\u2028م7", max_size=20), max_size=8)


def counted(documents: list[tuple[str, str]], width: int = 1 << 12) -> Repeats:
    """Counts of a few documents: (site, text) each."""
    repeats = Repeats(width)
    for site, text in documents:
        repeats.add(describe([site], [text]))
    return repeats


def test_counts_documents_not_occurrences() -> None:
    """A line counts once for each document of the site that has it, however often it stands there."""
    repeats = counted([("a", "Share\nShare\none"), ("a", "two\nShare"), ("b", "Share")])
    assert repeats.counts("a", ["Share", "one", "three"]).tolist() == [2, 1, 0]
    assert repeats.counts("b", ["Share"]).tolist() == [1]
    assert [repeats.documents(site) for site in ("a", "b", "c")] == [2, 1, 0]


def test_the_same_document_counts_once() -> None:
    """A document that comes again, in the same batch or later, adds nothing; on another site it does."""
    repeats = Repeats(1 << 12)
    repeats.add(describe(["a", "a", "b"], ["one\ntwo", "one\r\ntwo\n", "one\ntwo"]))
    repeats.add(describe(["a", "a"], ["one\ntwo", "one\nthree"]))
    assert repeats.counts("a", ["one", "two", "three"]).tolist() == [2, 1, 1]
    assert (repeats.documents("a"), repeats.documents("b")) == (2, 1)


@pytest.mark.parametrize("line", ["12 comments", "  7  comments", "comments 1", "٣٤ comments"])
def test_digits_and_spaces_do_not_count(line: str) -> None:
    """Lines that differ by numbers or white space alone are one line."""
    assert counted([("a", "345 comments")]).counts("a", [line]).tolist() == [1]


def test_lines_without_letters_are_unknown() -> None:
    """Blank lines and bare numbers are never counted."""
    assert counted([("a", "\n \n12\n")]).counts("a", ["", " ", "12"]).tolist() == [0, 0, 0]


@given(TEXTS)
def test_one_count_for_each_line(texts: list[str]) -> None:
    """There are as many counts as lines, none below the truth, whatever stands in the texts."""
    sites = [str(number % 2) for number in range(len(texts))]
    repeats = Repeats(1 << 12)
    repeats.add(describe(sites, texts))
    for site, text, counts in zip(sites, texts, repeats.counts_of_texts(sites, texts), strict=True):
        starts, ends = lines.split(text)
        assert len(counts) == len(starts)
        said = [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        assert counts.tolist() == repeats.counts(site, said).tolist()
        assert all(count >= 1 for count, line in zip(counts, said, strict=True) if set(line) & set("abم\u2028"))


@given(TEXTS, st.integers(0, 8))
def test_batches_do_not_matter(texts: list[str], cut: int) -> None:
    """Documents counted together or in two parts give the same counts while the table is wide."""
    sites = ["a"] * len(texts)
    together, apart = Repeats(1 << 16), Repeats(1 << 16)
    together.add(describe(sites, texts))
    for part in (slice(None, cut), slice(cut, None)):
        apart.add(describe(sites[part], texts[part]))
    assert together.digest == apart.digest


def test_never_below_the_truth_in_a_narrow_table() -> None:
    """A table that is far too small counts too high, never too low."""
    generator = np.random.default_rng(1)
    keys = generator.integers(1, 1 << 62, 2000, dtype=np.uint64)
    repeats = Repeats(1 << 8)
    for _ in range(3):
        repeats._count(keys)
    assert repeats._at(repeats._cells(keys)).min() >= 3


@pytest.mark.parametrize(("load", "share"), [(0.25, 0.002), (0.5, 0.01), (1, 0.06), (2, 0.3)])
def test_overcounts_as_rarely_as_the_module_says(load: float, share: float) -> None:
    """So many lines to a counter, so few of them counted too high: the figures of the module, scaled down."""
    keys = np.random.default_rng(2).integers(1, 1 << 62, int(load * (1 << 16)), dtype=np.uint64)
    keys = np.random.default_rng(3).permutation(np.unique(keys))
    repeats = Repeats(1 << 16)
    for part in np.array_split(keys, 16):
        repeats._count(part)
    assert (repeats._at(repeats._cells(keys)).min(axis=0) > 1).mean() < share


def test_stops_at_the_largest_count() -> None:
    """Counters stay full rather than begin again."""
    repeats = Repeats(1 << 8)
    keys = describe(["a"], ["line"]).keys
    for _ in range(3):
        repeats._count(np.tile(keys, 30_000))
    assert repeats.counts("a", ["line"]).tolist() == [65_535]


@pytest.mark.parametrize("name", ["counts.npz", "counts.npy"])
def test_save_and_load(tmp_path: Path, name: str) -> None:
    """What was saved is loaded, in either form."""
    repeats = counted([("a", "Share\none")])
    repeats.save(tmp_path / name)
    assert Repeats.load(tmp_path / name).digest == repeats.digest


@pytest.mark.parametrize("data", [b"", b"junk", b"PK\x03\x04junk", b"\x93NUMPY\x01\x00junk"])
@pytest.mark.parametrize("name", ["counts.npz", "counts.npy"])
def test_other_files_are_refused(tmp_path: Path, name: str, data: bytes) -> None:
    """A file that holds no counts is an error that names it."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RepeatsError, match="counts"):
        Repeats.load(tmp_path / name)


def test_pickles_and_other_shapes_are_refused(tmp_path: Path) -> None:
    """Neither objects nor tables of another shape or format are taken."""
    np.savez(tmp_path / "object.npz", format=np.array(1), table=np.array([{}], dtype=object))
    np.savez(tmp_path / "shape.npz", format=np.array(1), table=np.zeros((3, 8), np.uint16))
    np.savez(tmp_path / "format.npz", format=np.array(9), table=np.zeros((4, 8), np.uint16))
    for name in ("object", "shape", "format"):
        with pytest.raises(RepeatsError):
            Repeats.load(tmp_path / f"{name}.npz")


def test_width_must_be_a_power_of_two() -> None:
    """Any other width cannot be hashed to."""
    with pytest.raises(ValueError, match="power of two"):
        Repeats(1000)
