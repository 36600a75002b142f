"""Hugging Face datasets."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cleanfeed
from cleanfeed import Cleaner

datasets = pytest.importorskip("datasets")

from cleanfeed.engines.datasets import CleanBatch, clean_batch  # noqa: E402 - after the skip


@pytest.fixture
def documents(parquet: Path, tmp_path: Path) -> Any:
    """The corpus, with a cache of its own."""
    datasets.disable_progress_bars()
    files = [str(path) for path in sorted(parquet.glob("*.parquet"))]
    return datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("processes", [None, 2])
def test_map_equals_clean(documents: Any, expected: dict[str, str], processes: int | None) -> None:
    """The column is as ``clean`` has it, in this process or in two, and the other columns are as they were."""
    out = documents.map(clean_batch, batched=True, num_proc=processes)
    assert dict(zip(out["id"], out["text"], strict=True)) == expected
    assert out.column_names == documents.column_names
    assert out["site"] == documents["site"]


def test_arrow_batches(documents: Any, expected: dict[str, str]) -> None:
    """Batches in Arrow's format give the same."""
    out = documents.with_format("arrow").map(clean_batch, batched=True).with_format(None)
    assert dict(zip(out["id"], out["text"], strict=True)) == expected


def test_streaming(documents: Any, expected: dict[str, str]) -> None:
    """A dataset that is streamed gives the same."""
    stream = documents.to_iterable_dataset().map(clean_batch, batched=True)
    assert {row["id"]: row["text"] for row in stream} == expected


def test_odd_values(odd: list[Any], odd_cleaned: list[Any]) -> None:
    """Batches with nulls, numbers, empty texts, 10 MB and lone surrogates come through, and what is bad is marked."""
    out = CleanBatch("words", "cleaned", bad="bad")({"words": odd})
    assert out == {
        "cleaned": odd_cleaned,
        "bad": [value is not None and not isinstance(value, str) for value in odd],
    }


def test_nulls_in_a_dataset(corpus: list[dict[str, Any]], large: str) -> None:
    """Nulls, empty texts and 10 MB pass a real dataset; of a column of numbers nothing changes and all is marked."""
    texts = [None, corpus[0]["text"], "", large, None]
    rows = datasets.Dataset.from_dict({"text": texts, "number": [1, None, 3, 4, 5]})
    cleaned = [None if text is None else cleanfeed.clean(text) for text in texts]
    for form in (None, "arrow"):
        out = rows.with_format(form).map(clean_batch, batched=True).with_format(None)
        assert list(out["text"]) == cleaned
        marked = rows.with_format(form).map(CleanBatch("number", bad="bad"), batched=True).with_format(None)
        assert list(marked["number"]) == [1, None, 3, 4, 5]
        assert list(marked["bad"]) == [True, False, True, True, True]


def test_pickles_with_its_settings(corpus: list[dict[str, Any]]) -> None:
    """A pickled function cleans with the settings it was made with."""
    text = corpus[0]["text"]
    function = pickle.loads(pickle.dumps(CleanBatch("a", "b", threshold=0.2, drop={"meta", "teaser"})))
    assert function({"a": [text]}) == {"b": [Cleaner(threshold=0.2, drop={"meta", "teaser"}).clean(text)]}
    assert len(pickle.dumps(clean_batch)) < 1000


def test_fingerprint_is_stable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same settings have the same fingerprint in every process; other settings or another model have another."""
    code = (
        "from datasets.fingerprint import Hasher; from cleanfeed.engines.datasets import CleanBatch, clean_batch;"
        "print(Hasher.hash(clean_batch), Hasher.hash(CleanBatch(drop={'meta', 'teaser', 'boilerplate'})))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    hasher = datasets.fingerprint.Hasher
    assert runs[0] == runs[1]
    assert runs[0][0] == hasher.hash(clean_batch)
    others = [CleanBatch(threshold=0.3), CleanBatch("words"), CleanBatch(into="b"), CleanBatch(bad="bad")]
    hashes = {*runs[0], *(hasher.hash(other) for other in others)}
    assert len(hashes) == 6
    monkeypatch.setattr(Cleaner, "model", type("Other", (), {"digest": "0" * 64, "threshold": 0.5})())
    assert hasher.hash(clean_batch) not in hashes


def test_result_is_found_again(documents: Any) -> None:
    """The second run of the same map reads what the first one wrote."""
    first = documents.map(clean_batch, batched=True)
    files = {Path(file["filename"]): Path(file["filename"]).stat().st_mtime_ns for file in first.cache_files}
    again = documents.map(clean_batch, batched=True)
    assert {Path(file["filename"]) for file in again.cache_files} == set(files)
    assert all(path.stat().st_mtime_ns == time for path, time in files.items())
