"""The first pass: when lines are counted, what the counts do, and that they are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batch_support import clean, marked  # noqa: F401 - marked is a fixture
from cleanfeed.batch import repeats_pass
from cleanfeed.repeats import Repeats

# MarkCleaner drops what stands on 20 documents of its site.
pytestmark = pytest.mark.usefixtures("marked")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Twenty-five documents of one site in a folder, and as many in a file of records."""
    (tmp_path / "in" / "site").mkdir(parents=True)
    for number in range(25):
        (tmp_path / "in" / "site" / f"{number}.txt").write_text(f"Story {'x' * number}.\nFollow us\n", "utf-8")
    with open(tmp_path / "in" / "a.jsonl", "w", encoding="utf-8") as file:
        for number in range(25):
            record = {"text": f"Tale {'y' * number}\nتابعونا", "url": f"https://www.site.example/{number}"}
            file.write(json.dumps(record) + "\n")
    return tmp_path / "in"


def furniture(output: Path) -> int:
    """How many documents still have the lines that repeat."""
    texts = [path.read_text("utf-8") for path in (output / "site").glob("*.txt")]
    texts += [json.loads(line)["text"] for line in (output / "a.jsonl").read_text("utf-8").splitlines()]
    return sum("Follow us" in text or "تابعونا" in text for text in texts)


def test_counts_are_evidence_by_themselves(site: Path, tmp_path: Path) -> None:
    """Where a site has twenty documents its lines are counted unasked, over files and records."""
    assert clean(site, "-o", tmp_path / "out") == 0
    assert furniture(tmp_path / "out") == 0


def test_can_be_switched_off(site: Path, tmp_path: Path) -> None:
    """--no-repeats leaves every document to itself."""
    assert clean(site, "-o", tmp_path / "out", "--no-repeats") == 0
    assert furniture(tmp_path / "out") == 50


def test_few_documents_count_only_if_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below twenty documents nothing is counted unless --repeats says so."""
    (tmp_path / "in" / "site").mkdir(parents=True)
    (tmp_path / "in" / "site" / "a.txt").write_text("one\n", "utf-8")
    passes = []
    count = repeats_pass._count
    monkeypatch.setattr(repeats_pass, "_count", lambda *args: passes.append(1) or count(*args))
    clean(tmp_path / "in", "-o", tmp_path / "out")
    assert passes == []
    clean(tmp_path / "in", "-o", tmp_path / "out", "--repeats")
    assert passes == [1]
    clean(tmp_path / "in", "-o", tmp_path / "out", "--repeats")
    assert passes == [1], "counts of the same files are kept"


def test_a_new_document_changes_the_evidence_of_all(site: Path, tmp_path: Path) -> None:
    """Counts are part of the settings: when they change, what was done with the old ones is done again."""
    clean(site, "-o", tmp_path / "out")
    (site / "site" / "new.txt").write_text("Follow us\n", "utf-8")
    before = (tmp_path / "out" / "site" / "1.txt").stat().st_mtime_ns
    clean(site, "-o", tmp_path / "out")
    assert (tmp_path / "out" / "site" / "1.txt").stat().st_mtime_ns > before


def test_counts_can_be_saved_and_loaded(site: Path, tmp_path: Path) -> None:
    """--repeats-file saves the counts; with them a part of the site is cleaned as all of it was."""
    counts = tmp_path / "counts.npz"
    clean(site, "-o", tmp_path / "out", "--repeats-file", counts)
    assert Repeats.load(counts).documents("site") == 25
    (tmp_path / "part" / "site").mkdir(parents=True)
    (tmp_path / "part" / "site" / "0.txt").write_bytes((site / "site" / "0.txt").read_bytes())
    clean(tmp_path / "part", "-o", tmp_path / "some", "--repeats-file", counts)
    assert (tmp_path / "some" / "site" / "0.txt").read_bytes() == (tmp_path / "out" / "site" / "0.txt").read_bytes()


def test_file_that_holds_no_counts(site: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A wrong --repeats-file is a wrong command line."""
    (tmp_path / "counts.npz").write_bytes(b"junk")
    assert clean(site, "-o", tmp_path / "out", "--repeats-file", tmp_path / "counts.npz") == 2
    assert "counts.npz" in capfd.readouterr().err


def test_documents_without_a_site_are_left_to_themselves(tmp_path: Path) -> None:
    """Files at the top, and records without an address, have no site and no counts."""
    (tmp_path / "in").mkdir()
    for number in range(25):
        (tmp_path / "in" / f"{number}.txt").write_text("Follow us\n", "utf-8")
    clean(tmp_path / "in", "-o", tmp_path / "out", "--repeats")
    assert (tmp_path / "out" / "1.txt").read_text("utf-8") == "Follow us\n"
