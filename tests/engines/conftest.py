"""What the tests of the engines share: a corpus in twelve languages, values that try a column, a process to kill."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import cleanfeed

ROOT = Path(__file__).parents[2]
LANGUAGES = ("ar", "bn", "en", "es", "fa", "fr", "hi", "ja", "ru", "tr", "ur", "zh")
DOCUMENTS_OF_LANGUAGE = 200
SITES_OF_LANGUAGE = 4
SHARDS = 8

Record = dict[str, Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings of an engine about itself are none of our errors."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default"))


def labelled() -> dict[str, list[Record]]:
    """The project's own documents, by language."""
    found: dict[str, list[Record]] = {}
    for path in sorted((ROOT / "benchmarks" / "labelled").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            found.setdefault(record["lang"], []).append(record)
    return found


@pytest.fixture(scope="session")
def corpus() -> list[Record]:
    """Documents of ``id``, ``lang``, ``site``, ``text``: each one's lines, then another one's junk, then its site's."""
    choice = random.Random(20)
    own = labelled()
    records = []
    for language in LANGUAGES:
        junk = [
            [
                line
                for line, label in zip(each["lines"], each["labels"], strict=True)
                if label in ("teaser", "boilerplate")
            ]
            for each in own[language]
        ]
        junk = [lines for lines in junk if lines]
        feet = [choice.choice(choice.choice(junk)) for _ in range(SITES_OF_LANGUAGE)]
        for number in range(DOCUMENTS_OF_LANGUAGE):
            site = number % SITES_OF_LANGUAGE
            strange = list(choice.choice(junk))
            choice.shuffle(strange)
            lines = [*choice.choice(own[language])["lines"], *strange, feet[site]]
            name = f"{language}-{number}"
            records.append(
                {"id": name, "lang": language, "site": f"{language}{site}.example", "text": "\n".join(lines)}
            )
    choice.shuffle(records)
    return records


@pytest.fixture(scope="session")
def expected(corpus: list[Record]) -> dict[str, str]:
    """What ``clean`` makes of every document of the corpus, one by one."""
    cleaned = {record["id"]: cleanfeed.clean(record["text"]) for record in corpus}
    assert len(cleaned) == len(LANGUAGES) * DOCUMENTS_OF_LANGUAGE
    assert sum(cleaned[record["id"]] != record["text"] for record in corpus) > len(corpus) / 2
    return cleaned


@pytest.fixture(scope="session")
def jsonl(corpus: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus as a folder of JSON Lines."""
    folder = tmp_path_factory.mktemp("jsonl")
    for shard in range(SHARDS):
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in corpus[shard::SHARDS]]
        (folder / f"{shard}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def parquet(corpus: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus as a folder of Parquet files."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("parquet")
    for shard in range(SHARDS):
        pq.write_table(pa.Table.from_pylist(corpus[shard::SHARDS]), folder / f"{shard}.parquet")
    return folder


@pytest.fixture(scope="session")
def large(corpus: list[Record]) -> str:
    """One document of 10 MB."""
    lines = [record["text"] for record in corpus]
    size = sum(len(line.encode("utf-8")) for line in lines)
    text = "\n".join(lines * (10_000_000 // size + 1))
    return text[: int(len(text) * 10_000_000 / len(text.encode("utf-8")))]


@pytest.fixture(scope="session")
def odd(corpus: list[Record], large: str) -> list[Any]:
    """Values that stand in columns of texts: among them every kind that is no text, and texts that are hard to take."""
    usual = [record["text"] for record in corpus[:3]]
    surrogates = f"{usual[0]}\n\ud83d half a character\n\udc00"
    return [
        None,
        usual[0],
        "",
        12,
        3.5,
        large,
        None,
        True,
        surrogates,
        "\n\r\n",
        usual[1],
        b"bytes",
        ["list"],
        usual[2],
    ]


@pytest.fixture(scope="session")
def odd_cleaned(odd: list[Any]) -> list[Any]:
    """What must become of them: texts as ``clean`` has it, all else as it is."""
    return [cleanfeed.clean(value) if isinstance(value, str) else value for value in odd]


@pytest.fixture
def killing() -> Callable[[Callable[[int, str], bool]], Any]:
    """A context in which one working process below this one is killed; it gives the list of those killed."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to find a worker to kill")
    return _killing


@contextmanager
def _killing(is_worker: Callable[[int, str], bool], *, after: float = 0.5) -> Iterator[list[int]]:
    """Wait for a worker that is seen to work for some processor seconds, and kill it."""
    killed: list[int] = []
    first: dict[int, float] = {}
    over = threading.Event()

    def kill() -> None:
        while not over.is_set() and not killed:
            for pid, command in descendants(os.getpid()):
                if is_worker(pid, command) and cpu_seconds(pid) - first.setdefault(pid, cpu_seconds(pid)) > after:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    break
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def descendants(ancestor: int) -> list[tuple[int, str]]:
    """Process number and command line of all processes below one."""
    parents, commands = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            commands[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (OSError, ValueError):
            continue

    def is_below(pid: int) -> bool:
        while pid in parents and pid != ancestor:
            pid = parents[pid]
        return pid == ancestor

    return [(pid, command) for pid, command in commands.items() if pid != ancestor and is_below(pid)]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
