"""The first pass of a run: count on how many documents of its site each line stands, before anything is cleaned."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cleanfeed.batch import pool
from cleanfeed.batch.formats.base import Block
from cleanfeed.batch.formats.documents import texts_of_files
from cleanfeed.batch.inputs import Input, UsageError
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.tasks import BlockTask, Common, FilesTask, Task, cut, format_of
from cleanfeed.repeats import Documents, Repeats, RepeatsError, describe

ENOUGH_DOCUMENTS = 20
"""A site with so many documents tells its furniture; with fewer, counts say little."""

# Lines of web text are 60 to 100 bytes on average, and many repeat: 8 bytes a counter leave most of them alone in it.
_BYTES_PER_COUNTER, _LEAST_WIDTH = 8, 1 << 12
_COMPRESSED_FACTOR = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user wants of repeats."""

    wanted: bool | None = None
    """None: if a site has enough documents, and finding out does not mean extracting every page twice."""
    file: str | None = None
    """Load the counts from here, or save them here if it does not exist."""
    width: int = 1 << 23


@dataclass(slots=True)
class _Counted:
    documents: Documents
    sites: list[str]


def prepare(
    items: Sequence[Input], settings: Settings, choice: Choice, folder: str, jobs: int
) -> tuple[Settings, str | None]:
    """Count the lines of a run, or load counts.

    Args:
        items: All inputs of the run, those that are done already too.
        settings: How the run reads them.
        choice: What the user wants.
        folder: Where the counts may be kept between runs.
        jobs: Worker processes.

    Returns:
        The settings, with the digest of the counts if they are used, and the file of counts for the workers.

    Raises:
        UsageError: The user's file holds no counts.
        OSError: It cannot be read or written.
    """
    path = os.path.join(folder, "repeats.npy")
    if choice.file is not None and os.path.exists(choice.file):
        try:
            repeats = Repeats.load(choice.file)
        except RepeatsError as error:
            raise UsageError(str(error)) from error
        repeats.save(path)
        return replace(settings, repeats=repeats.digest), path
    wanted = True if choice.file is not None else choice.wanted
    if wanted is False or (wanted is None and not _worth_it(items, settings)):
        return settings, None
    fingerprint = _fingerprint(items, settings, choice)
    note = os.path.join(folder, "repeats.json")
    known = _known(note, fingerprint)
    if known is None:
        repeats, enough = _count(items, settings, choice, jobs)
        repeats.save(path)
        known = {"fingerprint": fingerprint, "digest": repeats.digest, "enough": enough}
        with open(note, "w", encoding="utf-8") as file:  # a torn note is no note, and counting again gives the same
            json.dump(known, file)
        if choice.file is not None:
            scratch = f"{choice.file}.{os.getpid()}.npz"
            repeats.save(scratch)
            os.replace(scratch, choice.file)
    if wanted or known["enough"]:
        return replace(settings, repeats=str(known["digest"])), path
    return settings, None


def _count(items: Sequence[Input], settings: Settings, choice: Choice, jobs: int) -> tuple[Repeats, bool]:
    repeats = Repeats(min(choice.width, _width_for(items)))
    enough = False
    for _, counted in pool.in_order(cut(items, Common(settings), None), _count_task, jobs):
        if isinstance(counted, _Counted):  # a lost worker is reported when its task is cleaned
            repeats.add(counted.documents)
            enough = enough or any(repeats.documents(site) >= ENOUGH_DOCUMENTS for site in counted.sites)
    return repeats, enough


def _count_task(task: Task) -> _Counted:
    """What a worker does with a task in the first pass."""
    found: list[tuple[str, str]] = []
    if isinstance(task, FilesTask):
        found = texts_of_files(task.items, task.common.settings)
    elif isinstance(task, BlockTask):
        reader = format_of(task.item.kind.family)
        found = list(reader.texts(task.block.payload, task.common.settings))
    found = [(site, text) for site, text in found if site]
    if not found:
        return _Counted(describe([], []), [])
    sites, texts = zip(*found, strict=True)
    return _Counted(describe(sites, texts), sorted(set(sites)))


def _width_for(items: Sequence[Input]) -> int:
    """Counters that are plenty for these inputs: few files need no large table."""
    size = sum(item.size * (_COMPRESSED_FACTOR if item.kind.compression else 1) for item in items)
    return max(_LEAST_WIDTH, 1 << (size // _BYTES_PER_COUNTER).bit_length())


def _worth_it(items: Sequence[Input], settings: Settings) -> bool:
    """Whether to look for repeats unasked: where a site may have enough documents, and reading is cheap."""
    if settings.html_field is not None:
        return False
    if any(item.kind.family == "html" or (item.kind.family == "warc" and ".wet" not in item.name) for item in items):
        return False
    if all(item.kind.is_document for item in items):
        sites = Counter(item.site for item in items if item.site)
        return max(sites.values(), default=0) >= ENOUGH_DOCUMENTS
    return any(_has_sites(item, settings) for item in items if not item.kind.is_document)


def _has_sites(item: Input, settings: Settings) -> bool:
    """Whether the first records of a file name their sites. If not, the others are not read to find out."""
    reader = format_of(item.kind.family)
    block = next(iter(reader.blocks(item, settings)))
    return isinstance(block, Block) and any(site for site, _ in reader.texts(block.payload, settings))


def _fingerprint(items: Sequence[Input], settings: Settings, choice: Choice) -> str:
    """Stands for all that the counts depend on; files by size and time, as ``make`` does."""
    files = []
    for item in items:
        try:
            files.append([item.name, item.size, os.stat(item.path).st_mtime_ns])
        except OSError:
            files.append([item.name, item.size, None])
    reading = [
        settings.field,
        settings.html_field,
        settings.url_field,
        settings.encoding,
        settings.extraction,
        choice.width,
    ]
    return hashlib.sha256(json.dumps([files, reading]).encode()).hexdigest()


def _known(path: str, fingerprint: str) -> dict[str, object] | None:
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and known.get("fingerprint") == fingerprint else None
