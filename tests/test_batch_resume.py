"""Runs that are interrupted, repeated, run at once, or meet a changed world."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batch_support import MarkCleaner, clean, command, environment, errors_of, marked, spawn, tree_of  # noqa: F401
from cleanfeed.batch import journal as journals
from cleanfeed.batch import pool, sinks, tasks
from cleanfeed.batch.formats import jsonl
from cleanfeed.batch.journal import Journal, OutputBusyError

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")


def entries_of(output: Path) -> dict[str, dict[str, object]]:
    """The lines of a journal by input; the last one counts."""
    lines = (output / ".cleanfeed" / "journal.jsonl").read_bytes().splitlines()[1:]
    return {entry["input"]: entry for entry in map(json.loads, lines)}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Many small files, and large ones in several blocks."""
    generator = random.Random(5)
    folder = tmp_path / "in"
    (folder / "site").mkdir(parents=True)
    words = ["الحكومة", "أعلنت", "اليوم", "bridge", "opens", "más", "noticias", "ürün", "新闻", "читайте"]

    def text() -> str:
        return "\n".join(" ".join(generator.choices(words, k=generator.randint(1, 30))) for _ in range(20))

    for number in range(150):
        (folder / "site" / f"{number}.txt").write_text(text(), "utf-8")
    for name in ("a", "b"):
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
            for number in range(2500):
                record = {"id": number, "text": text(), "url": f"http://{number % 7}.example/"}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.write('{"broken": \n')
    return folder


@posix
def test_killed_again_and_again_it_ends_the_same(mixed: Path, tmp_path: Path) -> None:
    """A run that is killed at random moments and started again ends with the bytes of an undisturbed one."""
    gather = ["--rejects", tmp_path / "rejects.jsonl", "--stats", tmp_path / "stats.jsonl"]
    began = time.monotonic()
    assert spawn("clean", mixed, "-o", tmp_path / "whole", *gather).returncode == 1
    took = time.monotonic() - began
    beside = [path.read_bytes() for path in gather[1::2] if isinstance(path, Path)]
    generator = random.Random(3)
    for _ in range(4):
        process = subprocess.Popen(
            command("clean", mixed, "-o", tmp_path / "killed", "--jobs", 2, "--quiet", *gather),
            env=environment(),
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(generator.uniform(0.3, 0.7) * took)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert spawn("clean", mixed, "-o", tmp_path / "killed", *gather).returncode == 1
    assert tree_of(tmp_path / "killed") == tree_of(tmp_path / "whole")
    assert [path.read_bytes() for path in gather[1::2] if isinstance(path, Path)] == beside


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_run_in_order(mixed: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the run with exit code 130, and what was done is not done again."""
    # Where the tests run in the background of a shell, Ctrl-C is ignored and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command("clean", mixed, "-o", tmp_path / "out", "--jobs", 2), env=environment(), stderr=subprocess.PIPE
    )
    signal.signal(signal.SIGINT, before)
    wait_for_entries(tmp_path / "out")
    process.send_signal(number)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted" in message
    assert b"Traceback" not in message
    assert spawn("clean", mixed, "-o", tmp_path / "out").returncode == 1
    assert len(entries_of(tmp_path / "out")) == 152


def wait_for_entries(output: Path) -> None:
    """Wait until a run in another process has journalled something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        path = output / ".cleanfeed" / "journal.jsonl"
        if path.exists() and path.read_bytes().count(b"\n") > 1:
            return
        time.sleep(0.01)
    raise AssertionError("the run does nothing")


def test_any_number_of_jobs_gives_the_same(mixed: Path, tmp_path: Path) -> None:
    """One process or three: the same bytes, problems and rejects in the same order."""
    rejects = tmp_path / "rejects.jsonl"
    results = []
    for jobs in (1, 3):
        assert clean(mixed, "-o", tmp_path / str(jobs), "--jobs", jobs, "--rejects", rejects) == 1
        results.append((tree_of(tmp_path / str(jobs)), rejects.read_bytes()))
    assert results[0] == results[1]


@pytest.mark.usefixtures("marked")
class TestRepeatedRuns:
    """A second run with the same command."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        """Two documents and a file of records."""
        folder = tmp_path / "in"
        folder.mkdir()
        (folder / "a.txt").write_bytes(b"one\nJUNK\n")
        (folder / "b.txt").write_bytes(b"two\n")
        (folder / "c.jsonl").write_bytes(b'{"text": "three\\nJUNK"}\n{"text": 4}\n')
        clean(folder, "-o", tmp_path / "out")
        return folder

    @staticmethod
    def touched(tree: Path, *options: object) -> set[str]:
        """Names of the outputs that a run writes anew."""
        output = tree.parent / "out"
        for path in output.glob("*.*"):
            os.utime(path, (0, 0))
        clean(tree, "-o", output, *options)
        return {path.name for path in output.glob("*.*") if path.is_file() and path.stat().st_mtime > 0}

    def test_does_nothing_again(self, tree: Path) -> None:
        """What is done stays untouched, and the problems of then are still told."""
        assert self.touched(tree) == set()
        assert clean(tree, "-o", tree.parent / "out") == 1
        assert [error["file"] for error in errors_of(tree.parent / "out")] == ["c.jsonl"]

    def test_changed_input_is_redone(self, tree: Path) -> None:
        """A file with other bytes is done again, also at the same size and time."""
        before = (tree / "a.txt").stat()
        (tree / "a.txt").write_bytes(b"ten\nJUNK\n")
        os.utime(tree / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert self.touched(tree) == {"a.txt"}
        assert (tree.parent / "out" / "a.txt").read_bytes() == b"ten\n"

    def test_changed_setting_is_redone(self, tree: Path) -> None:
        """Other settings make everything be done again; going back does so too."""
        assert self.touched(tree, "--max-drop", "0.5") == {"a.txt", "b.txt", "c.jsonl"}
        assert self.touched(tree) == {"a.txt", "b.txt", "c.jsonl"}

    def test_changed_model_is_redone(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another model makes everything be done again."""
        monkeypatch.setattr(MarkCleaner.model, "digest", "1" * 64)
        assert self.touched(tree) == {"a.txt", "b.txt", "c.jsonl"}

    def test_lost_or_damaged_output_is_redone(self, tree: Path) -> None:
        """An output that somebody removed or changed is made again."""
        (tree.parent / "out" / "a.txt").unlink()
        (tree.parent / "out" / "c.jsonl").write_bytes(b"")
        assert self.touched(tree) == {"a.txt", "c.jsonl"}

    def test_force_does_everything_again(self, tree: Path) -> None:
        """--force forgets what was done."""
        assert self.touched(tree, "--force") == {"a.txt", "b.txt", "c.jsonl"}

    def test_more_wanted_is_gathered(self, tree: Path, tmp_path: Path) -> None:
        """Asking for rejects later does again what was done without them; once gathered, they are there."""
        wanted = ["--rejects", tmp_path / "rejects.jsonl"]
        assert self.touched(tree, *wanted) == {"a.txt", "b.txt", "c.jsonl"}
        first = (tmp_path / "rejects.jsonl").read_bytes()
        assert self.touched(tree, *wanted) == set()
        assert (tmp_path / "rejects.jsonl").read_bytes() == first
        assert self.touched(tree) == set()

    def test_input_that_went_bad_loses_its_output(self, tree: Path) -> None:
        """What was made of an earlier version does not stand for one that cannot be cleaned."""
        (tree / "a.txt").write_bytes(b"RAISE")
        clean(tree, "-o", tree.parent / "out")
        assert not (tree.parent / "out" / "a.txt").exists()

    def test_torn_journal_line_is_done_again(self, tree: Path) -> None:
        """Half a line at the end of the journal, as a crash leaves it, is as if it were not there."""
        path = tree.parent / "out" / ".cleanfeed" / "journal.jsonl"
        path.write_bytes(path.read_bytes()[:-20])
        assert self.touched(tree) == {"c.jsonl"}
        assert set(entries_of(tree.parent / "out")) == {"a.txt", "b.txt", "c.jsonl"}

    @pytest.mark.parametrize(
        "damage", [b"", b"not json\n", b'{"cleanfeed journal": 99, "spools": 0}\n', b"\xff\xfe\x00"]
    )
    def test_unreadable_journal_means_nothing_is_done(self, tree: Path, damage: bytes) -> None:
        """A journal that is damaged or of another format makes everything be done again."""
        (tree.parent / "out" / ".cleanfeed" / "journal.jsonl").write_bytes(damage)
        assert self.touched(tree) == {"a.txt", "b.txt", "c.jsonl"}

    def test_lost_spool_means_nothing_is_done(self, tree: Path) -> None:
        """A spool that somebody removed is not made up from nothing."""
        for path in (tree.parent / "out" / ".cleanfeed" / "spool").iterdir():
            path.unlink()
        assert self.touched(tree) == {"a.txt", "b.txt", "c.jsonl"}
        assert [error["file"] for error in errors_of(tree.parent / "out")] == ["c.jsonl"]

    def test_journal_says_what_was_done(self, tree: Path) -> None:
        """Each input has its digest, settings and counts in the journal."""
        entry = entries_of(tree.parent / "out")["a.txt"]
        assert entry["digest"] == hashlib.sha256(b"one\nJUNK\n").hexdigest()
        settings, counts = entry["settings"], entry["counts"]
        assert isinstance(settings, dict)
        assert settings["model_digest"] == "0" * 64
        assert isinstance(counts, dict)
        assert (counts["lines_in"], counts["lines_out"]) == (2, 1)


@pytest.mark.usefixtures("marked")
def test_second_run_into_one_output_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """While a run holds an output another one says so and does nothing."""
    (tmp_path / "a.txt").write_bytes(b"one\n")
    with Journal(str(tmp_path / "out" / ".cleanfeed")):
        with pytest.raises(OutputBusyError), Journal(str(tmp_path / "out" / ".cleanfeed")):
            pass
        assert clean(tmp_path / "a.txt", "-o", tmp_path / "out") == 1
        assert "another run" in capfd.readouterr().err
    assert clean(tmp_path / "a.txt", "-o", tmp_path / "out") == 0


@pytest.mark.usefixtures("marked")
def test_large_file_goes_on_from_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted file goes on where its journal says, with the same bytes, problems and counts in the end."""
    monkeypatch.setattr(jsonl, "BLOCK_BYTES", 200)
    monkeypatch.setattr(jsonl, "_READ_BYTES", 64)
    monkeypatch.setattr(sinks, "_CHECKPOINT_SECONDS", 0)
    lines = [b'{"text": "%d\\nJUNK"}\n' % number if number % 9 else b"broken\n" for number in range(200)]
    (tmp_path / "a.jsonl").write_bytes(b"".join(lines))
    assert clean(tmp_path / "a.jsonl", "-o", f"{tmp_path}/whole/") == 1
    done: list[int] = []
    perform = tasks.perform

    def failing(task: object) -> object:
        if isinstance(task, tasks.BlockTask):
            if len(done) == 7:
                done.append(-1)
                raise KeyboardInterrupt
            done.append(task.index)
        return perform(task)  # type: ignore[arg-type]

    monkeypatch.setattr("cleanfeed.batch.run.perform", failing)
    assert clean(tmp_path / "a.jsonl", "-o", f"{tmp_path}/broken/") == 130
    assert clean(tmp_path / "a.jsonl", "-o", f"{tmp_path}/broken/") == 1
    assert done[8] == 7
    assert tree_of(tmp_path / "broken") == tree_of(tmp_path / "whole")
    assert entries_of(tmp_path / "broken")["a.jsonl"]["counts"] == entries_of(tmp_path / "whole")["a.jsonl"]["counts"]


@pytest.mark.usefixtures("marked")
def test_full_disk_ends_the_run_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """When the disk is full the run ends with the cause; nothing half-written is in place."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(b"one\nJUNK\n")
    with monkeypatch.context() as patch:

        def full(path: str, data: bytes) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(tasks, "write_durably", full)
        assert clean(tmp_path / "in", "-o", tmp_path / "out") == 1
    assert "No space left" in capfd.readouterr().err
    assert list((tmp_path / "out").glob("*.txt")) == []
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"one\n"


def die_on_three(number: int) -> int:
    """Work that kills its process for one task."""
    if number == 3:
        os._exit(9)
    return number * 10


def test_only_the_task_that_kills_its_worker_is_lost() -> None:
    """A worker that dies costs the one task at fault; all others give their results, in order."""
    results = [result if isinstance(result, int) else None for _, result in pool.in_order(range(7), die_on_three, 2)]
    assert results == [0, 10, 20, None, 40, 50, 60]


def test_trouble_while_reading_is_not_swallowed() -> None:
    """What is raised while tasks are made reaches the caller, though joblib asks for them in another thread."""

    def numbers() -> object:
        yield from range(5)
        raise ValueError("broken source")

    with pytest.raises(ValueError, match="broken source"):
        list(pool.in_order(numbers(), abs, 2))  # type: ignore[call-overload]


def test_compaction_keeps_what_each_input_said(tmp_path: Path) -> None:
    """Journals rewritten in order give back the same bytes for each input, without what was superseded."""
    with Journal(str(tmp_path / "s")) as journal:
        for round_ in range(3):
            for name in ("b", "a"):
                journal.commit([(journals.Entry(name), {"errors": f"{name}{round_}\n".encode()})])
        journal.compact(["a", "b"])
        assert b"".join(journal.read("errors", ["a", "b"])) == b"a2\nb2\n"
    with Journal(str(tmp_path / "s")) as journal:
        assert list(journal.entries) == ["a", "b"]
        assert b"".join(journal.read("errors", ["b", "a"])) == b"b2\na2\n"
    sizes = [path.stat().st_size for path in (tmp_path / "s" / "spool").iterdir()]
    assert sum(sizes) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_when_their_parent_is_killed(mixed: Path, tmp_path: Path) -> None:
    """No worker goes on for long after a run was killed."""
    process = subprocess.Popen(
        command("clean", mixed, "-o", tmp_path / "out", "--jobs", 2), env=environment(), stderr=subprocess.DEVNULL
    )
    wait_for_entries(tmp_path / "out")
    workers = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(map(alive, workers)):
        time.sleep(0.1)
    assert workers
    assert not any(map(alive, workers))


def alive(pid: int) -> bool:
    """Whether a process is there and not just waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
