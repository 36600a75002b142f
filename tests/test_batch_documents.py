"""Files that are one document each: what is written, what is reported, what is refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

import cleanfeed
from batch_support import clean, errors_of, lines_of, marked, tree_of  # noqa: F401 - marked is a fixture
from cleanfeed.batch import inputs, work

pytestmark = pytest.mark.usefixtures("marked")

TEXT = "A paragraph that stays.\nJUNK Read also: this\nAnother one.\n"
KEPT = "A paragraph that stays.\nAnother one.\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree of inputs."""
    folder = tmp_path / "in"
    (folder / "site").mkdir(parents=True)
    (folder / "a.txt").write_text(TEXT, "utf-8")
    (folder / "site" / "b.md").write_text("# عنوان\nJUNK اقرأ أيضا\nنص.\r\n", "utf-8")
    (folder / "site" / "notes.pdf").write_bytes(b"%PDF")
    return folder


def test_mirrors_the_tree_without_the_dropped_lines(tree: Path, tmp_path: Path) -> None:
    """A directory is cleaned into the same tree; files of other kinds are left alone."""
    assert clean(tree, "-o", tmp_path / "out") == 0
    expected = {"a.txt": KEPT.encode(), "site/b.md": "# عنوان\nنص.\r\n".encode()}
    assert tree_of(tmp_path / "out") == {**expected, ".cleanfeed/errors.jsonl": b""}


def test_agrees_with_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command writes is what clean() returns, byte for byte."""
    monkeypatch.undo()
    text = "One of the longer paragraphs of an article, with a full stop at its end.\n" * 3 + "Most read\nلن تصدق\n"
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert clean(tmp_path / "a.txt", "-o", tmp_path / "b.txt") == 0
    assert (tmp_path / "b.txt").read_bytes() == cleanfeed.clean(text).encode()


def test_single_document_leaves_nothing_beside_it(tree: Path, tmp_path: Path) -> None:
    """One file to one file: only that file is there afterwards."""
    (tmp_path / "there").mkdir()
    assert clean(tree / "a.txt", "-o", tmp_path / "there" / "b.txt") == 0
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["b.txt"]


def test_prints_a_single_file(tree: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Without an output the text goes to standard output, and nothing else does."""
    assert clean(tree / "a.txt") == 0
    assert capfdbinary.readouterr().out == KEPT.encode()


def test_prints_many_files_as_json_lines(tree: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """--to jsonl puts the documents of a tree one behind the other on standard output."""
    assert clean(tree, "--to", "jsonl") == 0
    records = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [record["id"] for record in records] == ["a.txt", "site/b.md"]
    assert records[0]["text"] == KEPT


def test_html_becomes_text(tmp_path: Path) -> None:
    """A page is extracted, cleaned, and written under its name with .txt."""
    page = "<html><body><article><h1>Bridge opens</h1>" + "<p>The new bridge opened on Monday morning.</p>" * 5
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "page.html").write_text(page + "<p>JUNK More stories you may like to read now</p>", "utf-8")
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 0
    text = (tmp_path / "out" / "page.html.txt").read_text("utf-8")
    assert "The new bridge opened" in text
    assert "JUNK" not in text


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("binary.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe", "encoding"),
        ("huge.txt", b"x" * 2000, "too-large"),
        ("bug.txt", b"RAISE", "failed"),
    ],
)
def test_bad_file_is_reported_and_the_rest_done(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, kind: str
) -> None:
    """A file that cannot be cleaned is listed with its cause, has no output, and stops nothing."""
    monkeypatch.setattr(work, "MAX_DOCUMENT_BYTES", 1000)
    (tree / name).write_bytes(data)
    assert clean(tree, "-o", tmp_path / "out") == 1
    (error,) = errors_of(tmp_path / "out")
    assert (error["file"], error["kind"], error["skipped"]) == (name, kind, True)
    assert not (tmp_path / "out" / name).exists()
    assert (tmp_path / "out" / "a.txt").read_text("utf-8") == KEPT


def test_empty_file_is_noted_and_written(tree: Path, tmp_path: Path) -> None:
    """An empty file gives an empty file, and a note that is no error."""
    (tree / "empty.txt").touch()
    assert clean(tree, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "empty.txt").read_bytes() == b""
    assert [(error["file"], error["skipped"]) for error in errors_of(tmp_path / "out")] == [("empty.txt", False)]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read anything")
def test_unreadable_file_is_reported(tree: Path, tmp_path: Path) -> None:
    """A file without permission is listed, the others are done."""
    (tree / "a.txt").chmod(0)
    assert clean(tree, "-o", tmp_path / "out") == 1
    assert errors_of(tmp_path / "out")[0]["kind"] == "unreadable"


def test_broken_link_and_link_loop_are_reported(tree: Path, tmp_path: Path) -> None:
    """Links that lead nowhere or back up are listed; the walk ends."""
    (tree / "gone.txt").symlink_to(tree / "nothing")
    (tree / "site" / "loop").symlink_to(tree)
    assert clean(tree, "-o", tmp_path / "out") == 1
    kinds = {error["file"]: error["kind"] for error in errors_of(tmp_path / "out")}
    assert kinds == {"gone.txt": "unreadable", "site/loop": "symlink-loop"}
    assert (tmp_path / "out" / "site" / "b.md").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets any byte stand in a name")
def test_names_that_are_no_text(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Newlines, terminal escapes and invalid UTF-8 in names survive in the tree and show as escapes in messages."""
    folder = os.fsencode(tmp_path / "in")
    os.mkdir(folder)
    names = [b"new\nline.txt", b"\xff\xfe.txt", b"\x1b[31m.txt", "عربي.txt".encode()]
    for name in names:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"RAISE" if name.startswith(b"\xff") else TEXT.encode())
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 1
    done = set(os.listdir(os.fsencode(tmp_path / "out")))
    assert done == {*names, b".cleanfeed"} - {b"\xff\xfe.txt"}
    assert errors_of(tmp_path / "out")[0]["file"] == "\udcff\udcfe.txt"
    assert "\\udcff" in capfd.readouterr().err


def test_legacy_encoding_is_detected(tree: Path, tmp_path: Path) -> None:
    """Text that is not UTF-8 is read in the encoding that fits, and written in UTF-8."""
    arabic = "أعلنت وزارة التربية والتعليم اليوم نتائج الامتحانات النهائية في جميع المحافظات.\n" * 5
    (tree / "old.txt").write_bytes(arabic.encode("cp1256"))
    assert clean(tree, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "old.txt").read_text("utf-8") == arabic


def test_encoding_can_be_given(tree: Path, tmp_path: Path) -> None:
    """--encoding is believed; a file that it does not fit is reported."""
    (tree / "old.txt").write_bytes("é\n".encode("latin-1"))
    (tree / "site" / "b.md").unlink()
    assert clean(tree, "-o", tmp_path / "one", "--encoding", "latin-1") == 0
    assert (tmp_path / "one" / "old.txt").read_text("utf-8") == "é\n"
    assert clean(tree, "-o", tmp_path / "two", "--encoding", "utf-8") == 1
    assert "byte 0" in errors_of(tmp_path / "two")[0]["cause"]


def test_byte_order_mark_and_broken_bytes_stay(tree: Path, tmp_path: Path) -> None:
    """A mark stays where it was, and a few broken bytes in UTF-8 are kept as they are."""
    data = b"\xef\xbb\xbf" + "نص عربي طويل بما يكفي لكي يعرف ترميزه.\n".encode() * 4 + b"one \xff byte\n"
    (tree / "a.txt").write_bytes(data)
    assert clean(tree, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "a.txt").read_bytes() == data
    assert errors_of(tmp_path / "out")[0]["kind"] == "encoding"


def test_suspect_documents_are_listed_and_can_be_kept(tree: Path, tmp_path: Path) -> None:
    """A document that would lose nearly all is listed for a look, and stays whole if that is asked."""
    (tree / "a.txt").write_text("JUNK " * 50 + "\nx\n", "utf-8")
    assert clean(tree, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "a.txt").read_text("utf-8") == "x\n"
    assert [error["kind"] for error in errors_of(tmp_path / "out")] == ["suspect"]
    assert clean(tree, "-o", tmp_path / "out", "--keep-suspect") == 0
    assert (tmp_path / "out" / "a.txt").read_bytes() == (tree / "a.txt").read_bytes()
    assert clean(tree, "-o", tmp_path / "out", "--max-drop", "1") == 0
    assert errors_of(tmp_path / "out") == []


def test_strict_stops_at_the_first_problem(tree: Path, tmp_path: Path) -> None:
    """--strict ends the run with the problem; what was done before it stands."""
    (tree / "b.txt").write_bytes(b"RAISE")
    assert clean(tree, "-o", tmp_path / "out", "--strict") == 1
    assert [error["file"] for error in errors_of(tmp_path / "out")] == ["b.txt"]
    assert clean(tree, "-o", tmp_path / "out") == 1


def test_dry_run_writes_nothing(tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--dry-run says what would go for each file."""
    assert clean(tree, "-o", tmp_path / "out", "--dry-run") == 0
    assert not (tmp_path / "out").exists()
    assert "a.txt: 1 of 3 lines would go" in capfd.readouterr().out


def test_inputs_are_never_changed(tree: Path, tmp_path: Path) -> None:
    """Bytes, names and times of the inputs are the same afterwards."""
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tree.rglob("*") if path.is_file()}
    clean(tree, "-o", tmp_path / "out")
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tree.rglob("*") if path.is_file()}
    assert before == after


@pytest.mark.parametrize("where", ["in", "in/out", ".", "in/a.txt"])
def test_output_among_inputs_is_refused(
    tree: Path, tmp_path: Path, where: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An output that is an input, lies in one or holds one is refused before anything is written."""
    source = tree / "a.txt" if where == "in/a.txt" else tree
    assert clean(source, "-o", tmp_path / where) == 2
    assert "give" in capfd.readouterr().err
    assert set(tree_of(tmp_path)) == {"in/a.txt", "in/site/b.md", "in/site/notes.pdf"}


def test_missing_input_is_reported_and_the_others_done(tree: Path, tmp_path: Path) -> None:
    """A path that does not exist is listed like any other problem."""
    assert clean(tree / "a.txt", tmp_path / "missing.txt", "-o", tmp_path / "out") == 1
    assert errors_of(tmp_path / "out")[0]["file"] == "missing.txt"
    assert (tmp_path / "out" / "a.txt").exists()


def test_directory_without_anything_to_clean(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing to clean is a failure that says what could have been cleaned."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdf").touch()
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 1
    assert ".txt" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_several_inputs_keep_their_names(tree: Path, tmp_path: Path) -> None:
    """Several inputs are written each under its own name."""
    assert clean(tree / "site", tree / "a.txt", "-o", tmp_path / "out") == 0
    assert set(tree_of(tmp_path / "out")) == {"site/b.md", "a.txt", ".cleanfeed/errors.jsonl"}


def test_inputs_with_one_output_are_refused(tree: Path, tmp_path: Path) -> None:
    """Two inputs that would be written to one place are refused, not mixed."""
    (tmp_path / "other" / "site").mkdir(parents=True)
    (tmp_path / "other" / "site" / "b.md").touch()
    assert clean(tree / "site", tmp_path / "other" / "site", "-o", tmp_path / "out") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--encoding", "klingon"],
        ["--jobs", "0"],
        ["--max-drop", "2"],
        ["--repeats-file", "counts.txt"],
        ["--repeats-memory", "0"],
    ],
)
def test_senseless_options_are_refused(tree: Path, tmp_path: Path, arguments: list[str]) -> None:
    """An option that makes no sense is a wrong command line, and nothing is written."""
    assert clean(tree, "-o", tmp_path / "out", *arguments) == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["--drop", "nonsense"], ["--threshold", "1.5"]])
def test_settings_of_the_cleaner_are_checked(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """A threshold outside 0-1 or an unknown label is a wrong command line."""
    monkeypatch.undo()
    assert clean(tree, "-o", tmp_path / "out", *arguments) == 2
    assert not (tmp_path / "out").exists()


def test_unwritable_output_is_a_clear_failure(tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An output that cannot be made ends the run with its name and the cause."""
    (tmp_path / "file").touch()
    assert clean(tree, "-o", tmp_path / "file" / "out") == 1
    assert "cannot write" in capfd.readouterr().err


def test_output_place_taken_by_a_directory(tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where a directory stands in the way of an output file the run ends and says so."""
    (tmp_path / "out" / "a.txt").mkdir(parents=True)
    assert clean(tree, "-o", tmp_path / "out") == 1
    assert "a.txt" in capfd.readouterr().err


def test_log_as_json(tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--log-json makes every line on stderr an object."""
    (tree / "bad.txt").write_bytes(b"RAISE")
    clean(tree, "-o", tmp_path / "out", "--log-json", "--verbose")
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {"error", "file", "info"} == {event["event"] for event in events}


def test_quiet_says_nothing(tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--quiet leaves stdout and stderr empty, even with a problem."""
    (tree / "bad.txt").write_bytes(b"RAISE")
    assert clean(tree, "-o", tmp_path / "out", "--quiet") == 1
    assert capfd.readouterr() == ("", "")


def test_state_folder_is_never_input(tree: Path, tmp_path: Path) -> None:
    """Cleaning what a run wrote leaves its journal alone."""
    clean(tree, "-o", tmp_path / "one")
    plan = inputs.find_inputs([str(tmp_path / "one")], "same")
    assert [item.name for item in plan.inputs] == ["a.txt", "site/b.md"]


def test_to_compressed_json_lines(tree: Path, tmp_path: Path) -> None:
    """--to jsonl.gz writes one compressed record for each document."""
    import gzip

    assert clean(tree, "-o", tmp_path / "out", "--to", "jsonl.gz") == 0
    record = json.loads(gzip.decompress((tmp_path / "out" / "a.txt.jsonl.gz").read_bytes()))
    assert record == {"id": "a.txt", "text": KEPT}


def test_rejects_say_what_went(tree: Path, tmp_path: Path) -> None:
    """--rejects lists each dropped line with where it stood and why it went."""
    clean(tree, "-o", tmp_path / "out", "--rejects", tmp_path / "rejects.jsonl")
    first, second = lines_of(tmp_path / "rejects.jsonl")
    assert TEXT[first["start"] :].startswith(first["text"])
    expected = {"file": "a.txt", "line": 2, "label": "teaser", "score": 0.9, "reason": "marked"}
    assert {key: first[key] for key in expected} == expected
    assert second["text"] == "JUNK اقرأ أيضا"
