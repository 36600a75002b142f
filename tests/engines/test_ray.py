"""Ray Data on two processors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cleanfeed
from cleanfeed import Cleaner

pytest.importorskip("ray.data")
pa = pytest.importorskip("pyarrow")

import pyarrow.parquet as pq  # noqa: E402 - after the skips

from cleanfeed.engines.ray import CleanBatch, clean_column  # noqa: E402


@pytest.fixture(scope="module")
def data() -> Iterator[Any]:
    """Ray Data on a cluster of this machine."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=300_000_000)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray.data
    ray.shutdown()


def test_parquet_equals_clean(data: Any, parquet: Path, expected: dict[str, str], tmp_path: Path) -> None:
    """Parquet in, Parquet out: every document is as ``clean`` has it, and the other columns are as they were."""
    rows = data.read_parquet(str(parquet))
    clean_column(rows, workers=2, num_cpus=0.5, bad="bad").write_parquet(str(tmp_path / "out"))
    out = pq.read_table(tmp_path / "out")
    assert out.column_names == ["id", "lang", "site", "text", "bad"]
    assert dict(zip(out["id"].to_pylist(), out["text"].to_pylist(), strict=True)) == expected
    before = pq.read_table(parquet)
    assert out.drop_columns(["text", "bad"]).sort_by("id").equals(before.drop_columns(["text"]).sort_by("id"))
    assert not any(out["bad"].to_pylist())


def test_odd_values(data: Any, odd: list[Any], odd_cleaned: list[Any]) -> None:
    """A column of texts, nulls, numbers, lists, 10 MB and lone surrogates comes through, and what is bad is marked."""
    rows = data.from_items([{"id": number, "text": value} for number, value in enumerate(odd)])
    found = clean_column(rows, workers=1, bad="bad").take_all()
    found.sort(key=lambda row: row["id"])
    assert [row["text"] for row in found] == odd_cleaned
    assert [row["bad"] for row in found] == [value is not None and not isinstance(value, str) for value in odd]


def test_killed_actor(
    data: Any, parquet: Path, expected: dict[str, str], killing: Callable[..., Any], tmp_path: Path
) -> None:
    """An actor killed in mid-job costs time and nothing else."""
    copies = 3
    rows = data.read_parquet(str(parquet))
    rows = rows.union(rows, rows)
    with killing(lambda _, command: "ray::" in command and "CleanBatch" in command, after=0.5) as killed:
        # A batch of 100 documents, so that much is left to do when it happens.
        clean_column(rows, workers=1, batch_size=100).write_parquet(str(tmp_path / "out"))
    assert killed
    out = pq.read_table(tmp_path / "out", columns=["id", "text"]).to_pylist()
    assert Counter(row["id"] for row in out) == dict.fromkeys(expected, copies)
    assert all(row["text"] == expected[row["id"]] for row in out)


def test_wrong_settings_fail_before_the_job(data: Any) -> None:
    """A wrong setting is told at once, to the caller."""
    with pytest.raises(ValueError, match="threshold"):
        clean_column(data.range(3), threshold=2)


def test_batch_of_several_chunks(corpus: list[dict[str, Any]]) -> None:
    """What an actor does with a batch: chunks, no rows, new columns and settings."""
    texts = [record["text"] for record in corpus[:20]]
    table = pa.table({"n": range(20), "text": pa.chunked_array([texts[:7], [], texts[7:]])})
    batch = CleanBatch("text", "cleaned", "rejects", bad="bad", threshold=0.2, drop=["teaser"])
    out = batch(table)
    assert out.column_names == ["n", "text", "cleaned", "rejects", "bad"]
    assert out["text"].to_pylist() == texts
    cleaner = Cleaner(threshold=0.2, drop=["teaser"])
    assert out["cleaned"].to_pylist() == [cleaner.clean(text) for text in texts]
    counts = [sum(line.dropped and line.label != "blank" for line in cleaner.explain(text)) for text in texts]
    assert [len(rejects) for rejects in out["rejects"].to_pylist()] == counts
    assert batch(table.slice(0, 0)).schema.equals(out.schema)
    assert batch(table.slice(0, 0)).num_rows == 0
    assert cleanfeed.clean(texts[0]) == CleanBatch()(table)["text"][0].as_py()
