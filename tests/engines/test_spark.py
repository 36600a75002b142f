"""Spark, two threads and real Python workers."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cleanfeed
from cleanfeed import Cleaner, lines

pytest.importorskip("pyspark")
pa = pytest.importorskip("pyarrow")

import pyarrow.parquet as pq  # noqa: E402 - after the skips

from cleanfeed.engines.spark import clean_column, count_repeats  # noqa: E402


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session that tries a failed task up to four times, as a cluster does."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.memory", "2g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def texts_of(frame: Any, column: str = "text") -> dict[str, Any]:
    return {row["id"]: row[column] for row in frame.select("id", column).toArrow().to_pylist()}


def test_parquet_equals_clean(spark: Any, parquet: Path, expected: dict[str, str], tmp_path: Path) -> None:
    """Parquet in, Parquet out: every document is as ``clean`` has it, and the other columns are as they were."""
    frame = spark.read.parquet(str(parquet))
    bad = spark.sparkContext.accumulator(0)
    clean_column(frame, "text", bad=bad).write.parquet(str(tmp_path / "out"))
    out = pq.read_table(tmp_path / "out")
    assert out.column_names == ["id", "lang", "site", "text"]
    assert dict(zip(out["id"].to_pylist(), out["text"].to_pylist(), strict=True)) == expected
    before = pq.read_table(parquet)
    assert out.drop_columns(["text"]).sort_by("id").equals(before.drop_columns(["text"]).sort_by("id"))
    assert bad.value == 0


def test_into_another_column_with_rejects(spark: Any, jsonl: Path, expected: dict[str, str]) -> None:
    """Cleaned texts and dropped lines go into columns of their own; together they make up the text."""
    frame = clean_column(spark.read.json(str(jsonl / "0.jsonl")), "text", "cleaned", "rejects").toArrow()
    assert len(frame) == len(expected) / 8
    for row in frame.to_pylist():
        assert row["cleaned"] == expected[row["id"]]
        pieces = [row["text"][line["start"] :].splitlines()[0] for line in row["rejects"]]
        assert pieces == [line["text"] for line in row["rejects"]]
        dropped = [line for line in cleanfeed.explain(row["text"]) if line.dropped and line.label != "blank"]
        assert [(line["start"], line["label"], line["score"]) for line in row["rejects"]] == [
            (line.start, line.label, line.score) for line in dropped
        ]


def test_settings_reach_the_workers(spark: Any, parquet: Path, corpus: list[dict[str, Any]]) -> None:
    """Threshold and labels to drop are those asked for."""
    cleaner = Cleaner(threshold=0.2, drop={"teaser", "meta"})
    frame = clean_column(spark.read.parquet(str(parquet / "0.parquet")), threshold=0.2, drop={"teaser", "meta"})
    wanted = {record["id"]: cleaner.clean(record["text"]) for record in corpus[::8]}
    assert texts_of(frame) == wanted


def test_odd_shard(spark: Any, odd: list[Any], tmp_path: Path) -> None:
    """Nulls, empty texts, 10 MB, lone surrogates and bytes that are no UTF-8 come through; what is bad is counted."""
    values = [value for value in odd if value is None or isinstance(value, str)]
    wanted = [None if value is None else cleanfeed.clean(value).encode("utf-8", "surrogatepass") for value in values]
    raw = [None if value is None else value.encode("utf-8", "surrogatepass") for value in values]
    raw.append(b"\xff\xfe damaged\n\x80")
    wanted.append(raw[-1])
    table = pa.table({"id": range(len(raw)), "text": pa.array(raw, pa.binary()).view(pa.string())})
    pq.write_table(table, tmp_path / "odd.parquet")
    bad = spark.sparkContext.accumulator(0)
    clean_column(spark.read.parquet(str(tmp_path / "odd.parquet")), bad=bad).write.parquet(str(tmp_path / "out"))
    out = pq.read_table(tmp_path / "out").sort_by("id")
    assert out["text"].combine_chunks().view(pa.binary()).to_pylist() == wanted
    assert bad.value == 1


def test_json_with_numbers(spark: Any, tmp_path: Path, corpus: list[dict[str, Any]]) -> None:
    """Where JSON holds numbers among texts, Spark reads them as text, and so they come out."""
    text = corpus[0]["text"]
    records = [
        {"id": "a", "text": text},
        {"id": "b", "text": 12},
        {"id": "c", "text": None},
        {"id": "d"},
        {"id": "e", "text": ""},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    frame = clean_column(spark.read.json(str(tmp_path / "a.jsonl")))
    assert texts_of(frame) == {"a": cleanfeed.clean(text), "b": "12", "c": None, "d": None, "e": ""}


def test_wrong_calls_fail_before_the_job(spark: Any) -> None:
    """A column that is absent or holds no strings, and a wrong setting, are told at once."""
    frame = spark.range(3)
    with pytest.raises(ValueError, match="no column 'text', only id"):
        clean_column(frame)
    with pytest.raises(TypeError, match="'id' is bigint, not string"):
        clean_column(frame, "id")
    with pytest.raises(ValueError, match="threshold"):
        clean_column(frame.selectExpr("string(id) AS text"), threshold=2)


def test_killed_worker(
    spark: Any, parquet: Path, expected: dict[str, str], killing: Callable[..., Any], tmp_path: Path
) -> None:
    """A Python worker killed in mid-job costs time and nothing else."""
    copies = 3
    frame = spark.read.parquet(str(parquet)).crossJoin(spark.range(copies).withColumnRenamed("id", "copy"))
    bad = spark.sparkContext.accumulator(0)
    spark.sparkContext.setJobGroup("killed", "a worker is killed")
    with killing(lambda _, command: "pyspark.daemon" in command, after=0.5) as killed:
        clean_column(frame, bad=bad).write.parquet(str(tmp_path / "out"))
    tracker = spark.sparkContext.statusTracker()
    stages = [stage for job in tracker.getJobIdsForGroup("killed") for stage in tracker.getJobInfo(job).stageIds]
    assert killed
    assert sum(tracker.getStageInfo(stage).numFailedTasks for stage in stages) >= 1
    out = pq.read_table(tmp_path / "out", columns=["id", "text", "copy"]).to_pylist()
    assert Counter(row["id"] for row in out) == dict.fromkeys(expected, copies)
    assert all(row["text"] == expected[row["id"]] for row in out)
    assert bad.value == 0


def test_repeats_are_counted_and_used(spark: Any, parquet: Path, corpus: list[dict[str, Any]]) -> None:
    """Counts are documents of a site that carry a line, and texts are cleaned as with those counts by themselves."""
    frame = spark.read.parquet(str(parquet))
    twice = frame.unionAll(frame.limit(300))  # what a crawl has twice counts once
    counts = count_repeats(twice, at_least=5)
    carried: Counter[tuple[str, str]] = Counter()
    different = {
        (record["site"], frozenset(line_key(line) for line in lines_of(record["text"]) if line_key(line)))
        for record in corpus
    }
    for site, keys in different:
        carried.update((site, key) for key in keys)
    assert sorted(row["documents"] for row in counts.collect()) == sorted(n for n in carried.values() if n >= 5)
    known = [
        [n if (n := carried[record["site"], line_key(line)]) >= 5 else 1 for line in lines_of(record["text"])]
        for record in corpus
    ]
    texts = [record["text"] for record in corpus]
    wanted = dict(zip([each["id"] for each in corpus], Cleaner().clean_many(texts, repeats=known), strict=True))
    found = texts_of(clean_column(frame, repeats=counts))
    assert found == wanted
    assert found != texts_of(clean_column(frame))


def test_texts_without_a_site(spark: Any, corpus: list[dict[str, Any]]) -> None:
    """A text whose site is not known is neither counted nor judged by counts; an empty table of counts is one."""
    text = corpus[0]["text"]
    rows = [(str(n), site, text) for n, site in enumerate([None, "", "a.example"])]
    rows += [("3", "a.example", f"{text}\nmore"), ("4", "a.example", None)]
    frame = spark.createDataFrame(rows, "id string, site string, text string")
    cleaned = cleanfeed.clean(text)
    assert count_repeats(frame, at_least=3).count() == 0
    assert count_repeats(frame, at_least=2).count() > 3
    found = texts_of(clean_column(frame, repeats=count_repeats(frame, at_least=3)))
    assert found == {"0": cleaned, "1": cleaned, "2": cleaned, "3": cleanfeed.clean(f"{text}\nmore"), "4": None}


def lines_of(text: str) -> list[str]:
    starts, ends = lines.split(text)
    return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def line_key(line: str) -> str:
    """What of a line counts: its first 400 characters without white space and digits."""
    return "".join(char for char in line[:400] if not char.isspace() and not char.isdecimal())
