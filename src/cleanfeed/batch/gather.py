"""What a run leaves beside the cleaned texts, if asked: the dropped lines, the counts by label, the report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from cleanfeed.batch import stats
from cleanfeed.batch.durable import replace_durably
from cleanfeed.batch.formats import output_compression
from cleanfeed.batch.formats.compression import compress
from cleanfeed.batch.journal import SPOOLS
from cleanfeed.batch.outcome import json_line
from cleanfeed.batch.settings import LABELLED, REJECTS, SAMPLES

Pieces = Callable[[str], Iterator[bytes]]
"""Name of a spool to its bytes, in the order of the inputs."""

# The report shows at most this many documents whole; a file system full of small files is sampled to about so many.
SHOWN_DOCUMENTS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files that the user asked for; None for those not asked for."""

    rejects: str | None = None
    stats: str | None = None
    report: str | None = None

    @property
    def collect(self) -> frozenset[str]:
        """What the workers must gather for them."""
        needs = {LABELLED} if self.stats else set()
        needs |= {REJECTS} if self.rejects else set()
        return frozenset(needs | {LABELLED, REJECTS, SAMPLES} if self.report else needs)

    @property
    def paths(self) -> list[str]:
        """All that will be written."""
        return [path for path in (self.rejects, self.stats, self.report) if path]


class Scratch:
    """Spools of a run that keeps no journal, in temporary files."""

    def __init__(self) -> None:
        self._files: dict[str, IO[bytes]] = {}

    def add(self, pieces: Mapping[str, bytes]) -> None:
        """Append to the spools."""
        for name, data in pieces.items():
            if name not in self._files:
                self._files[name] = tempfile.TemporaryFile()  # noqa: SIM115 - see close
            self._files[name].write(data)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()

    def read(self, spool: str) -> Iterator[bytes]:
        """Bytes of a spool."""
        assert spool in SPOOLS
        file = self._files.get(spool)
        if file is not None:
            file.seek(0)
            while data := file.read(1 << 20):
                yield data


def write(wanted: Wanted, pieces: Pieces, about: Mapping[str, Any]) -> None:
    """Write what was asked for, each file whole or not at all.

    Args:
        wanted: Which files.
        pieces: Where their content comes from.
        about: Totals and settings, for the report.

    Raises:
        OSError: A file cannot be written.
    """
    if wanted.rejects:
        compression = output_compression(wanted.rejects)
        replace_durably(wanted.rejects, (compress(data, compression) for data in pieces("rejects")))
    if wanted.stats:
        replace_durably(wanted.stats, map(json_line, stats_records(records(pieces("tables")))))
    if wanted.report:
        from cleanfeed.batch import report

        page = report.page(
            about=about,
            tables=totals(records(pieces("tables"))),
            rejects=records(pieces("rejects")),
            samples=records(pieces("samples")),
            errors=records(pieces("errors")),
        )
        replace_durably(wanted.report, (part.encode("utf-8", "backslashreplace") for part in page))


def records(data: Iterator[bytes]) -> Iterator[Any]:
    """The values of JSON Lines that come in pieces cut anywhere."""
    rest = b""
    for piece in data:
        *lines, rest = (rest + piece).split(b"\n")
        yield from map(json.loads, lines)


def totals(tables: Iterator[Any]) -> stats.Tables:
    """Sum of the tables of all files."""
    total: stats.Tables = {}
    for record in tables:
        stats.merge(total, record["tables"])
    return total


def stats_records(tables: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """One record for each file, then for each site, each script, and for all together."""
    total: stats.Tables = {}
    name, current = None, stats.Tables()
    for record in tables:  # blocks of one file follow each other
        if name is not None and record["file"] != name:
            yield _stats_record("file", name, _by_label(current))
            current = {}
        name = record["file"]
        stats.merge(current, record["tables"])
        stats.merge(total, record["tables"])
    if name is not None:
        yield _stats_record("file", name, _by_label(current))
    for kind in ("site", "script"):
        for key in sorted(key for key in total if key.startswith(f"{kind} ")):
            yield _stats_record(kind, key.removeprefix(f"{kind} "), total[key])
    yield _stats_record("all", "", _by_label(total))


def _by_label(tables: stats.Tables) -> dict[str, list[int]]:
    """All scripts together: every document has one."""
    labels: stats.Tables = {}
    for key, table in tables.items():
        if key.startswith("script "):
            stats.merge(labels, {"script": table})
    return labels.get("script", {})


def _stats_record(kind: str, name: str, labels: Mapping[str, list[int]]) -> dict[str, Any]:
    fields = ("lines_in", "characters_in", "lines_out", "characters_out")
    ordered = {label: dict(zip(fields, labels[label], strict=True)) for label in sorted(labels)}
    return {"group": kind, "name": name, "labels": ordered}
