"""Spark: a column cleaned by ``mapInArrow``, and the lines that repeat on a site counted by ``groupBy``.

Every executor needs cleanfeed and pyarrow in the Python of its workers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cleanfeed.cleaner import Cleaner
from cleanfeed.engines import in_blocks, need
from cleanfeed.engines.arrow import REJECTS_DDL, clean_array, rejects_of, values_of, with_column
from cleanfeed.lines import block_of
from cleanfeed.repeats import Keys, describe, line_keys

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import Accumulator
    from pyspark.sql import DataFrame

    Batches = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]

AT_LEAST = 20
"""A line on fewer documents of a site than this says little, and leaving it out keeps the broadcast small."""


def clean_column(
    frame: DataFrame,
    column: str = "text",
    into: str | None = None,
    rejects: str | None = None,
    *,
    bad: Accumulator[int] | None = None,
    site: str = "site",
    repeats: DataFrame | None = None,
    model: str = "default",
    threshold: float | None = None,
    drop: Collection[str] | None = None,
) -> DataFrame:
    """Clean a column of texts; nulls stay null, and what cannot be cleaned is counted and stays as it is.

    Args:
        frame: Any DataFrame; its other columns are passed through.
        column: The texts.
        into: Where the cleaned texts go; None: in their place.
        rejects: Also add a column of this name with the dropped lines; takes about three times as long.
        bad: Counts values that could not be cleaned, as ``spark.sparkContext.accumulator(0)``. Exact after an action
            over the whole frame; as with every accumulator, an action that is repeated counts again.
        site: With ``repeats``: the column that says which site a text is from.
        repeats: What :func:`count_repeats` found; computed and broadcast now.
        model: As for :class:`cleanfeed.Cleaner`; a path must exist on every executor.
        threshold: As there.
        drop: As there.

    Raises:
        ImportError: pyspark or pyarrow is not installed.
        TypeError: The column does not hold strings.
        ValueError: There is no such column, or a setting is wrong.
    """
    need("pyarrow", "spark")
    types = need("pyspark.sql.types", "spark")
    for name in [column] if repeats is None else [column, site]:
        if name not in frame.columns:
            raise ValueError(f"no column {name!r}, only {', '.join(frame.columns)}")
    if not isinstance(frame.schema[column].dataType, types.StringType):
        raise TypeError(f"column {column!r} is {frame.schema[column].dataType.simpleString()}, not string")
    schema = types.StructType(frame.schema.fields)
    target = into or column
    for added, kind in ((target, "string"), (rejects, REJECTS_DDL)):
        if added is not None:
            schema = _set(types, schema, added, kind)
    counts = None if repeats is None else frame.sparkSession.sparkContext.broadcast(_collected(repeats))
    cleaner = Cleaner(model, threshold=threshold, drop=drop)
    return frame.mapInArrow(_clean_batches(cleaner, column, target, rejects, bad, site, counts), schema)


def count_repeats(frame: DataFrame, column: str = "text", site: str = "site", *, at_least: int = AT_LEAST) -> DataFrame:
    """Count on how many documents of its site each line stands; documents with the same lines count once.

    Args:
        frame: The whole corpus, or at least whole sites of it.
        column: The texts.
        site: Which site each is from; texts without one are left out.
        at_least: Lines on fewer documents are left out.

    Returns:
        ``key`` (bigint) stands for a line of a site, ``documents`` (bigint) is its count. Give it to
        :func:`clean_column`, or write it and read it again.
    """
    functions = need("pyspark.sql.functions", "spark")
    documents = frame.select(column, site).mapInArrow(
        _key_batches(column, site), "signature bigint, keys array<bigint>"
    )
    keys = documents.dropDuplicates(["signature"]).select(functions.explode("keys").alias("key"))
    return keys.groupBy("key").agg(functions.count("*").alias("documents")).where(f"documents >= {int(at_least)}")


def _clean_batches(
    cleaner: Cleaner, column: str, into: str, rejects: str | None, bad: Any, site: str, counts: Any
) -> Batches:
    def clean_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            texts = batch.column(column)
            known = None if counts is None else _known(counts.value, values_of(batch.column(site)), values_of(texts))
            array, cleaned = clean_array(cleaner, texts, known, explained=rejects is not None)
            if bad is not None and any(cleaned.bad):
                bad.add(sum(cleaned.bad))
            result = with_column(batch, into, array)
            yield result if rejects is None else with_column(result, rejects, rejects_of(values_of(texts), cleaned))

    return clean_batches


def _key_batches(column: str, site: str) -> Batches:
    def key_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in batches:
            pairs = zip(values_of(batch.column(site)), values_of(batch.column(column)), strict=True)
            usable = ((name, text) for name, text in pairs if _is_known(name) and isinstance(text, str))
            for block in in_blocks(usable, lambda pair: len(pair[1])):
                found = describe([name for name, _ in block], [text for _, text in block])
                bounds = np.searchsorted(found.owners, np.arange(len(block) + 1)).astype(np.int32)
                keys = pa.ListArray.from_arrays(pa.array(bounds), pa.array(found.keys.view(np.int64)))
                signatures = pa.array(found.signatures.view(np.int64))
                yield pa.RecordBatch.from_arrays([signatures, keys], ["signature", "keys"])

    return key_batches


def _known(table: tuple[Keys, Keys], sites: list[Any], texts: list[Any]) -> Iterator[Any]:
    """The line counts of each text, 1 where a line is not in the table; None without a site or a text."""
    keys, documents = table
    pairs = ((name, text if isinstance(text, str) else "") for name, text in zip(sites, texts, strict=True))
    for block in in_blocks(pairs, lambda pair: len(pair[1])):
        lines = block_of([text for _, text in block])
        wanted = line_keys([name if _is_known(name) else "" for name, _ in block], lines)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        counts = np.where(keys[place] == wanted, documents[place], 1) if len(keys) else np.ones(len(wanted), np.int64)
        bounds = np.searchsorted(lines.text_of_line, np.arange(len(block) + 1))
        for number, (name, _) in enumerate(block):
            yield counts[bounds[number] : bounds[number + 1]] if _is_known(name) else None


def _is_known(site: Any) -> bool:
    return isinstance(site, str) and bool(site)


def _collected(repeats: DataFrame) -> tuple[Keys, Keys]:
    """Counts as two arrays, in the order of the keys."""
    table = repeats.select("key", "documents").toArrow()
    keys = table.column("key").to_numpy().view(np.uint64)
    order = np.argsort(keys)
    return keys[order], table.column("documents").to_numpy()[order]


def _set(types: Any, schema: Any, name: str, kind: str) -> Any:
    """A schema with a column set, or appended if there is none of that name."""
    fresh = types.StructField(name, types.DataType.fromDDL(kind))
    if name not in schema.names:
        return types.StructType([*schema.fields, fresh])
    return types.StructType([fresh if field.name == name else field for field in schema.fields])
