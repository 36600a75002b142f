"""Parquet: schema and other columns stay, bad files are reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batch_support import clean, errors_of, marked  # noqa: F401 - marked is a fixture
from cleanfeed.batch.formats import parquet

pa = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
pq = pytest.importorskip("pyarrow.parquet")

pytestmark = pytest.mark.usefixtures("marked")

TEXTS = ["one\nJUNK\n", None, "", "ثلاثة\nJUNK"] * 25
CLEANED = ["one\n", None, "", "ثلاثة\n"] * 25


def table(text_type: Any = None) -> Any:
    """A table with metadata and columns of several types."""
    columns = {
        "n": pa.array(range(100), pa.int16()),
        "text": pa.array(TEXTS, text_type or pa.string()),
        "tags": pa.array([["a", "b"]] * 100),
        "when": pa.array([0] * 100, pa.timestamp("us", tz="UTC")),
    }
    return pa.table(columns).replace_schema_metadata({"about": "a test"})


def cleaned(tmp_path: Path, source: Any, *options: object, code: int = 0, **writing: Any) -> Any:
    """The file that comes out of a table."""
    (tmp_path / "in").mkdir(exist_ok=True)
    pq.write_table(source, tmp_path / "in" / "a.parquet", **writing)
    assert clean(tmp_path / "in", "-o", tmp_path / "out", *options) == code
    return pq.ParquetFile(tmp_path / "out" / "a.parquet")


@pytest.mark.parametrize("text_type", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_only_the_text_changes(tmp_path: Path, text_type: Any) -> None:
    """Schema, metadata, row groups, compression and other columns are those of the input."""
    result = cleaned(tmp_path, table(text_type), row_group_size=40, compression="zstd")
    source = pq.ParquetFile(tmp_path / "in" / "a.parquet").read()
    assert result.schema_arrow.equals(source.schema, check_metadata=True)
    assert [result.metadata.row_group(n).num_rows for n in range(result.num_row_groups)] == [40, 40, 20]
    assert result.metadata.row_group(0).column(0).compression == "ZSTD"
    assert result.read()["text"].to_pylist() == CLEANED
    assert result.read().drop_columns("text").equals(source.drop_columns("text"))


def test_same_rows_however_large_the_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups come out whole also when they are worked on row by row."""
    monkeypatch.setattr(parquet, "BLOCK_BYTES", 1)
    result = cleaned(tmp_path, table(), row_group_size=40)
    assert result.num_row_groups == 3
    assert result.read()["text"].to_pylist() == CLEANED


def test_to_json_lines(tmp_path: Path) -> None:
    """--to jsonl writes a record for each row, with values that JSON lacks as text."""
    (tmp_path / "in").mkdir()
    pq.write_table(table(), tmp_path / "in" / "a.parquet")
    assert clean(tmp_path / "in", "-o", tmp_path / "out", "--to", "jsonl") == 0
    first = json.loads((tmp_path / "out" / "a.jsonl").read_text("utf-8").splitlines()[0])
    assert first == {"n": 0, "text": "one\n", "tags": ["a", "b"], "when": "1970-01-01 00:00:00+00:00"}


def test_html_column(tmp_path: Path) -> None:
    """--html-field makes a column of text from one of HTML, which stays; bytes are decoded."""
    page = b"<article>" + b"<p>A paragraph of the article that is long enough.</p>" * 4 + b"</article>"
    result = cleaned(tmp_path, pa.table({"html": pa.array([page, None], pa.binary())}), "--html-field", "html").read()
    assert result.column_names == ["html", "text"]
    assert "long enough" in result["text"][0].as_py()
    assert result["text"][1].as_py() is None


def test_bad_rows_are_left_out(tmp_path: Path) -> None:
    """A text that is not UTF-8, or that cannot be cleaned, is reported by its row; the others are written."""
    raw = pa.array([b"good\nJUNK", b"bad \xff", b"RAISE", b"last"], pa.binary())
    broken = pa.StringArray.from_buffers(4, *raw.buffers()[1:])
    result = cleaned(tmp_path, pa.table({"n": [1, 2, 3, 4], "text": broken}), code=1).read()
    assert result.to_pydict() == {"n": [1, 4], "text": ["good\n", "last"]}
    assert [error["place"] for error in errors_of(tmp_path / "out")] == ["row 2", "row 3"]


def test_bad_files_are_reported(tmp_path: Path) -> None:
    """Cut, corrupt, empty and unfit files are listed, have no output, and stop nothing."""
    folder = tmp_path / "in"
    folder.mkdir()
    pq.write_table(table(), folder / "good.parquet", compression="none", use_dictionary=False)
    data = (folder / "good.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(data[:-10])
    (folder / "corrupt.parquet").write_bytes(data[:4] + b"\xff" * 300 + data[304:])
    (folder / "empty.parquet").touch()
    pq.write_table(pa.table({"text": [1]}), folder / "number.parquet")
    pq.write_table(pa.table({"other": ["a"]}), folder / "other.parquet")
    assert clean(folder, "-o", tmp_path / "out") == 1
    kinds = {error["file"]: error["kind"] for error in errors_of(tmp_path / "out")}
    assert kinds == {
        "corrupt.parquet": "parquet",
        "cut.parquet": "parquet",
        "empty.parquet": "parquet",
        "number.parquet": "not-text",
        "other.parquet": "missing-field",
    }
    assert [path.name for path in (tmp_path / "out").glob("*.parquet")] == ["good.parquet"]


def test_file_without_rows(tmp_path: Path) -> None:
    """A file with a schema and no rows gives the same."""
    result = cleaned(tmp_path, table().slice(0, 0))
    assert result.metadata.num_rows == 0
    assert result.schema_arrow.names == ["n", "text", "tags", "when"]


def test_not_to_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Parquet is not printed; the message says what can be done."""
    pq.write_table(table(), tmp_path / "a.parquet")
    assert clean(tmp_path / "a.parquet") == 2
    assert "--to jsonl" in capfd.readouterr().err
