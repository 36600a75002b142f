"""Where results go: an output folder with its journal, one stream, or nowhere (a dry run)."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from typing import IO, Protocol, TextIO

from cleanfeed.batch.durable import sync_folder
from cleanfeed.batch.formats.base import Writer
from cleanfeed.batch.inputs import Input, show
from cleanfeed.batch.journal import Entry, Journal
from cleanfeed.batch.outcome import Counts, Outcome, json_line, json_lines
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.tasks import BlockDone, BlockTask, EndTask, FileDone, OutputError, format_of

# How much work a crash may cost: a large file goes on from the last checkpoint, one in so many seconds.
_CHECKPOINT_SECONDS = 2.0


class Sink(Protocol):
    """Takes results in the order of the inputs."""

    def files(self, results: list[FileDone]) -> None:
        """Take documents."""

    def block(self, task: BlockTask, done: BlockDone) -> None:
        """Take the next block of a large file."""

    def end(self, task: EndTask, outcome: Outcome) -> Counts:
        """A large file is complete; ``outcome`` has what was found at its end. Returns the counts of the whole file."""

    def abandon(self) -> None:
        """The run stops here."""


class FolderSink:
    """Writes to an output folder: each file is put in place whole, then journalled."""

    def __init__(self, journal: Journal, place: Callable[[Input], str], settings: Settings) -> None:
        self._journal = journal
        self._place = place
        self._settings = settings
        self._identity = settings.identity()
        self._writer: Writer | None = None
        self._pieces: dict[str, list[bytes]] = {}
        self._counts = Counts()
        self._blocks = 0
        self._chain = ""
        self._checkpoint_at = 0.0

    def files(self, results: list[FileDone]) -> None:
        """Move finished documents to where they belong, and journal them together."""
        folders = set()
        done: list[tuple[Entry, Mapping[str, bytes]]] = []
        for result in results:
            finished = result.finished
            target = self._place(finished.item)
            if result.temporary is not None:
                self._move(result.temporary, target)
                folders.add(os.path.dirname(target))
            elif finished.digest and finished.item.name in self._journal.entries:
                self._remove_stale(target)
            entry = self._entry(finished.item, finished.digest, finished.outcome.counts)
            if result.temporary is not None:
                entry.output, entry.output_digest = finished.item.output, result.output_digest
                entry.output_size = result.output_size
            done.append((entry, pieces_of(finished.item.name, finished.outcome)))
        for folder in folders:
            sync_folder(folder)
        self._journal.commit(done)

    def block(self, task: BlockTask, done: BlockDone) -> None:
        """Append a block to the file in the making; now and then make sure of what was done."""
        if self._writer is None:
            self._begin(task.item, task.index)
        assert self._writer is not None
        try:
            self._writer.write(done.data)
        except OSError as error:
            raise OutputError(f"cannot write the output of {task.item.name}: {error.strerror or error}") from error
        self._counts.add(done.outcome.counts)
        for name, data in pieces_of(task.item.name, done.outcome).items():
            self._pieces.setdefault(name, []).append(data)
        self._blocks, self._chain = task.index + 1, task.chain
        if time.monotonic() - self._checkpoint_at >= _CHECKPOINT_SECONDS:
            self._checkpoint(task.item)

    def end(self, task: EndTask, outcome: Outcome) -> Counts:
        """Finish the file, put it in place and journal it."""
        item = task.item
        if self._writer is None:
            self._begin(item, 0 if not self._resumes(item) else None)
        assert self._writer is not None
        self._counts.add(outcome.counts)
        entry = self._entry(item, task.end.digest, self._counts)
        target = self._place(item)
        if task.end.usable:
            try:
                self._writer.close()
            except OSError as error:
                raise OutputError(f"cannot write the output of {item.name}: {error.strerror or error}") from error
            entry.output = item.output
            entry.output_size = os.path.getsize(self._journal.part_path)
            entry.output_digest = digest_of(self._journal.part_path)
            self._move(self._journal.part_path, target)
            sync_folder(os.path.dirname(target))
        else:
            self._writer.abandon()
            os.unlink(self._journal.part_path)
            if task.end.digest and item.name in self._journal.entries:
                self._remove_stale(target)
        for name, data in pieces_of(item.name, outcome).items():
            self._pieces.setdefault(name, []).append(data)
        self._journal.commit([(entry, self._take_pieces())])
        counts, self._counts, self._writer = self._counts, Counts(), None
        return counts

    def abandon(self) -> None:
        """Make sure of what was done of a large file, if one is in the making."""
        if self._writer is not None:
            self._writer.abandon()

    def _resumes(self, item: Input) -> bool:
        partial = self._journal.partial
        return partial is not None and partial.input == item.name

    def _begin(self, item: Input, index: int | None) -> None:
        """Open the file in the making; an index other than 0 goes on where the journal says."""
        partial = self._journal.partial
        resume_at = None
        if index != 0 and partial is not None:
            resume_at = partial.output_size
            self._counts = Counts(**partial.counts)
        else:
            self._journal.drop_partial()
            self._counts = Counts()
        try:
            self._writer = format_of(item.kind.family).open_writer(
                self._journal.part_path, item, self._settings, resume_at
            )
        except OSError as error:
            raise OutputError(f"cannot write in {self._journal.folder}: {error.strerror or error}") from error
        self._checkpoint_at = time.monotonic()

    def _checkpoint(self, item: Input) -> None:
        assert self._writer is not None
        size = self._writer.checkpoint()
        self._checkpoint_at = time.monotonic()
        if size is None:
            return
        entry = self._entry(item, self._chain, self._counts)
        entry.output_size, entry.blocks = size, self._blocks
        self._journal.commit([(entry, self._take_pieces())])

    def _take_pieces(self) -> dict[str, bytes]:
        pieces = {name: b"".join(parts) for name, parts in self._pieces.items()}
        self._pieces = {}
        return pieces

    def _entry(self, item: Input, digest: str, counts: Counts) -> Entry:
        return Entry(
            input=item.name,
            digest=digest,
            size=item.size,
            settings=self._identity,
            collected=sorted(self._settings.collect),
            counts=counts.as_dict(),
        )

    @staticmethod
    def _move(source: str, target: str) -> None:
        try:
            os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
            os.replace(source, target)
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from error

    @staticmethod
    def _remove_stale(target: str) -> None:
        """The input changed into one that cannot be cleaned: what an earlier run made of it is no longer true."""
        if os.path.isfile(target):
            os.unlink(target)


class StreamSink:
    """Writes everything to one stream, in order; nothing is journalled.

    Args:
        stream: Where the results go.
        gather: Takes what is collected beside them, as :func:`pieces_of` gives it.
    """

    def __init__(self, stream: IO[bytes], gather: Callable[[Mapping[str, bytes]], None]) -> None:
        self._stream = stream
        self._gather = gather
        self._counts = Counts()

    def files(self, results: list[FileDone]) -> None:
        """Write documents."""
        for result in results:
            self._gather(pieces_of(result.finished.item.name, result.finished.outcome))
            if result.finished.data is not None:
                self._write(result.finished.data)

    def block(self, task: BlockTask, done: BlockDone) -> None:
        """Write the lines of a block."""
        self._write(done.data)
        self._gather(pieces_of(task.item.name, done.outcome))
        self._counts.add(done.outcome.counts)

    def end(self, task: EndTask, outcome: Outcome) -> Counts:
        """Nothing is left to write."""
        self._gather(pieces_of(task.item.name, outcome))
        self._counts.add(outcome.counts)
        counts, self._counts = self._counts, Counts()
        return counts

    def abandon(self) -> None:
        """Nothing to do."""

    def _write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot write to the standard output: {error.strerror or error}") from error


class NowhereSink:
    """A dry run: everything is worked out, and what would go is printed for each file."""

    def __init__(self, listing: TextIO, gather: Callable[[Mapping[str, bytes]], None]) -> None:
        self._listing = listing
        self._gather = gather
        self._counts = Counts()

    def files(self, results: list[FileDone]) -> None:
        """Print what documents would lose."""
        for result in results:
            self._gather(pieces_of(result.finished.item.name, result.finished.outcome))
            self._print(result.finished.item.name, result.finished.outcome.counts)

    def block(self, task: BlockTask, done: BlockDone) -> None:
        """Count."""
        self._gather(pieces_of(task.item.name, done.outcome))
        self._counts.add(done.outcome.counts)

    def end(self, task: EndTask, outcome: Outcome) -> Counts:
        """Print what the documents in a file would lose."""
        self._gather(pieces_of(task.item.name, outcome))
        self._counts.add(outcome.counts)
        counts, self._counts = self._counts, Counts()
        self._print(task.item.name, counts)
        return counts

    def abandon(self) -> None:
        """Nothing to do."""

    def _print(self, name: str, counts: Counts) -> None:
        lines, characters = counts.lines_in - counts.lines_out, counts.characters_in - counts.characters_out
        share = characters / max(counts.characters_in, 1)
        print(
            f"{show(name)}: {lines} of {counts.lines_in} lines would go, {share:.1%} of the characters",
            file=self._listing,
        )


def pieces_of(file: str, outcome: Outcome) -> dict[str, bytes]:
    """What goes to the spools of the journal."""
    pieces = {
        "errors": json_lines(problem.record(file) for problem in outcome.problems),
        "rejects": json_lines(outcome.rejects),
        "samples": json_lines(outcome.samples),
        "tables": json_line({"file": file, "tables": outcome.tables}) if outcome.tables else b"",
    }
    return {name: data for name, data in pieces.items() if data}


def digest_of(path: str) -> str:
    """sha256 of a file in hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()
