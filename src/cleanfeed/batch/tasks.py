"""Cutting a plan into tasks for the workers, and what a worker does with each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from cleanfeed.batch.durable import write_durably
from cleanfeed.batch.formats import Family, Kind, compression
from cleanfeed.batch.formats.base import Block, End, RecordFormat
from cleanfeed.batch.formats.documents import Finished, clean_files
from cleanfeed.batch.inputs import Input
from cleanfeed.batch.outcome import Outcome, Problem
from cleanfeed.batch.settings import Settings

if TYPE_CHECKING:
    from cleanfeed.batch.journal import Entry
    from cleanfeed.repeats import Repeats

# Small files go to a worker together: enough for the vectorised core, few enough that all workers have some.
_GROUP_FILES, _GROUP_BYTES = 64, 1 << 20
# Extraction costs 5 to 90 ms a page whatever its size, as much as cleaning 100 kB of text or more.
_HTML_EXTRA_BYTES = 1 << 16


class OutputError(RuntimeError):
    """The output cannot be written: no input is at fault, and the run ends."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all tasks of a run share."""

    settings: Settings
    temporary: str | None = None
    """Folder in which workers put finished documents; None to send them back."""
    repeats_file: str | None = None


@dataclass(frozen=True, slots=True)
class FilesTask:
    """Clean a few files that are one document each."""

    common: Common
    items: tuple[Input, ...]


@dataclass(slots=True)
class FileDone:
    """A file that was worked on, with its output in memory or in a temporary file."""

    finished: Finished
    temporary: str | None = None
    output_digest: str = ""
    output_size: int = 0


@dataclass(frozen=True, slots=True)
class BlockTask:
    """Clean one block of a large file."""

    common: Common
    item: Input
    index: int
    """0 for the first block of the file."""
    block: Block
    chain: str
    """sha256 over the fingerprints of this block and all before it."""


@dataclass(slots=True)
class BlockDone:
    """A cleaned block."""

    data: Any
    outcome: Outcome = field(default_factory=Outcome)


@dataclass(frozen=True, slots=True)
class EndTask:
    """No work: comes behind the last block of a file, and keeps its place in the order."""

    item: Input
    end: End


Task = FilesTask | BlockTask | EndTask


def format_of(family: Family) -> RecordFormat:
    """The module that reads and writes a family of record files."""
    return cast("RecordFormat", import_module(f"cleanfeed.batch.formats.{family}"))


def require(kind: Kind, to: str) -> None:
    """Make sure that the libraries for a kind of file, and for what is made of it, are there.

    Raises:
        MissingLibraryError: One is not; says how to install it.
    """
    if kind.family in ("parquet", "warc"):
        import_module(f"cleanfeed.batch.formats.{kind.family}").require()
    elif kind.compression:
        compression.require(kind.compression)
    compression.require(to.rpartition(".")[2])


def perform(task: Task) -> list[FileDone] | BlockDone | None:
    """Do a task; this runs in the worker.

    Raises:
        OutputError: A finished document cannot be written.
    """
    if isinstance(task, EndTask):
        return None
    repeats = _repeats(task.common.repeats_file)
    if isinstance(task, BlockTask):
        work = format_of(task.item.kind.family)
        return BlockDone(*work.clean_block(task.block.payload, task.item, task.common.settings, repeats))
    return [_put_down(finished, task.common) for finished in clean_files(task.items, task.common.settings, repeats)]


def _put_down(finished: Finished, common: Common) -> FileDone:
    done = FileDone(finished)
    if finished.data is None or common.temporary is None:
        return done
    done.output_digest = hashlib.sha256(finished.data).hexdigest()
    done.output_size = len(finished.data)
    done.temporary = os.path.join(common.temporary, os.urandom(8).hex())
    try:
        write_durably(done.temporary, finished.data)
    except OSError as error:
        raise OutputError(f"cannot write to {common.temporary}: {error.strerror or error}") from error
    finished.data = None
    return done


@lru_cache(maxsize=1)
def _load_repeats(path: str) -> Repeats:
    from cleanfeed.repeats import Repeats

    return Repeats.load(path)


def _repeats(path: str | None) -> Repeats | None:
    return None if path is None else _load_repeats(path)


def cut(items: Sequence[Input], common: Common, partial: Entry | None) -> Iterator[Task]:
    """Turn inputs into tasks, reading large files as the tasks are asked for.

    Args:
        items: What to do, in order.
        common: Shared by all tasks.
        partial: How far an interrupted run came in the first item.
    """
    group: list[Input] = []
    weight = 0
    for item in items:
        if item.kind.is_document:
            group.append(item)
            weight += item.size + (_HTML_EXTRA_BYTES if item.kind.family == "html" else 0)
            if len(group) < _GROUP_FILES and weight < _GROUP_BYTES:
                continue
        if group:
            yield FilesTask(common, tuple(group))
            group, weight = [], 0
        if not item.kind.is_document:
            yield from _cut_records(item, common, partial if partial and partial.input == item.name else None)
    if group:
        yield FilesTask(common, tuple(group))


def _cut_records(item: Input, common: Common, partial: Entry | None) -> Iterator[Task]:
    index, chain, blocks = 0, hashlib.sha256(), _blocks(item, common.settings)
    if partial is not None and partial.blocks:
        for block in islice(blocks, partial.blocks):
            if isinstance(block, Block):
                chain.update(block.fingerprint)
        index = partial.blocks
        if chain.hexdigest() != partial.digest:  # the file changed: from the beginning
            index, chain, blocks = 0, hashlib.sha256(), _blocks(item, common.settings)
    for block in blocks:
        if isinstance(block, End):
            yield EndTask(item, block)
        else:
            chain.update(block.fingerprint)
            yield BlockTask(common, item, index, block, chain.hexdigest())
            index += 1


def _blocks(item: Input, settings: Settings) -> Iterator[Block | End]:
    """The blocks of a file. Readers report what they expect to go wrong; anything else ends the file, not the run."""
    try:
        yield from format_of(item.kind.family).blocks(item, settings)
    except Exception as error:
        yield End("", [Problem("failed", f"reading failed: {type(error).__name__}: {error}")], usable=False)
