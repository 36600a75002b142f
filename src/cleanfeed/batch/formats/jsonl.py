"""JSON Lines, plain or compressed: one object a line, its text under one key, all else kept byte for byte."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from cleanfeed.batch.formats import output_compression
from cleanfeed.batch.formats.base import BLOCK_BYTES, AppendingWriter, Block, End, HashingReader, site_of_url
from cleanfeed.batch.formats.compression import compress, open_reader, read_errors, require
from cleanfeed.batch.inputs import Input, explain_os_error
from cleanfeed.batch.outcome import Outcome, Problem
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.work import MAX_DOCUMENT_BYTES, Document, clean_documents, keep_samples
from cleanfeed.extract import extract_text

if TYPE_CHECKING:
    from cleanfeed.repeats import Repeats

_READ_BYTES = 1 << 20
_SPACE = " \t\r\n"
_scan_value: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]

open_writer = AppendingWriter.open


class Lines(NamedTuple):
    """The payload of a block."""

    first: int
    """Number of the first line, from 1."""
    data: bytes
    """Whole lines, in UTF-8 if all is well."""


def blocks(item: Input, settings: Settings) -> Iterator[Block | End]:
    """Read the file in blocks of whole lines; see :class:`cleanfeed.batch.formats.base.RecordFormat`."""
    try:
        with open(item.path, "rb") as file:
            yield from read_blocks(file, item.kind.compression, settings.encoding)
    except OSError as error:
        yield End("", [Problem("unreadable", explain_os_error(error))], usable=False)


def read_blocks(file: IO[bytes], compression: str = "", encoding: str | None = None) -> Iterator[Block | End]:
    """Cut a stream into blocks of whole lines. Of compressed data that breaks off, what comes before the break is kept.

    Memory: a block and a chunk, or one line where a line is longer, up to ``MAX_DOCUMENT_BYTES``.
    """
    require(compression)
    source = HashingReader(file)
    problems: list[Problem] = []
    pending = bytearray()
    whole = 0  # bytes of ``pending`` up to the end of its last whole line
    first = 1
    skipping = False  # inside a line that is too long
    for chunk in _chunks(source, compression, encoding, problems):
        if skipping:
            _, newline, chunk = chunk.partition(b"\n")
            skipping = not newline
            first += bool(newline)
        last = chunk.rfind(b"\n")
        if last >= 0:
            whole = len(pending) + last + 1
        pending += chunk
        if whole and len(pending) >= BLOCK_BYTES:
            yield _block(first, bytes(pending[:whole]), source)
            first += pending.count(b"\n", 0, whole)
            del pending[:whole]
            whole = 0
        elif len(pending) > MAX_DOCUMENT_BYTES:
            problems.append(
                Problem("too-large", f"a line of more than {MAX_DOCUMENT_BYTES >> 20} MiB", f"line {first}")
            )
            pending.clear()
            skipping = True
    broken = bool(problems) and problems[-1].kind == "truncated"
    rest = bytes(pending[:whole] if broken else pending)  # half a line before a break is part of the break
    if rest:
        yield _block(first, rest, source)
    yield End(source.digest(), problems)


def clean_block(payload: Lines, item: Input, settings: Settings, repeats: Repeats | None) -> tuple[bytes, Outcome]:
    """Clean the records of a block; returns the lines to write, compressed if the output is."""
    outcome = Outcome()
    pieces: list[bytes] = []
    records: list[Record] = []
    documents: list[Document] = []
    places: list[int] = []
    for number, raw in enumerate(payload.data.split(b"\n"), payload.first):
        if not raw or raw.isspace():
            continue
        try:
            record = read_record(raw, settings)
            text = record.text(settings)
        except BadRecordError as error:
            outcome.report(Problem(error.kind, str(error), f"line {number}"))
            continue
        if text is None:
            outcome.counts.nulls += 1
            pieces.append(raw + b"\n")
            continue
        places.append(len(pieces))
        pieces.append(b"")
        records.append(record)
        documents.append(Document(text, f"line {number}", record.site(settings)))
    cleaned = clean_documents(documents, settings, [outcome] * len(documents), [item.name] * len(documents), repeats)
    for place, record, text in zip(places, records, cleaned, strict=True):
        if text is not None:
            pieces[place] = record.with_text(text, settings)
    keep_samples(outcome)
    return compress(b"".join(pieces), output_compression(item.output)) if pieces else b"", outcome


def texts(payload: Lines, settings: Settings) -> Iterator[tuple[str, str]]:
    """Site and text of each record that can be read."""
    for raw in payload.data.split(b"\n"):
        try:
            record = read_record(raw, settings)
            text = record.text(settings)
        except BadRecordError:
            continue
        if text is not None:
            yield record.site(settings), text


class BadRecordError(ValueError):
    """A line that cannot be cleaned."""

    def __init__(self, kind: str, cause: str) -> None:
        super().__init__(cause)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Record:
    """A line of JSON with the values that matter and where they stand, so that the rest stays as it is written."""

    raw: bytes
    line: str
    values: dict[str, Any]
    spans: dict[str, tuple[int, int]]
    """Key to where its value begins and ends in ``line``."""

    def text(self, settings: Settings) -> str | None:
        """The text to clean; None for null.

        Raises:
            BadRecordError: The field is missing or no text, or its HTML cannot be taken apart.
        """
        field = settings.html_field or settings.field
        if field not in self.values:
            raise BadRecordError("missing-field", f"no field {field!r}")
        value = self.values[field]
        if value is None:
            return None
        if not isinstance(value, str):
            raise BadRecordError("not-text", f"field {field!r} holds {_json_type(value)}, not text")
        if settings.html_field is None:
            return value
        try:
            return extract_text(value, mode=settings.extraction)
        except Exception as error:
            raise BadRecordError("failed", f"extraction failed: {type(error).__name__}: {error}") from error

    def site(self, settings: Settings) -> str:
        """The host in the record's address; "" if it has none."""
        return site_of_url(self.values.get(settings.url_field))

    def with_text(self, text: str, settings: Settings) -> bytes:
        """The line with another text, all else as it was: spelling of numbers, escapes, order, space."""
        if settings.html_field is None and text == self.values[settings.field]:
            return self.raw + b"\n"
        before = ""
        start = end = self.line.rindex("}")
        if settings.field in self.spans:
            start, end = self.spans[settings.field]
        else:
            comma = ", " if self.spans else ""
            before = f"{comma}{json.dumps(settings.field, ensure_ascii=False)}: "
        # A value that was written in escapes, all ASCII, is written so again.
        escaped = start < end and self.line[start:end].isascii()
        try:
            value = json.dumps(text, ensure_ascii=escaped).encode()
        except UnicodeEncodeError:  # a lone surrogate: only an escape can hold it
            value = json.dumps(text).encode()
        return b"".join([self.line[:start].encode(), before.encode(), value, self.line[end:].encode(), b"\n"])


def read_record(raw: bytes, settings: Settings) -> Record:
    """Read one line as a JSON object, remembering where the values of interest stand.

    Raises:
        BadRecordError: It is not one.
    """
    try:
        line = raw.decode()
    except UnicodeDecodeError as error:
        raise BadRecordError("encoding", f"not UTF-8: {error.reason} at byte {error.start} of the line") from error
    wanted = {settings.field, settings.html_field, settings.url_field}
    values: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    try:
        for key, value, start, end in _members(line):
            if key in wanted:
                if key in values and key != settings.url_field:
                    raise BadRecordError("json", f"field {key!r} stands twice in the record")
                values[key], spans[key] = value, (start, end)
    except RecursionError as error:
        raise BadRecordError("json", "JSON nested too deeply") from error
    return Record(raw, line, values, spans)


def _members(line: str) -> list[tuple[str, Any, int, int]]:
    """Keys and values of a JSON object, with where each value begins and ends.

    Raises:
        BadRecordError: It is no JSON object.
    """
    index = _skip_space(line, 0)
    if line[index : index + 1] != "{":
        raise BadRecordError("json", f"not a JSON object: it begins with {line[index : index + 10]!r}")
    members: list[tuple[str, Any, int, int]] = []
    index = _skip_space(line, index + 1)
    closed = line[index : index + 1] == "}"
    while not closed:
        key, index = _value(line, index)
        if not isinstance(key, str):
            raise BadRecordError("json", f"broken JSON: a key must be a string, before character {index}")
        index = _skip_space(line, index)
        if line[index : index + 1] != ":":
            raise BadRecordError("json", f"broken JSON: ':' expected at character {index}")
        start = _skip_space(line, index + 1)
        value, end = _value(line, start)
        members.append((key, value, start, end))
        index = _skip_space(line, end)
        closed = line[index : index + 1] == "}"
        if not closed:
            if line[index : index + 1] != ",":
                raise BadRecordError("json", f"broken JSON: ',' or '}}' expected at character {index}")
            index = _skip_space(line, index + 1)
    if _skip_space(line, index + 1) != len(line):
        raise BadRecordError("json", f"broken JSON: more data after the object, at character {index + 1}")
    return members


def _value(line: str, index: int) -> tuple[Any, int]:
    try:
        return _scan_value(line, index)
    except StopIteration as error:
        raise BadRecordError("json", f"broken JSON: no value at character {error.value}") from error
    except ValueError as error:
        raise BadRecordError("json", f"broken JSON: {error}") from error


def _skip_space(line: str, index: int) -> int:
    while index < len(line) and line[index] in _SPACE:
        index += 1
    return index


def _json_type(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _block(first: int, data: bytes, source: HashingReader) -> Block:
    return Block(Lines(first, data), hashlib.sha256(data).digest(), source.position)


def _chunks(source: HashingReader, compression: str, encoding: str | None, problems: list[Problem]) -> Iterator[bytes]:
    """The decompressed bytes in UTF-8 and without a byte order mark, as far as they can be read."""
    stream = open_reader(cast("IO[bytes]", source), compression)
    read: Callable[[int], bytes] = stream.read1 if compression else stream.read  # type: ignore[attr-defined]
    try:
        chunk = read(_READ_BYTES)
        if encoding is None and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"
        decoder = codecs.getincrementaldecoder(encoding or "utf-8")("replace")
        as_is = codecs.lookup(encoding or "utf-8").name == "utf-8"
        chunk = chunk.removeprefix(codecs.BOM_UTF8)
        while chunk:
            yield chunk if as_is else decoder.decode(chunk).encode()
            chunk = read(_READ_BYTES)
    except read_errors(compression) as error:
        cause = f"{compression or 'the file'} data is broken or cut short ({error}); what comes before it is done"
        problems.append(Problem("truncated", cause))
