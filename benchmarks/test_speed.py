"""Time and memory of cleanfeed by script, size and shape, alone and in batches, and of its peers beside it.

    python -m pytest benchmarks/test_speed.py                       about two minutes
    CLEANFEED_HEAVY=1 python -m pytest benchmarks/test_speed.py     texts of 10 and 100 MB and millions of lines as well

Peers that are not installed are skipped by name. `extra_info` of each result holds bytes, lines and, for peers, the
ratio to cleanfeed on the same documents, a median of runs in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cleanfeed import Cleaner, clean
from cleanfeed.evaluation.systems import Bench, Unavailable, peers
from speed_support import SCRIPTS, mixed, own_documents, page, paired_ratio

ROOT = Path(__file__).resolve().parents[1]
heavy = pytest.mark.skipif(not os.environ.get("CLEANFEED_HEAVY"), reason="takes minutes; set CLEANFEED_HEAVY=1")

SIZES = [("one line", 60), ("300 B", 300), ("6 kB", 6_000), ("100 kB", 100_000), ("1 MB", 1_000_000)]
HEAVY_SIZES = [("10 MB", 10_000_000), ("100 MB", 100_000_000)]
SHAPES: dict[str, Callable[[], str]] = {
    "giant line": lambda: "giant " * 2_000_000,
    "long paragraphs": lambda: "\n".join(["A long paragraph of a report. " * 100] * 3000),
    "5 million empty lines": lambda: "\n" * 5_000_000,
    "1 million short lines": lambda: "ab\n" * 1_000_000,
}
PEERS = {"c4": 570, "boilerpy3-article": 300, "justext": 150, "winnow-md": 60}
"""Peer → documents it is timed on, so that each takes seconds."""


def measure(benchmark: Any, work: Callable[[], object], texts: list[str]) -> None:
    """Run ``work`` and note what it worked on."""
    size = sum(len(text.encode()) for text in texts)
    rounds = 1 if size > 20_000_000 else 5
    benchmark.pedantic(work, rounds=rounds, warmup_rounds=int(rounds > 1), iterations=20 if size < 20_000 else 1)
    lines = sum(text.count("\n") + 1 for text in texts)
    speed = {"MB_per_second": round(size / benchmark.stats.stats.median / 1e6, 2)} if benchmark.stats else {}
    benchmark.extra_info.update(bytes=size, lines=lines, **speed)


@pytest.mark.benchmark(group="script, 300,000 characters")
@pytest.mark.parametrize("script", [*SCRIPTS, "mixed"])
def test_script(benchmark: Any, script: str) -> None:
    """Texts of one script each, and one that mixes them."""
    text = mixed(300_000) if script == "mixed" else page(script, 300_000)
    measure(benchmark, lambda: clean(text), [text])


@pytest.mark.benchmark(group="size, one call")
@pytest.mark.parametrize(
    "characters",
    [pytest.param(size, id=name) for name, size in SIZES]
    + [pytest.param(size, id=name, marks=heavy) for name, size in HEAVY_SIZES],
)
def test_size(benchmark: Any, characters: int) -> None:
    """One call on a text of each size."""
    text = page("latin", characters)
    measure(benchmark, lambda: clean(text), [text])


@heavy
@pytest.mark.benchmark(group="shape, one call")
@pytest.mark.parametrize("shape", SHAPES)
def test_shape(benchmark: Any, shape: str) -> None:
    """One call on a text of a shape that the web has few of."""
    text = SHAPES[shape]()
    measure(benchmark, lambda: clean(text), [text])


@pytest.mark.benchmark(group="the project's own documents")
@pytest.mark.parametrize("way", ["one by one", "clean_many", "clean_many, two threads"])
def test_batch(benchmark: Any, way: str) -> None:
    """The same documents alone, together, and in two threads."""
    texts = ["\n".join(lines) for lines, _ in own_documents()]
    cleaner = Cleaner()

    def two_threads() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: list(cleaner.clean_many(texts[part::2])), range(2)))

    work = {
        "one by one": lambda: [cleaner.clean(text) for text in texts],
        "clean_many": lambda: list(cleaner.clean_many(texts)),
        "clean_many, two threads": two_threads,
    }[way]
    measure(benchmark, work, texts)


@pytest.mark.benchmark(group="peers, the project's own documents")
@pytest.mark.parametrize("name", PEERS)
def test_peer(benchmark: Any, name: str) -> None:
    """Another tool on the same documents, and how many times longer it takes than `clean_many`."""
    peer = peers()[name]
    assert peer.keep is not None
    try:
        peer.load(Bench())
    except Unavailable as reason:
        pytest.skip(str(reason))
    judge = peer.keep(Bench())
    documents = own_documents()[: PEERS[name]]
    texts = ["\n".join(lines) for lines, _ in documents]
    cleaner = Cleaner()

    def theirs() -> None:
        for lines, language in documents:
            judge(lines, language)

    measure(benchmark, theirs, texts)
    benchmark.extra_info["times_cleanfeed"] = round(paired_ratio(theirs, lambda: list(cleaner.clean_many(texts))), 2)


@pytest.mark.benchmark(group="cold")
def test_cold_import_and_first_call(benchmark: Any) -> None:
    """A fresh interpreter, from its start to its end."""
    command = [sys.executable, "-c", "from cleanfeed import clean; clean('one\\ntwo\\nthree')"]
    benchmark.pedantic(lambda: subprocess.run(command, check=True), rounds=7, warmup_rounds=1)


@heavy
@pytest.mark.benchmark(group="peak memory")
@pytest.mark.parametrize("text", ["page('latin', 100_000_000)", *(f"SHAPES[{shape!r}]()" for shape in SHAPES)])
def test_peak_memory(benchmark: Any, text: str) -> None:
    """Peak resident memory of a process of its own, interpreter and text included, in `extra_info`."""
    # Not ru_maxrss: a child begins with that of the process it was forked from.
    if not Path("/proc/self/status").exists():
        pytest.skip("reads the peak from /proc, which this system has not")
    code = (
        "import sys; sys.path[:0] = ['tests', 'benchmarks']; from test_speed import *\n"
        f"text = {text}; size = len(text.encode()); clean(text)\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(size, int(status['VmHWM'].split()[0]) * 1024)"
    )
    run = benchmark.pedantic(
        lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT),
        rounds=1,
    )
    size, peak = map(int, run.stdout.split())
    benchmark.extra_info.update(bytes=size, peak_bytes=peak, times_size=round(peak / size, 1))
