"""Labelled documents, the format in which lines are measured.

A file holds one JSON object per line (JSON Lines, UTF-8, optionally gzipped as `*.gz`):

    {"id": "ar-17", "lang": "ar", "lines": ["…", "…"], "labels": ["body", "teaser"]}

| field    | type                   | meaning                                                                     |
|----------|------------------------|-----------------------------------------------------------------------------|
| `id`     | string                 | names the document; unique in its file                                      |
| `lines`  | list of strings        | the lines of the text, in order, without line breaks                        |
| `labels` | list, as long as lines | `body`, `meta`, `teaser`, `boilerplate`; `junk`: one of the last two, it is |
|          |                        | not known which; null: nobody can tell                                      |
| `lang`   | string or null         | optional: language code, as `ar` or `pt`                                    |
| `view`   | string or null         | optional: how the lines came out of the page, as `traf`                     |
| `traits` | list of strings        | optional: what the document shows, as `section-title`                       |

Other fields are allowed and not read. A record that breaks a rule is reported with its file and line number and left
out; the rest of the file is read.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

LABELS = ("body", "meta", "teaser", "boilerplate")
JUNK = frozenset({"teaser", "boilerplate", "junk"})
"""What should go. `meta` is neither junk nor body: people differ on it, so it is not scored."""

_KNOWN = frozenset({*LABELS, "junk", None})


@dataclass(frozen=True, slots=True)
class Document:
    """One labelled document; `source` is the name of its file without the endings."""

    id: str
    lines: list[str]
    labels: list[str | None]
    lang: str | None = None
    view: str | None = None
    traits: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a record: the file, the line in it (1 is the first, 0 the file as a whole), and the fault."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


class RecordError(ValueError):
    """A record that is not a labelled document; the message says which rule it breaks."""


def read(path: Path) -> tuple[list[Document], list[Problem]]:
    """Read a file of labelled documents.

    Returns:
        The good documents in file order, and one problem per bad record. Never raises for what the file holds.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    number = 0
    try:
        for number, raw in enumerate(_raw_lines(path), start=1):
            if not raw.strip():
                continue
            try:
                document = parse(json.loads(raw), source=source_name(path))
                if document.id in seen:
                    raise RecordError(f"id {document.id!r} stands on line {seen[document.id]} already")
            except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or not a labelled document
                problems.append(Problem(path, number, _say(error)))
            else:
                seen[document.id] = number
                documents.append(document)
    except (OSError, EOFError, zlib.error) as error:  # missing, unreadable, or a broken gzip stream
        problems.append(Problem(path, number, f"cannot be read further: {error}" if number else _say(error)))
    if not documents and not problems:
        problems.append(Problem(path, 0, "holds no records"))
    return documents, problems


def read_all(paths: Iterable[Path]) -> tuple[list[Document], list[Problem]]:
    """Read several files, as `read` reads one."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in paths:
        found, wrong = read(path)
        documents += found
        problems += wrong
    return documents, problems


def parse(record: object, source: str = "") -> Document:
    """Check one decoded record and make a document of it.

    Raises:
        RecordError: naming the first rule that the record breaks.
    """
    if not isinstance(record, dict):
        raise RecordError(f"a record is a JSON object, this is a {type(record).__name__}")
    for field in ("id", "lines", "labels"):
        if field not in record:
            raise RecordError(f"has no {field!r}")
    if not isinstance(record["id"], str):
        raise RecordError(f"'id' is a string, this is {record['id']!r}")
    for field in ("lang", "view"):
        if not isinstance(record.get(field), str | None):
            raise RecordError(f"{field!r} is a string or null, this is {record[field]!r}")
    lines, labels, traits = record["lines"], record["labels"], record.get("traits") or []
    for field, value in (("lines", lines), ("labels", labels), ("traits", traits)):
        if not isinstance(value, list):
            raise RecordError(f"{field!r} is a list, this is a {type(value).__name__}")
    if len(lines) != len(labels):
        raise RecordError(f"has {len(lines)} lines and {len(labels)} labels")
    for number, (line, label) in enumerate(zip(lines, labels, strict=True), start=1):
        if not isinstance(line, str):
            raise RecordError(f"line {number} is not a string")
        if "\n" in line or "\r" in line:
            raise RecordError(f"line {number} holds a line break: it is two lines")
        if not isinstance(label, str | None) or label not in _KNOWN:
            raise RecordError(f"line {number} has the unknown label {label!r}; known: {', '.join(LABELS)}, junk, null")
    if not all(isinstance(trait, str) for trait in traits):
        raise RecordError("'traits' holds something that is not a string")
    return Document(record["id"], lines, labels, record.get("lang"), record.get("view"), tuple(traits), source)


def digest(path: Path) -> str:
    """The sha256 of a file's content, uncompressed, so that packing it anew changes nothing."""
    total = hashlib.sha256()
    with _open(path) as stream:
        while block := stream.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def source_name(path: Path) -> str:
    """The name of a file without `.jsonl` and `.gz`."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


def _raw_lines(path: Path) -> Iterator[bytes]:
    with _open(path) as stream:
        yield from stream


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _say(error: BaseException) -> str:
    match error:
        case RecordError():
            return str(error)
        case json.JSONDecodeError():
            return f"not JSON: {error.msg} at column {error.colno}"
        case UnicodeDecodeError():
            return f"not UTF-8: {error.reason} at byte {error.start}"
        case OSError():
            return error.strerror or str(error)
        case _:
            return f"{type(error).__name__}: {error}"
