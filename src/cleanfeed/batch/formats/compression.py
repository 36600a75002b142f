"""Compressed streams, read and written so that a file can grow block by block.

Every block is written as a stream of its own. All four formats define the files put one behind the other as one file
(RFC 1952 section 2.2, RFC 8878 section 3, bzip2 and xz likewise), so a run can stop after any block and go on.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from typing import IO, Any, cast

# Middle ways between size and time; a corpus is written once and read often.
_GZIP_LEVEL, _BZ2_LEVEL, _XZ_PRESET, _ZSTD_LEVEL = 6, 9, 3, 3


class MissingLibraryError(RuntimeError):
    """A library that an optional format needs is not installed."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {library}: pip install 'cleanfeed[{extra}]'")


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        try:
            from backports import zstd
        except ImportError as error:
            raise MissingLibraryError("backports.zstd", "zstd", "reading and writing .zst") from error
    return zstd


def require(compression: str) -> None:
    """Make sure that the library for a compression is there.

    Raises:
        MissingLibraryError: It is not.
    """
    if compression == "zst":
        _zstd()


def open_reader(stream: IO[bytes], compression: str) -> IO[bytes]:
    """Wrap a stream of compressed bytes into one of what they stand for.

    Its ``read1`` raises one of :func:`read_errors` where the data is broken or ends early.
    """
    if compression == "gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if compression == "bz2":
        return cast("IO[bytes]", bz2.BZ2File(stream))
    if compression == "xz":
        return cast("IO[bytes]", lzma.LZMAFile(stream))
    if compression == "zst":
        return cast("IO[bytes]", _zstd().ZstdFile(stream))
    return stream


def read_errors(compression: str) -> tuple[type[Exception], ...]:
    """What reading a broken file of this compression may raise."""
    import zlib

    return (OSError, EOFError, zlib.error, lzma.LZMAError, *((_zstd().ZstdError,) if compression == "zst" else ()))


def compress(data: bytes, compression: str) -> bytes:
    """Compress ``data`` into a stream that is whole by itself; the same bytes every time."""
    if compression == "gz":
        return gzip.compress(data, _GZIP_LEVEL, mtime=0)
    if compression == "bz2":
        return bz2.compress(data, _BZ2_LEVEL)
    if compression == "xz":
        return lzma.compress(data, preset=_XZ_PRESET)
    if compression == "zst":
        return cast("bytes", _zstd().compress(data, _ZSTD_LEVEL))
    return data
