"""What the formats that hold many records have in common."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Protocol

from cleanfeed.batch.formats import output_compression
from cleanfeed.batch.formats.compression import compress
from cleanfeed.batch.inputs import Input
from cleanfeed.batch.outcome import Outcome, Problem
from cleanfeed.batch.settings import Settings

if TYPE_CHECKING:
    from cleanfeed.repeats import Repeats

BLOCK_BYTES = 2 << 20
"""A large file is cut into blocks of about 2 MiB, which are cleaned one by one in any worker.

Enough for the vectorised core to run at full speed, and small enough that what is in flight stays below 100 MB per
worker. The blocks of a file do not depend on the number of workers.
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of records, as far as reading goes without understanding them."""

    payload: Any
    """What a worker gets; picklable."""
    fingerprint: bytes
    """sha256 of the payload: an interrupted run goes on only if the blocks it did are still the same."""
    position: int
    """Bytes of the file that have been read when the block is complete; for progress."""


@dataclass(frozen=True, slots=True)
class End:
    """Comes after the last block of a file."""

    digest: str
    """sha256 of the file, in hexadecimal; empty if it could not be read."""
    problems: list[Problem] = field(default_factory=list)
    usable: bool = True
    """Whether the blocks before it make an output; if not, the file is passed over as a whole."""


class Writer(Protocol):
    """Puts cleaned blocks together to a file."""

    def write(self, data: Any) -> None:
        """Append what cleaning a block gave."""

    def checkpoint(self) -> int | None:
        """Force what was written to the disk; returns the size up to here, None if the format cannot be resumed."""

    def close(self) -> None:
        """Finish the file and force it to the disk."""

    def abandon(self) -> None:
        """Close without finishing."""


class RecordFormat(Protocol):
    """A module of the formats that hold many records."""

    def blocks(self, item: Input, settings: Settings) -> Iterator[Block | End]:
        """Read the file, block by block, ending with an ``End``. Raises nothing: problems are in the ``End``."""

    def clean_block(
        self, payload: Any, item: Input, settings: Settings, repeats: Repeats | None
    ) -> tuple[Any, Outcome]:
        """Clean the records of a block; returns what the writer takes."""

    def texts(self, payload: Any, settings: Settings) -> Iterator[tuple[str, str]]:
        """Site and text of each record that can be read, for counting repeats."""

    def open_writer(self, path: str, item: Input, settings: Settings, resume_at: int | None) -> Writer:
        """Begin the output, or go on with it at a size that ``checkpoint`` gave."""


class HashingReader:
    """Reads a file and knows the sha256 of all that was read: one pass serves the work and the journal."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        """Read as ``file.read`` does."""
        data = self._file.read(size)
        self._hash.update(data)
        self.position += len(data)
        return data

    def tell(self) -> int:
        """How much was read; fastwarc asks."""
        return self.position

    def readable(self) -> bool:
        """True; decompressors ask."""
        return True

    def seekable(self) -> bool:
        """False: what is read once is hashed once."""
        return False

    @property
    def closed(self) -> bool:
        """Whether the file is closed; decompressors ask."""
        return self._file.closed

    def digest(self) -> str:
        """Read whatever is left and return the sha256 of the whole file in hexadecimal."""
        while self.read(1 << 20):
            pass
        return self._hash.hexdigest()


def site_of_url(url: object) -> str:
    """The host of an address, in lower case and without ``www.``; "" for anything that is no address."""
    if not isinstance(url, str):
        return ""
    from urllib.parse import urlsplit

    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


class AppendingWriter:
    """Writes blocks of bytes one behind the other; can stop after any of them and go on."""

    def __init__(self, file: IO[bytes], compression: str) -> None:
        self._file = file
        self._compression = compression

    @classmethod
    def open(
        cls,
        path: str,
        item: Input,
        settings: Settings,  # noqa: ARG003 - as formats are asked for it
        resume_at: int | None,
    ) -> AppendingWriter:
        """Begin a file, or cut it to a size and go on there.

        Raises:
            OSError: It cannot be written, or is shorter than ``resume_at``.
        """
        file = open(path, "wb" if resume_at is None else "r+b")  # noqa: SIM115 - closed by close or abandon
        if resume_at is not None:
            if file.seek(0, 2) < resume_at:
                raise OSError(f"{path} is shorter than the journal says")
            file.truncate(resume_at)
            file.seek(resume_at)
        return cls(file, output_compression(item.output))

    def write(self, data: bytes) -> None:
        """Append the lines of a block."""
        self._file.write(data)

    def checkpoint(self) -> int:
        """Force what was written to the disk; returns the size."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Finish the file. One without a record still is a valid file of its compression."""
        if self._file.tell() == 0 and self._compression:
            self._file.write(compress(b"", self._compression))
        self.checkpoint()
        self._file.close()

    def abandon(self) -> None:
        """Close without finishing."""
        self._file.close()
