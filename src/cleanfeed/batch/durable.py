"""Files that are whole or not there: written beside their place, forced to the disk, renamed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO


def flush(file: IO[bytes]) -> None:
    """Wait until the disk has all that was written to a file."""
    file.flush()
    os.fsync(file.fileno())


def write_durably(path: str, data: bytes) -> None:
    """Write a file and wait until the disk has it; it is not in its place yet.

    Raises:
        OSError: The disk is full or not writable.
    """
    with open(path, "wb") as file:
        file.write(data)
        flush(file)


def replace_durably(path: str, parts: Iterable[bytes], scratch: str | None = None) -> None:
    """Put a file in place whole or not at all.

    Args:
        path: Where it goes.
        parts: What it holds.
        scratch: A file name to use until then, on the same file system; None for one beside ``path``.

    Raises:
        OSError: It cannot be written.
    """
    scratch = scratch or f"{path}.{os.getpid()}.tmp"
    try:
        with open(scratch, "wb") as file:
            for part in parts:
                file.write(part)
            flush(file)
        os.replace(scratch, path)
    finally:
        if os.path.exists(scratch):
            os.unlink(scratch)
    sync_folder(os.path.dirname(path))


def sync_folder(folder: str) -> None:
    """Force the names in a folder to the disk, where the system knows how to."""
    if os.name != "posix":
        return
    descriptor = os.open(folder or ".", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
