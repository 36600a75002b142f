"""On how many documents of its site does a line stand? Counted in bounded memory, saved and loaded without pickle.

Lines that stand on many pages of one site are furniture more often than not. The counts are evidence for the model,
never a rule: place names, datelines and refrains repeat too.

The counter is a count-min sketch with conservative update (Estan and Varghese 2002; Cormode and Muthukrishnan 2005):
four rows of 16-bit counters, each key hashed to one counter in each row, its count the smallest of the four. It never
counts too low below 65,535, where it stops; it counts too high only where a line shares all four counters with others.
With the default 2^23 counters a row (64 MiB in all) that is 0.05 % of lines when 2 million different lines are held,
0.6 % at 4 million, 4 % at 8 million and 22 % at 16 million (measured), nearly always by 1. Give more for more text.

A document that comes twice, word for word, counts once: crawls are full of them, and their bodies are no furniture.
That is remembered in a Bloom filter beside the counters (1 byte a counter), which takes 2 % of new documents for known
ones when there are as many as counters.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.lines import Block, IntArray, block_of, codes_of

Keys = npt.NDArray[np.uint64]

FORMAT = 1
DEFAULT_WIDTH = 1 << 23
"""Counters in each row: 2^23, which makes 64 MiB."""

_ROWS = 4
# Odd multipliers for multiply-shift hashing (Dietzfelbinger et al. 1997), digits of pi so that nobody chose them.
_MULTIPLIERS = np.array([0x243F6A8885A308D3, 0x13198A2E03707345, 0xA4093822299F31D1, 0x082EFA98EC4E6C89], np.uint64)
_FULL = np.iinfo(np.uint16).max
# Furniture is short, and two long lines that begin alike are the same for this purpose.
_HEAD_CHARACTERS = 400
# Multiplier of the line hash: Knuth's for 64-bit linear congruential generators (MMIX).
_POWERS = np.cumprod(np.full(_HEAD_CHARACTERS, 6364136223846793005, np.uint64), dtype=np.uint64)
# White space, and the digits of the scripts that most pages are written in: ASCII, Arabic, Persian, Devanagari,
# Bengali.
_COUNTS = np.ones(0x3002, np.bool_)
"""By code point, the last entry standing for all beyond."""
_COUNTS[[*range(9, 14), 32, 0xA0, 0x2007, 0x202F, 0x3000]] = False
for _zero in (0x30, 0x660, 0x6F0, 0x966, 0x9E6):
    _COUNTS[_zero : _zero + 10] = False


class Documents(NamedTuple):
    """What some documents add to the counts."""

    keys: Keys
    """Each distinct line of each document. Shape (n_keys,)."""
    owners: IntArray
    """Index of the document that a key is of. Shape (n_keys,)."""
    signatures: Keys
    """Equal for documents of one site with the same lines. Shape (n_documents,)."""
    sites: Keys
    """Key of each document's site. Shape (n_documents,)."""


class RepeatsError(ValueError):
    """A file of counts that cannot be read."""


class Repeats:
    """Counts of lines per site.

    Args:
        width: Counters in each row, a power of two. Memory is 9 bytes times this while counting, 8 once loaded.
    """

    def __init__(self, width: int = DEFAULT_WIDTH) -> None:
        if width < 2 or width & (width - 1):
            raise ValueError(f"width {width} is not a power of two")
        self._table: npt.NDArray[np.uint16] = np.zeros((_ROWS, width), np.uint16)
        self._seen: npt.NDArray[np.uint8] = np.zeros(width, np.uint8)

    def add(self, documents: Documents) -> None:
        """Count the lines of documents, leaving out those that were counted before.

        The same documents in the same batches give the same table; other batches may differ where keys share counters.
        """
        new = self._note_new(documents.signatures)
        self._count(np.concatenate((documents.keys[new[documents.owners]], documents.sites[new])))

    def _note_new(self, signatures: Keys) -> npt.NDArray[np.bool_]:
        """Which documents come for the first time; they are remembered. Shape (n_documents,)."""
        bits = (signatures[np.newaxis, :] * _MULTIPLIERS[:, np.newaxis]) >> np.uint64(64 - 3 - self._log_width)
        places, masks = (bits >> np.uint64(3)).astype(np.int64), np.uint8(1) << (bits & np.uint64(7)).astype(np.uint8)
        new: npt.NDArray[np.bool_] = ((self._seen[places] & masks) == 0).any(axis=0)
        _, firsts = np.unique(signatures, return_index=True)
        first = np.zeros(len(signatures), np.bool_)
        first[firsts] = True
        np.bitwise_or.at(self._seen, places, masks)
        return new & first

    def _count(self, keys: Keys) -> None:
        distinct, times = np.unique(keys, return_counts=True)
        cells = self._cells(distinct)
        now = self._at(cells).min(axis=0).astype(np.int64)
        raised = np.minimum(now + times, _FULL).astype(np.uint16)
        for row, cell in zip(self._table, cells, strict=True):
            np.maximum.at(row, cell, raised)

    def counts(self, site: str, lines: Sequence[str]) -> npt.NDArray[np.int64]:
        """On how many documents of the site each line stands.

        Args:
            site: As given when counting.
            lines: Without terminators.

        Returns:
            Shape (n_lines,); 0 for blank lines and for lines never counted.
        """
        lengths = np.fromiter(map(len, lines), np.int64, len(lines))
        starts = np.cumsum(lengths) - lengths
        block = Block(
            codes_of("".join(lines)), np.zeros(1, np.int64), starts, starts + lengths, np.zeros(len(lines), np.int64)
        )
        return self._counts(line_keys([site], block))

    def counts_of_texts(self, sites: Sequence[str], texts: Sequence[str]) -> list[npt.NDArray[np.int64]]:
        """The same for whole documents: for each, one count a line, as :func:`cleanfeed.lines.split` finds lines."""
        block = block_of(texts)
        found = self._counts(line_keys(sites, block))
        return np.split(found, np.searchsorted(block.text_of_line, np.arange(1, len(texts)))) if texts else []

    def _counts(self, keys: Keys) -> npt.NDArray[np.int64]:
        found: npt.NDArray[np.int64] = self._at(self._cells(keys)).min(axis=0).astype(np.int64)
        found[keys == 0] = 0
        return found

    def documents(self, site: str) -> int:
        """How many documents of the site were counted."""
        return int(self._at(self._cells(np.array([_site_key(site)], np.uint64))).min())

    @property
    def digest(self) -> str:
        """sha256 of all counts, in hexadecimal."""
        return hashlib.sha256(np.ascontiguousarray(self._table).tobytes()).hexdigest()

    def save(self, path: str | Path) -> None:
        """Write the counts: compressed as ``.npz``, else plain, which :meth:`load` maps into memory."""
        if str(path).endswith(".npz"):
            with open(path, "wb") as file:
                np.savez_compressed(file, format=np.array(FORMAT), table=self._table)
        else:
            with open(path, "wb") as file:
                np.save(file, self._table, allow_pickle=False)

    @classmethod
    def load(cls, path: str | Path) -> Repeats:
        """Read counts that :meth:`save` wrote.

        Raises:
            RepeatsError: The file is not one of counts.
            OSError: It cannot be opened.
        """
        try:
            if str(path).endswith(".npz"):
                with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                    if int(archive["format"]) != FORMAT:
                        raise RepeatsError(f"{path}: format {archive['format']} of counts, this version reads {FORMAT}")
                    table = archive["table"]
            else:
                table = np.lib.format.open_memmap(path, mode="r")
        except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            if isinstance(error, RepeatsError):
                raise
            raise RepeatsError(f"{path}: not a file of line counts ({error})") from error
        rows, width = table.shape if table.ndim == 2 else (0, 0)
        if table.dtype != np.uint16 or rows != _ROWS or width < 2 or width & (width - 1):
            raise RepeatsError(
                f"{path}: counts of shape {table.shape} and type {table.dtype}, expected (4, 2^n) of uint16"
            )
        repeats = cls.__new__(cls)
        repeats._table = table
        repeats._seen = np.zeros(width, np.uint8)
        return repeats

    def _cells(self, keys: Keys) -> npt.NDArray[np.uint64]:
        """Where each key is counted in each row. Shape (rows, n_keys)."""
        return (keys[np.newaxis, :] * _MULTIPLIERS[:, np.newaxis]) >> np.uint64(64 - self._log_width)

    @property
    def _log_width(self) -> int:
        return int(self._table.shape[1]).bit_length() - 1

    def _at(self, cells: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint16]:
        return np.take_along_axis(self._table, cells.astype(np.int64), axis=1)


def describe(sites: Sequence[str], texts: Sequence[str]) -> Documents:
    """What documents add to the counts: each line once for each document that has it.

    Args:
        sites: Site of each document.
        texts: The documents.
    """
    block = block_of(texts)
    keys = line_keys(sites, block)
    document = block.text_of_line[keys != 0]
    keys = keys[keys != 0]
    # Once for each document: sort by document and key, and leave out what equals its neighbour.
    order = np.lexsort((keys, document))
    keys, document = keys[order], document[order]
    first = np.ones(len(keys), np.bool_)
    first[1:] = (np.diff(document) != 0) | (keys[1:] != keys[:-1])
    keys, document = keys[first], document[first]
    of_site = np.fromiter(map(_site_key, sites), np.uint64, len(sites))
    # The sum of mixed keys does not depend on their order, which for distinct lines is as good as their text.
    sums = of_site.copy()
    np.add.at(sums, document, keys)
    return Documents(keys, document, _mix(sums), of_site)


def line_keys(sites: Sequence[str], block: Block) -> Keys:
    """A number for each line of each site; 0 for lines without a character that counts. Shape (n_lines,).

    Digits and white space do not count: "12 comments" is "7 comments".
    """
    hashes = _line_hashes(block.codes, block.starts, block.ends)
    of_site = np.fromiter(map(_site_key, sites), np.uint64, len(sites))
    keys = _mix(hashes ^ of_site[block.text_of_line])
    keys[hashes == 0] = 0
    return keys


def _line_hashes(codes: npt.NDArray[np.uint32], starts: IntArray, ends: IntArray) -> Keys:
    """Polynomial hash modulo 2^64 of the first characters of each line, without a Python loop. Shape (n_lines,)."""
    # What lies in no line (terminators) and behind the head of a long line is left out before anything is computed.
    heads = np.minimum(ends - starts, _HEAD_CHARACTERS)
    bounds = np.concatenate(([0], np.cumsum(heads)))
    chars = codes[np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], heads)]
    counted = _COUNTS[np.minimum(chars, len(_COUNTS) - 1)]
    chars = chars[counted]
    before = np.concatenate(([0], np.cumsum(counted)))[bounds]
    offsets, amounts = before[:-1], np.diff(before)
    terms = chars.astype(np.uint64) * _POWERS[np.arange(len(chars)) - np.repeat(offsets, amounts)]
    hashes = np.zeros(len(starts), np.uint64)
    filled = np.flatnonzero(amounts)
    if len(filled):
        hashes[filled] = np.add.reduceat(terms, offsets[filled])
    return hashes


def _mix(keys: Keys) -> Keys:
    """Spread what differs over all bits (the finaliser of splitmix64, Steele, Lea and Flood 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


@lru_cache(maxsize=1 << 14)
def _site_key(site: str) -> int:
    """A number for a site; also the key that counts its documents."""
    digest = hashlib.blake2b(site.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "little")
