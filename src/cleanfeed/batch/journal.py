"""What a run remembers, so that it can be interrupted at any moment and go on.

The state folder inside the output holds ::

    lock                     held by the run that works on this output
    journal.jsonl            a header, then a line for each finished input: the promise that its output stands
    errors.jsonl             all problems, in the order of the inputs; written when a run ends
    spool/errors-<n>.jsonl   problems as they come; the journal says which bytes belong to which input. So with
                             rejects, samples and tables
    part                     the output of the large file that is being worked on
    tmp/                     documents that are being written

A journal line is appended, and forced to the disk, only after all that it speaks of has been forced to the disk. So
after a crash everything behind the last line is of no account: spools are cut back to what that line says, and work
goes on there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from cleanfeed.batch.durable import flush, replace_durably
from cleanfeed.batch.outcome import json_line

FORMAT = 1
SPOOLS = ("errors", "rejects", "samples", "tables")
_COPY_BYTES = 1 << 20


class OutputBusyError(RuntimeError):
    """Another run works on the same output."""


@dataclass(slots=True)
class Entry:
    """A finished input, or one that is finished up to a block (``blocks`` is not None)."""

    input: str
    digest: str = ""
    size: int = 0
    """Bytes of the input."""
    output: str | None = None
    output_digest: str = ""
    output_size: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    collected: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    spans: dict[str, list[int]] = field(default_factory=dict)
    """Name of a spool to [offset, length] of what belongs to this input."""
    blocks: int | None = None
    """Blocks of a large file that are done; None when all of it is."""

    def as_dict(self) -> dict[str, Any]:
        """As a journal line holds it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Journal:
    """The journal of one output, and the spools beside it. Use it as a context manager: it holds the lock.

    Attributes:
        entries: Finished inputs by name.
        partial: The input that a run was interrupted in, if one was.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}
        self.partial: Entry | None = None
        self.temporary = os.path.join(folder, "tmp", f"{os.getpid()}-{os.urandom(4).hex()}")
        self._generation = 0
        self._ends = dict.fromkeys(SPOOLS, 0)
        self._spools: dict[str, IO[bytes]] = {}
        self._file: IO[bytes] | None = None
        self._lock: Any = None
        self._vanishes = False

    def __enter__(self) -> Journal:
        """Take the lock, read what was done, and throw away what was not finished.

        Raises:
            OutputBusyError: Another run holds the lock.
            OSError: The folder cannot be written.
        """
        from filelock import FileLock, Timeout

        os.makedirs(os.path.join(self.folder, "spool"), exist_ok=True)
        self._lock = FileLock(os.path.join(self.folder, "lock"), timeout=0)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise OutputBusyError(
                f"another run is working on {os.path.dirname(self.folder)}: wait for it or stop it"
            ) from error
        try:
            valid = self._load()
            self._open(valid)
            self._clear_temporary()
            os.makedirs(self.temporary)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Clear up and let go of the lock."""
        for file in [*self._spools.values(), self._file]:
            if file is not None:
                file.close()
        self._clear_temporary(keep_partial=self.partial is not None)
        if self._vanishes:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()

    def vanish(self) -> None:
        """Remove the state folder when the run is over."""
        self._vanishes = True

    def path(self, *names: str) -> str:
        """A path in the state folder."""
        return os.path.join(self.folder, *names)

    @property
    def part_path(self) -> str:
        """The output of the large file that is being worked on. It outlives a crash, for the next run to go on with."""
        return self.path("part")

    def forget(self, names: Sequence[str]) -> None:
        """Take inputs for not done."""
        for name in names:
            self.entries.pop(name, None)

    def commit(self, done: Sequence[tuple[Entry, Mapping[str, bytes]]]) -> None:
        """Append entries with what belongs to them in the spools, and wait until the disk has all of it.

        Spans are set here. For a large file each commit adds to the span of the one before.
        """
        touched: set[str] = set()
        for entry, pieces in done:
            before = self.partial if self.partial is not None and self.partial.input == entry.input else None
            for name in SPOOLS:
                data = pieces.get(name, b"")
                offset, length = before.spans[name] if before is not None else [self._ends[name], 0]
                entry.spans[name] = [offset, length + len(data)]
                if data:
                    self._spools[name].write(data)
                    self._ends[name] += len(data)
                    touched.add(name)
            self._take(entry)
        for name in touched:
            flush(self._spools[name])
        assert self._file is not None
        self._file.write(b"".join(json_line(entry.as_dict()) for entry, _ in done))
        flush(self._file)

    def drop_partial(self) -> None:
        """Give up what was done of a large file: it changed, or is not among the inputs any more."""
        self.partial = None

    def read(self, spool: str, names: Sequence[str]) -> Iterator[bytes]:
        """What belongs to these inputs in a spool, in this order, in pieces of bounded size."""
        self._spools[spool].flush()
        with open(self._spool_path(spool, self._generation), "rb") as file:
            for name in names:
                entry = self.entries.get(name)
                if entry is None:
                    continue
                offset, length = entry.spans[spool]
                file.seek(offset)
                while length > 0:
                    data = file.read(min(length, _COPY_BYTES))
                    if not data:
                        raise OSError(f"{file.name} is shorter than the journal says: run again with --force")
                    length -= len(data)
                    yield data

    def compact(self, order: Sequence[str]) -> None:
        """Rewrite journal and spools in the order of the inputs, without what has been superseded, if there is any.

        Entries of inputs that are not in ``order`` follow; their outputs still stand.
        """
        names = [name for name in order if name in self.entries]
        names += sorted(set(self.entries) - set(names))
        if (
            list(self.entries) == names
            and self.partial is None
            and all(
                self._ends[spool] == sum(entry.spans[spool][1] for entry in self.entries.values()) for spool in SPOOLS
            )
        ):
            return
        old = self._generation
        entries = [self.entries[name] for name in names]
        for spool in SPOOLS:
            with open(self._spool_path(spool, old + 1), "wb") as file:
                for data in self.read(spool, names):
                    file.write(data)
                flush(file)
        for spool in SPOOLS:
            end = 0
            for entry in entries:
                entry.spans[spool] = [end, entry.spans[spool][1]]
                end += entry.spans[spool][1]
        lines = [self._header(old + 1), *(json_line(entry.as_dict()) for entry in entries)]
        replace_durably(self.path("journal.jsonl"), lines)
        self.entries = {entry.input: entry for entry in entries}
        self._reopen(old + 1)

    def _load(self) -> int:
        """Read the journal; returns how many of its bytes are whole lines."""
        try:
            with open(self.path("journal.jsonl"), "rb") as file:
                lines = file.read().split(b"\n")[:-1]  # what follows the last newline was not finished
        except FileNotFoundError:
            return 0
        valid = 0
        for number, line in enumerate(lines):
            try:
                record = json.loads(line)
                if number == 0:
                    if record["cleanfeed journal"] != FORMAT:
                        return 0
                    self._generation = record["spools"]
                else:
                    entry = Entry(**record)
                    self._ends = {name: max(self._ends[name], sum(entry.spans[name])) for name in SPOOLS}
                    self._take(entry)
            except (ValueError, TypeError, KeyError):
                break  # a torn write: everything from here on is done again
            valid += len(line) + 1
        return valid if self._spools_hold() else 0

    def _spools_hold(self) -> bool:
        """Whether the spools are as long as the journal says: false only if somebody removed or cut one."""
        try:
            return all(os.path.getsize(self._spool_path(name, self._generation)) >= self._ends[name] for name in SPOOLS)
        except FileNotFoundError:
            return False

    def _take(self, entry: Entry) -> None:
        if entry.blocks is None:
            self.entries.pop(entry.input, None)  # so that it comes last: the order is that of the spools
            self.entries[entry.input] = entry
            self.partial = None
        else:
            self.partial = entry

    def _open(self, valid: int) -> None:
        path = self.path("journal.jsonl")
        if not valid:
            self.entries, self.partial, self._ends = {}, None, dict.fromkeys(SPOOLS, 0)
            replace_durably(path, [self._header(self._generation)])
            valid = os.path.getsize(path)
        self._file = open(path, "r+b")  # noqa: SIM115 - closed in __exit__
        self._file.truncate(valid)
        self._file.seek(valid)
        self._open_spools()

    def _open_spools(self) -> None:
        wanted = set()
        for name in SPOOLS:
            path = self._spool_path(name, self._generation)
            wanted.add(os.path.basename(path))
            file = open(path, "ab")  # noqa: SIM115 - closed in __exit__
            file.truncate(self._ends[name])
            self._spools[name] = file
        for name in os.listdir(self.path("spool")):
            if name not in wanted:
                os.unlink(self.path("spool", name))

    def _reopen(self, generation: int) -> None:
        for file in [*self._spools.values(), self._file]:
            if file is not None:
                file.close()
        self._generation = generation
        self._ends = {spool: sum(entry.spans[spool][1] for entry in self.entries.values()) for spool in SPOOLS}
        self._open(os.path.getsize(self.path("journal.jsonl")))

    def _spool_path(self, name: str, generation: int) -> str:
        return self.path("spool", f"{name}-{generation}.jsonl")

    @staticmethod
    def _header(generation: int) -> bytes:
        return json_line({"cleanfeed journal": FORMAT, "spools": generation})

    def _clear_temporary(self, *, keep_partial: bool = True) -> None:
        shutil.rmtree(self.path("tmp"), ignore_errors=True)
        if not keep_partial and os.path.exists(self.part_path):
            os.unlink(self.part_path)
