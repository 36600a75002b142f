"""Parquet by pyarrow: streamed by row group; schema, metadata, compression and all other columns stay."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from cleanfeed.batch.formats import output_compression
from cleanfeed.batch.formats.base import BLOCK_BYTES, AppendingWriter, Block, End, HashingReader, Writer, site_of_url
from cleanfeed.batch.formats.compression import MissingLibraryError, compress
from cleanfeed.batch.inputs import Input, explain_os_error
from cleanfeed.batch.outcome import Outcome, Problem, json_lines
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.work import Document, clean_documents, keep_samples
from cleanfeed.extract import extract_text

if TYPE_CHECKING:
    from cleanfeed.repeats import Repeats

# Blocks are collected to row groups again: those of the input, cut where they would fill memory.
_GROUP_BYTES = 64 << 20
_BUFFER_BYTES = 1 << 20  # of each column while reading, in place of whole column chunks


class Rows(NamedTuple):
    """The payload of a block."""

    first: int
    """Number of the first row in the file, from 1."""
    batch: Any
    """A ``pyarrow.RecordBatch`` with all columns."""
    ends_group: bool
    """Whether it is the last of its row group."""


def require() -> Any:
    """The library; raises :class:`MissingLibraryError` without it."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingLibraryError("pyarrow", "parquet", "reading Parquet") from error
    return pa


def blocks(item: Input, settings: Settings) -> Iterator[Block | End]:
    """Read the file in blocks of rows; see :class:`cleanfeed.batch.formats.base.RecordFormat`."""
    pa = require()
    digest = ""
    try:
        with open(item.path, "rb") as file:
            digest = HashingReader(file).digest()
            file.seek(0)
            parquet = pa.parquet.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
            problem = _check_schema(parquet.schema_arrow, settings)
            if problem is None:
                yield from _read(parquet, item.size)
        yield End(digest, [problem] if problem else [], usable=problem is None)
    except OSError as error:
        # pyarrow raises plain OSError for broken data too; then the system has given no number.
        kind = "unreadable" if error.errno else "parquet"
        yield End(digest, [Problem(kind, explain_os_error(error))], usable=False)
    except pa.ArrowException as error:
        yield End(digest, [Problem("parquet", f"broken or unsupported Parquet: {_first_line(error)}")], usable=False)


def clean_block(payload: Rows, item: Input, settings: Settings, repeats: Repeats | None) -> tuple[Any, Outcome]:
    """Clean the rows of a block; returns rows, or lines of JSON where those are wanted."""
    outcome = Outcome()
    rows, documents, lost = [], [], []
    values: list[str | None] = [None] * payload.batch.num_rows
    for row, value, site in _values(payload, settings):
        place = f"row {payload.first + row}"
        try:
            text = _text(value, settings)
        except Exception as error:
            outcome.report(Problem("failed", f"{type(error).__name__}: {error}", place))
            lost.append(row)
            continue
        if text is None:
            outcome.counts.nulls += 1
            continue
        rows.append(row)
        documents.append(Document(text, place, site))
    cleaned = clean_documents(documents, settings, [outcome] * len(documents), [item.name] * len(documents), repeats)
    for row, text in zip(rows, cleaned, strict=True):
        values[row] = text
        if text is None:
            lost.append(row)
    keep_samples(outcome)
    batch = _with_column(payload.batch, values, lost, settings)
    if settings.to == "same":
        return (batch, payload.ends_group), outcome
    lines = json_lines({name: _jsonable(value) for name, value in row.items()} for row in batch.to_pylist())
    return compress(lines, output_compression(item.output)) if lines else b"", outcome


def texts(payload: Rows, settings: Settings) -> Iterator[tuple[str, str]]:
    """Site and text of each row that can be read."""
    for _, value, site in _values(payload, settings):
        try:
            text = _text(value, settings)
        except Exception:
            continue
        if text is not None:
            yield site, text


def open_writer(path: str, item: Input, settings: Settings, resume_at: int | None) -> Writer:
    """Begin the output."""
    if settings.to != "same":
        return AppendingWriter.open(path, item, settings, resume_at)
    return _ParquetWriter(path, item, settings)


class _ParquetWriter:
    """Writes rows to a Parquet file; it has a footer, so it is made in one go and cannot be gone on with."""

    def __init__(self, path: str, item: Input, settings: Settings) -> None:
        self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115 - closed by close or abandon
        self._item = item
        self._settings = settings
        self._writer: Any = None
        self._batches: list[Any] = []
        self._size = 0

    def write(self, data: Any) -> None:
        """Take the rows of a block."""
        batch, ends_group = data if isinstance(data, tuple) else (None, False)
        if batch is not None and batch.num_rows:
            self._batches.append(batch)
            self._size += batch.nbytes
        if ends_group or self._size >= _GROUP_BYTES:
            self._flush()

    def checkpoint(self) -> None:
        """Nothing to go on from."""
        return

    def close(self) -> None:
        """Write what is left, the footer, and force it to the disk."""
        self._flush()
        self._open().close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Close without finishing."""
        self._file.close()

    def _flush(self) -> None:
        if self._batches:
            table = require().Table.from_batches(self._batches)
            self._open().write_table(table, row_group_size=max(table.num_rows, 1))
        self._batches, self._size = [], 0

    def _open(self) -> Any:
        if self._writer is None:
            pa = require()
            with open(self._item.path, "rb") as file:
                parquet = pa.parquet.ParquetFile(file)
                schema = output_schema(parquet.schema_arrow, self._settings)
                self._writer = pa.parquet.ParquetWriter(
                    self._file, schema, compression=_compression(parquet.metadata), store_schema=True
                )
        return self._writer


def output_schema(schema: Any, settings: Settings) -> Any:
    """The schema with the text's column, which is added at the end where only HTML is there."""
    pa = require()
    if settings.field in schema.names:
        return schema
    return schema.append(pa.field(settings.field, pa.string()))


def _check_schema(schema: Any, settings: Settings) -> Problem | None:
    pa = require()
    column = settings.html_field or settings.field
    if column not in schema.names:
        return Problem("missing-field", f"no column {column!r}; there are {', '.join(schema.names)}")
    for name in {column, settings.field} & set(schema.names):
        kind = schema.field(name).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        binary = name == settings.html_field and (pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind) or binary):
            return Problem("not-text", f"column {name!r} holds {schema.field(name).type}, not text")
    return None


def _read(parquet: Any, size: int) -> Iterator[Block]:
    total = max(parquet.metadata.num_rows, 1)
    first = 1
    for group in range(parquet.num_row_groups):
        metadata = parquet.metadata.row_group(group)
        row_bytes = max(metadata.total_byte_size // max(metadata.num_rows, 1), 1)
        batch_rows = max(BLOCK_BYTES // row_bytes, 1)
        end = first + metadata.num_rows
        for batch in parquet.iter_batches(batch_size=batch_rows, row_groups=[group], use_threads=False):
            # Files cannot be gone on with in the middle, so blocks need no fingerprint.
            position = size * (first + batch.num_rows - 1) // total
            yield Block(Rows(first, batch, first + batch.num_rows == end), b"", position)
            first += batch.num_rows


def _values(payload: Rows, settings: Settings) -> Iterator[tuple[int, Any, str]]:
    """Row, value of the text's column and site of each row. A value that cannot be decoded stays a pyarrow scalar."""
    batch = payload.batch
    column = batch.column(batch.schema.get_field_index(settings.html_field or settings.field))
    sites = [""] * batch.num_rows
    if settings.url_field in batch.schema.names:
        sites = list(map(site_of_url, _pylist(batch.column(batch.schema.get_field_index(settings.url_field)))))
    for row, (value, site) in enumerate(zip(_pylist(column), sites, strict=True)):
        yield row, value, site


def _pylist(column: Any) -> list[Any]:
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_scalar(scalar) for scalar in column]


def _scalar(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar


def _text(value: Any, settings: Settings) -> str | None:
    if value is None:
        return None
    if not isinstance(value, (str, bytes)):
        value.as_py()  # raises the UnicodeDecodeError that says where it is broken
    if settings.html_field is not None:
        return extract_text(value, encoding=settings.encoding, mode=settings.extraction)
    return str(value)


def _with_column(batch: Any, values: list[str | None], lost: list[int], settings: Settings) -> Any:
    """The rows with other texts, without those that were lost."""
    pa = require()
    schema = output_schema(batch.schema, settings)
    index = schema.get_field_index(settings.field)
    kind = schema.field(index).type
    column = pa.array(values, pa.string())
    if kind != pa.string():
        column = column.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else column.cast(kind)
    columns = list(batch.columns)
    columns[index : index + 1] = [column]
    result = pa.RecordBatch.from_arrays(columns, schema=schema)
    if lost:
        gone = set(lost)
        result = result.filter(pa.array([row not in gone for row in range(len(values))]))
    return result


def _compression(metadata: Any) -> Any:
    """The compression of each column as in the first row group of the input."""
    if not metadata.num_row_groups:
        return "snappy"
    group = metadata.row_group(0)
    codecs = {}
    for number in range(group.num_columns):
        column = group.column(number)
        codec = column.compression.lower()
        codecs[column.path_in_schema] = "none" if codec == "uncompressed" else codec
    distinct = set(codecs.values())
    return distinct.pop() if len(distinct) == 1 else codecs


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(member) for member in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)  # dates, times, decimals


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
