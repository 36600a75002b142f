"""Text columns of Arrow, in which Spark, Ray Data and datasets hand over their data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanfeed.cleaner import Cleaner
from cleanfeed.engines import Cleaned, Counts, clean_values
from cleanfeed.lines import Line

if TYPE_CHECKING:
    import pyarrow as pa

REJECTS_DDL = "array<struct<line: int, start: int, text: string, label: string, score: double, reason: string>>"
"""The type of :func:`rejects_of` in the words of Spark."""


def clean_array(
    cleaner: Cleaner, array: pa.Array, repeats: Iterable[Counts] | None = None, *, explained: bool = False
) -> tuple[pa.Array, Cleaned]:
    """Clean a column; nulls, numbers and bytes that are no UTF-8 stay as they are.

    Args:
        cleaner: How.
        array: Strings of any of Arrow's layouts, or anything else, which is then passed through.
        repeats: For each value its line counts.
        explained: Give the lines of each text too.

    Returns:
        An array of the same type (a dictionary is laid out), and what was done.
    """
    if hasattr(array, "dictionary_decode"):
        array = array.dictionary_decode()
    cleaned = clean_values(cleaner, values_of(array), repeats=repeats, explained=explained)
    if not any(isinstance(value, str) for value in cleaned.values):
        return array, cleaned
    # Ray makes a column of Python objects where texts and numbers stand together.
    from_objects = getattr(type(array), "from_objects", None)
    return (from_objects or partial(_strings, like=array))(cleaned.values), cleaned


def values_of(array: pa.Array) -> list[Any]:
    """The values of a column as Python objects.

    Arrow has no lone surrogates, but files that other programs wrote hold them in three bytes each. They are read so;
    other bytes that are no UTF-8 stay bytes.
    """
    try:
        values: list[Any] = array.to_pylist()
    except UnicodeDecodeError:
        values = [None if raw is None else _decoded(raw) for raw in array.view(_bytes_type(array.type)).to_pylist()]
    return values


def rejects_of(values: Sequence[Any], cleaned: Cleaned) -> pa.Array:
    """The dropped lines of each text: number from 1, offset, text, label, score and reason; null without a text."""
    import pyarrow as pa

    line = pa.struct(
        {
            "line": pa.int32(),
            "start": pa.int32(),
            "text": pa.string(),
            "label": pa.string(),
            "score": pa.float64(),
            "reason": pa.string(),
        }
    )
    found = [
        [_reject(number, line, value) for number, line in enumerate(lines, 1) if line.dropped and line.label != "blank"]
        if isinstance(value, str)
        else None
        for value, lines in zip(values, cleaned.lines, strict=True)
    ]
    return pa.array(found, pa.list_(line))


def _reject(number: int, line: Line, text: str) -> dict[str, Any]:
    # Arrow takes no lone surrogates here; whoever reads rejects wants to see a line, not to restore it.
    dropped = text[line.start : line.end].encode("utf-8", "replace").decode("utf-8")
    return {
        "line": number,
        "start": line.start,
        "text": dropped,
        "label": line.label,
        "score": line.score,
        "reason": line.reason,
    }


def with_column(table: pa.Table | pa.RecordBatch, name: str, column: Any) -> Any:
    """The table with a column set, or appended if there is none of that name."""
    place = table.schema.get_field_index(name)
    return table.append_column(name, column) if place < 0 else table.set_column(place, name, column)


def chunks_of(column: pa.ChunkedArray) -> list[pa.Array]:
    """The arrays that a column is made of; an empty one where there are no rows, so that the type is known."""
    import pyarrow as pa

    return column.chunks or [pa.array([], column.type)]


def _strings(values: Sequence[Any], like: pa.Array) -> pa.Array:
    """An array of texts and raw bytes, of the type of another."""
    import pyarrow as pa

    try:
        return pa.array(values, like.type)
    except (UnicodeEncodeError, pa.ArrowInvalid):
        raw = [value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value for value in values]
        return pa.array(raw, _bytes_type(like.type)).view(like.type)


def _bytes_type(strings: pa.DataType) -> pa.DataType:
    """The type of bytes with the same layout as a type of strings."""
    import pyarrow as pa

    layouts = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    if hasattr(pa, "string_view"):
        layouts[pa.string_view()] = pa.binary_view()
    return layouts[strings]


def _decoded(raw: bytes) -> Any:
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw
