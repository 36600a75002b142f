"""datatrove with its local executor, readers and writers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import cleanfeed
from cleanfeed import Cleaner

pytest.importorskip("datatrove")
pytest.importorskip("orjson")
pytest.importorskip("pyarrow")

import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader, ParquetReader
from datatrove.pipeline.writers import JsonlWriter, ParquetWriter

from cleanfeed.engines.datatrove import CleanFormatter, EnoughLeft, text_adapter


def run(folder: Path, steps: list[Any], *, tasks: int = 4, workers: int = 2) -> dict[str, dict[str, Any]]:
    """Run a pipeline; the statistics of each step by the last word of its name."""
    executor = LocalPipelineExecutor(steps, tasks=tasks, workers=workers, logging_dir=str(folder / "log"))
    executor.run()
    stats = json.loads((folder / "log" / "stats.json").read_text())
    return {step["name"].split()[-1]: step["stats"] for step in stats}


def count(stats: dict[str, Any], name: str) -> int:
    """A counter of a step: plain, or with mean and spread."""
    value = stats.get(name, 0)
    return int(value["total"] if isinstance(value, dict) else value)


def test_jsonl_equals_clean(
    jsonl: Path, corpus: list[dict[str, Any]], expected: dict[str, str], tmp_path: Path
) -> None:
    """JSONL in, JSONL out in two processes: as ``clean`` has it, and the statistics count what ``explain`` says."""
    steps = [JsonlReader(str(jsonl)), CleanFormatter(), JsonlWriter(str(tmp_path / "out"), compression=None)]
    stats = run(tmp_path, steps)["cleanfeed"]
    lines = [line for path in (tmp_path / "out").glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    # datatrove's writer leaves out what is empty, a text too.
    assert {record["id"]: record.get("text", "") for record in map(json.loads, lines)} == expected
    assert len(lines) == len(expected)
    dropped: Counter[str] = Counter()
    for record in corpus:
        dropped.update(x.label for x in cleanfeed.explain(record["text"]) if x.dropped and x.label != "blank")
    assert {label: count(stats, f"dropped_lines_{label}") for label in dropped} == dict(dropped)
    assert count(stats, "total") == len(corpus)
    assert count(stats, "changed") == sum(expected[record["id"]] != record["text"] for record in corpus)
    assert count(stats, "bad_value") == 0
    gone = sum(len(record["text"]) - len(expected[record["id"]]) for record in corpus)
    assert count(stats, "dropped_characters") == gone


def test_parquet_with_filter(
    parquet: Path, corpus: list[dict[str, Any]], expected: dict[str, str], tmp_path: Path
) -> None:
    """Parquet in, Parquet out; documents with too little left go, to the exclusion writer, each with its reason."""
    steps = [
        ParquetReader(str(parquet)),
        CleanFormatter(labels=False, share="left"),
        EnoughLeft(300, 0.8, share="left", exclusion_writer=JsonlWriter(str(tmp_path / "excluded"), compression=None)),
        ParquetWriter(str(tmp_path / "out")),
    ]
    stats = run(tmp_path, steps)["left"]
    wanted, reasons = {}, Counter()
    for record in corpus:
        text = expected[record["id"]]
        if sum(not char.isspace() for char in text) < 300:
            reasons["too_little_text"] += 1
        elif len(text) / len(record["text"]) < 0.8:
            reasons["too_little_left"] += 1
        else:
            wanted[record["id"]] = text
    assert min(reasons.values()) > 10
    assert {reason: count(stats, f"dropped_{reason}") for reason in reasons} == dict(reasons)
    out = pq.read_table(tmp_path / "out", columns=["id", "text"])
    assert dict(zip(out["id"].to_pylist(), out["text"].to_pylist(), strict=True)) == wanted
    excluded = [x for path in (tmp_path / "excluded").glob("*") for x in path.read_text("utf-8").splitlines()]
    assert len(excluded) == len(corpus) - len(wanted)


def test_odd_values(odd: list[Any], odd_cleaned: list[Any]) -> None:
    """Nulls, numbers, empty texts, 10 MB and lone surrogates pass the step, in order; what is bad is counted."""
    step = CleanFormatter(share="left")
    documents = [Document(text=value, id=str(number)) for number, value in enumerate(odd)]
    out = list(step(iter(documents)))
    assert [document.text for document in out] == odd_cleaned
    assert [document.id for document in out] == [str(number) for number in range(len(odd))]
    assert step.stats["bad_value"].total == sum(value is not None and not isinstance(value, str) for value in odd)
    assert [list(EnoughLeft(1)([document])) != [] for document in out] == [
        isinstance(value, str) and bool(value.strip()) for value in odd_cleaned
    ]


def test_numbers_in_a_file(tmp_path: Path, corpus: list[dict[str, Any]]) -> None:
    """A number in a JSONL file is read as text; records without a text are left out by datatrove's reader."""
    text = corpus[0]["text"]
    (tmp_path / "in").mkdir()
    values = [text, 12, None, "", corpus[1]["text"]]
    (tmp_path / "in" / "a.jsonl").write_text("".join(json.dumps({"text": value}) + "\n" for value in values))
    writer = JsonlWriter(str(tmp_path / "out"), compression=None)
    reader = JsonlReader(str(tmp_path / "in"), adapter=text_adapter)
    stats = run(tmp_path, [reader, CleanFormatter(), writer], tasks=1, workers=1)
    out = [json.loads(line)["text"] for line in (tmp_path / "out" / "00000.jsonl").read_text("utf-8").splitlines()]
    assert out == [cleanfeed.clean(text), "12", cleanfeed.clean(corpus[1]["text"])]
    assert count(stats["cleanfeed"], "total") == 3


def test_format_is_clean(corpus: list[dict[str, Any]]) -> None:
    """The one method that datatrove asks of a formatter cleans a text, with the settings of the step."""
    text = corpus[0]["text"]
    assert CleanFormatter(threshold=0.2, drop=["meta"]).format(text) == Cleaner(threshold=0.2, drop=["meta"]).clean(
        text
    )
    with pytest.raises(ValueError, match="unknown label"):
        CleanFormatter(drop=["nonsense"])


def test_share_must_have_been_written(corpus: list[dict[str, Any]]) -> None:
    """Asking for a share that no step wrote is an error, not a document kept or lost."""
    with pytest.raises(KeyError, match="share_left"):
        EnoughLeft(1, 0.5).filter(Document(text=corpus[0]["text"], id="a"))
