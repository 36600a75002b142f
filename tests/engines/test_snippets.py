"""The examples of docs/scale.md, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cleanfeed
from cleanfeed import Cleaner

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SNIPPETS = dict(re.findall(r"<!-- run: (\w+) -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))

Record = dict[str, Any]


def run(name: str, source: Path, target: Path, folder: Path) -> str:
    """Run an example as a script, Spark's by spark-submit; what it printed."""
    script = folder / f"job_{name}.py"  # a script called ray.py would be what `import ray` finds
    script.write_text(SNIPPETS[name], encoding="utf-8")
    command = [sys.executable, str(script)]
    if "pyspark" in SNIPPETS[name]:
        import pyspark

        submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
        command = [str(submit), "--master", "local[2]", "--conf", "spark.ui.enabled=false", str(script)]
    folders = os.pathsep.join([str(Path(cleanfeed.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    python = {"PYTHONPATH": folders, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    environment = {**os.environ, **python, "HF_HOME": str(folder / "cache")}
    done = subprocess.run(
        [*command, str(source), str(target)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def texts_in(folder: Path) -> dict[str, str]:
    import pyarrow.parquet as pq

    table = pq.read_table(folder, columns=["id", "text"])
    assert len(table) == len(set(table["id"].to_pylist()))
    return dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))


def test_every_example_is_run() -> None:
    """No block of Python on the page goes without a test."""
    assert len(SNIPPETS) == PAGE.read_text(encoding="utf-8").count("```python")
    assert set(SNIPPETS) == {"spark", "ray", "datatrove", "datasets", "dask", "polars", "repeats"}


@pytest.mark.parametrize(("name", "module"), [("spark", "pyspark"), ("ray", "ray"), ("datasets", "datasets")])
def test_parquet_to_parquet(name: str, module: str, parquet: Path, expected: dict[str, str], tmp_path: Path) -> None:
    """Each engine's example cleans the corpus as ``clean`` does."""
    pytest.importorskip(module)
    (tmp_path / "out").mkdir()
    printed = run(name, parquet, tmp_path / "out", tmp_path)
    assert texts_in(tmp_path / "out") == expected
    if name == "spark":
        assert "0 values could not be cleaned" in printed


def test_datatrove(jsonl: Path, corpus: list[Record], expected: dict[str, str], tmp_path: Path) -> None:
    """The example for datatrove cleans, and drops what has too little left."""
    pytest.importorskip("datatrove")
    run("datatrove", jsonl, tmp_path / "out", tmp_path)
    wanted = {
        record["id"]: text
        for record in corpus
        if len("".join((text := expected[record["id"]]).split())) >= 200 and len(text) >= 0.1 * len(record["text"])
    }
    assert 0 < len(wanted) < len(corpus)
    assert texts_in(tmp_path / "out") == wanted


def test_dask(corpus: list[Record], expected: dict[str, str], tmp_path: Path) -> None:
    """The example for dask cleans records, nulls and numbers among them."""
    pytest.importorskip("dask.bag")
    pytest.importorskip("toolz")
    (tmp_path / "in").mkdir()
    records = [*corpus[:400], {"id": "null", "text": None}, {"id": "number", "text": 12}]
    for shard in range(2):
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records[shard::2]]
        (tmp_path / "in" / f"{shard}.jsonl").write_text("".join(lines), encoding="utf-8")
    run("dask", tmp_path / "in", tmp_path / "out", tmp_path)
    lines = [line for path in (tmp_path / "out").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert {record["id"]: record["text"] for record in map(json.loads, lines)} == {
        **{record["id"]: expected[record["id"]] for record in corpus[:400]},
        "null": None,
        "number": 12,
    }


def test_polars(corpus: list[Record], expected: dict[str, str], tmp_path: Path) -> None:
    """The example for polars cleans a column, nulls and empty texts among it."""
    polars = pytest.importorskip("polars")
    (tmp_path / "in").mkdir()
    odd = {"null": None, "empty": ""}
    texts = {record["id"]: record["text"] for record in corpus[:400]} | odd
    polars.DataFrame({"id": list(texts), "text": list(texts.values())}).write_parquet(tmp_path / "in" / "a.parquet")
    run("polars", tmp_path / "in", tmp_path / "out.parquet", tmp_path)
    out = polars.read_parquet(tmp_path / "out.parquet")
    wanted = {record["id"]: expected[record["id"]] for record in corpus[:400]} | odd
    assert dict(zip(out["id"].to_list(), out["text"].to_list(), strict=True)) == wanted


def test_repeats(corpus: list[Record], tmp_path: Path) -> None:
    """The example with two jobs drops what stands on every page of a site."""
    pytest.importorskip("pyspark")
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    rows = [{"id": r["id"], "url": f"https://{r['site']}/{r['id']}", "text": r["text"]} for r in corpus[:1200]]
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet")
    run("repeats", tmp_path / "in", tmp_path / "out", tmp_path)
    found = texts_in(tmp_path / "out")
    feet = {record["id"]: record["text"].splitlines()[-1] for record in corpus[:1200]}
    alone = dict(zip([row["id"] for row in rows], Cleaner().clean_many(row["text"] for row in rows), strict=True))
    assert len(found) == len(rows)

    def kept(cleaned: dict[str, str]) -> int:
        return sum(text.endswith(feet[name]) for name, text in cleaned.items())

    assert kept(found) < kept(alone)
