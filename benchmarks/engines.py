"""Measure what the engines cost: throughput of each on one and two workers beside bare ``clean_many``.

    python benchmarks/engines.py                     every engine that is installed, a Markdown table on standard output
    python benchmarks/engines.py --engines spark,ray --size 20

Each engine reads Parquet, cleans the column ``text`` and writes Parquet. It does so with a few megabytes and with many,
several times each, and what counts is the difference of the fastest: starting a JVM or a cluster takes its time whatever
there is to do, and what disturbs a run only ever makes it slower. Seconds of processors are those of all processes of the
engine together, so they say what a terabyte costs; seconds of the clock need an idle machine. Memory is the largest that
a worker grew to, without program files and the object store, which workers share.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARDS = 8
SMALL_SHARE = 0.2
"""Size of the small run, of that of the large one."""

Job = Callable[[Path, Path, int], None]
"""Cleans a folder of Parquet files into another with so many workers."""


@dataclass(frozen=True)
class Run:
    """What one job took."""

    seconds: float
    cpu_seconds: float
    worker_megabytes: float


def bare(source: Path, target: Path, workers: int) -> None:
    """No engine: each process reads files, calls ``clean_many`` and writes files."""
    from joblib import Parallel, delayed

    files = sorted(source.glob("*.parquet"))
    Parallel(n_jobs=workers)(delayed(bare_file)(file, target / file.name) for file in files)


def bare_file(source: Path, target: Path) -> None:
    """Clean one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cleanfeed import Cleaner

    table = pq.read_table(source)
    texts = pa.array(Cleaner().clean_many(table["text"].to_pylist()), pa.string())
    target.parent.mkdir(exist_ok=True)
    pq.write_table(table.set_column(table.column_names.index("text"), "text", texts), target)


def spark(source: Path, target: Path, workers: int) -> None:
    """Spark by ``mapInArrow``."""
    from pyspark.sql import SparkSession

    from cleanfeed.engines.spark import clean_column

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = SparkSession.builder.master(f"local[{workers}]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    clean_column(session.read.parquet(str(source))).write.parquet(str(target))
    session.stop()


def ray(source: Path, target: Path, workers: int) -> None:
    """Ray Data with so many actors, and room beside them for reading."""
    import ray

    from cleanfeed.engines.ray import clean_column

    ray.init(num_cpus=workers + 1, include_dashboard=False, log_to_driver=False, object_store_memory=300_000_000)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # As a rule a block is 128 MB and goes to one actor: all that there is here would be one.
    context.target_max_block_size = 4 << 20
    clean_column(ray.data.read_parquet(str(source)), workers=workers).write_parquet(str(target))
    ray.shutdown()


def datatrove(source: Path, target: Path, workers: int, *, labels: bool = False) -> None:
    """datatrove, without counting lines by label."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter

    from cleanfeed.engines.datatrove import CleanFormatter

    steps = [ParquetReader(str(source)), CleanFormatter(labels=labels), ParquetWriter(str(target))]
    log = str(target.with_suffix(".log"))
    LocalPipelineExecutor(steps, tasks=SHARDS, workers=workers, logging_dir=log).run()


def datatrove_labels(source: Path, target: Path, workers: int) -> None:
    """datatrove, counting lines by label."""
    datatrove(source, target, workers, labels=True)


def datasets(source: Path, target: Path, workers: int) -> None:
    """Hugging Face datasets by ``map``."""
    import datasets

    from cleanfeed.engines.datasets import clean_batch

    datasets.disable_progress_bars()
    files = [str(path) for path in sorted(source.glob("*.parquet"))]
    rows = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(target.with_suffix(".cache"))
    )
    rows = rows.map(clean_batch, batched=True, num_proc=workers if workers > 1 else None)
    target.mkdir()
    rows.to_parquet(str(target / "all.parquet"))


ENGINES: dict[str, tuple[str, Job, str]] = {
    "clean_many": ("pyarrow", bare, "loky"),
    "spark": ("pyspark", spark, "pyspark.daemon"),
    "ray": ("ray", ray, "CleanBatch"),
    "datatrove": ("datatrove", datatrove, "multiprocess"),
    "datatrove by label": ("datatrove", datatrove_labels, "multiprocess"),
    "datasets": ("datasets", datasets, "--job"),
}
"""By name: the module that must be there, the job, and what the command line of its workers holds."""


class Watch:
    """Adds up processor time and notes the memory of this process's children, while it is open."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._cpu: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_often)
        self.megabytes = 0.0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def cpu_seconds(self) -> float:
        """Of all processes that were seen."""
        return sum(self._cpu.values())

    def _look_often(self) -> None:
        import psutil

        me = psutil.Process()
        while not self._over.wait(0.1):
            for process in me.children(recursive=True):
                try:
                    times = process.cpu_times()
                    self._cpu[process.pid] = times.user + times.system
                    memory = process.memory_info()
                    if self._worker in " ".join(process.cmdline()):
                        self.megabytes = max(self.megabytes, (memory.rss - memory.shared) / 1e6)
                except psutil.Error:
                    continue


def measure(name: str, source: Path, workers: int, repeats: int) -> Run:
    """The least that an engine took of several runs, and the most memory."""
    runs = [run_once(name, source, workers) for _ in range(repeats)]
    print(name, workers, *runs, sep="\n  ", file=sys.stderr, flush=True)
    seconds, cpu_seconds = min(run.seconds for run in runs), min(run.cpu_seconds for run in runs)
    return Run(seconds, cpu_seconds, max(run.worker_megabytes for run in runs))


def run_once(name: str, source: Path, workers: int) -> Run:
    """Run an engine in a process of its own, and watch it."""
    with tempfile.TemporaryDirectory() as folder, Watch(ENGINES[name][2]) as watch:
        target = Path(folder) / "out"
        command = [sys.executable, __file__, "--job", name, str(source), str(target), str(workers)]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        seconds = time.perf_counter() - started
        check(source, target)
    return Run(seconds, watch.cpu_seconds, watch.megabytes)


def check(source: Path, target: Path) -> None:
    """A benchmark of wrong results is none: as many documents, and fewer characters."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    before, after = (pq.read_table(folder, columns=["text"])["text"] for folder in (source, target))
    assert len(before) == len(after)
    assert 0 < pc.sum(pc.binary_length(after)).as_py() < pc.sum(pc.binary_length(before)).as_py()


def write_corpus(folder: Path, megabytes: float) -> float:
    """Write the project's own documents over and over as Parquet; returns their megabytes of UTF-8."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines = [
        line for path in sorted((HERE / "labelled").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    texts = ["\n".join(json.loads(line)["lines"]) for line in lines]
    once = sum(len(text.encode("utf-8")) for text in texts) / 1e6
    texts *= max(1, round(megabytes / once))
    folder.mkdir(parents=True)
    for shard in range(SHARDS):
        mine = texts[shard::SHARDS]
        table = pa.table({"id": [f"{shard}-{number}" for number in range(len(mine))], "text": mine})
        pq.write_table(table, folder / f"{shard}.parquet", use_dictionary=False)
    return sum(len(text.encode("utf-8")) for text in texts) / 1e6


def report(names: list[str], size: float, repeats: int, scratch: Path) -> list[str]:
    """Measure engines; rows of a table."""
    small, large = scratch / "small", scratch / "large"
    more = -write_corpus(small, size * SMALL_SHARE) + write_corpus(large, size)
    rows = [
        f"{more:.0f} MB of text (UTF-8) more in the large run than in the small one, {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f} when it began.",
        "",
        "| engine | MB/s, 1 worker | 2 workers | growth | MB per processor second | start, s | memory of a worker, MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in names:
        speeds, costs, starts, memory = [], [], [], 0.0
        for workers in (1, 2):
            runs = [measure(name, folder, workers, repeats) for folder in (small, large)]
            speeds.append(more / (runs[1].seconds - runs[0].seconds))
            costs.append(more / (runs[1].cpu_seconds - runs[0].cpu_seconds))
            starts.append(runs[0].seconds - more * SMALL_SHARE / (1 - SMALL_SHARE) / speeds[-1])
            memory = max(memory, *(run.worker_megabytes for run in runs))
        shown = f"{memory:.0f}" if memory else "–"
        rows.append(
            f"| {name} | {speeds[0]:.1f} | {speeds[1]:.1f} | {speeds[1] / speeds[0]:.2f} | {costs[0]:.1f} | "
            f"{starts[0]:.1f} | {shown} |"
        )
    return rows


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", metavar="A,B,…", default=",".join(ENGINES), help="default: all that are installed")
    parser.add_argument("--size", type=float, default=36, metavar="MB", help="text in the large run (default: 36)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of each kind (default: 3)")
    parser.add_argument("--job", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        name, source, target, workers = args.job
        ENGINES[name][1](Path(source), Path(target), int(workers))
        return 0
    names = []
    for name in args.engines.split(","):
        try:
            importlib.import_module(ENGINES[name][0])
            names.append(name)
        except ImportError as error:
            print(f"{name} is not run: {error}", file=sys.stderr)
    scratch = Path(tempfile.mkdtemp(prefix="cleanfeed-engines-"))
    try:
        print("\n".join(report(names, args.size, args.repeats, scratch)))
    finally:
        shutil.rmtree(scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
