"""Files that are one document each: plain text, Markdown, HTML. Many small files are cleaned together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cleanfeed.batch import work
from cleanfeed.batch.formats.compression import compress
from cleanfeed.batch.inputs import Input, explain_os_error
from cleanfeed.batch.outcome import Outcome, Problem, json_line
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.work import Document, clean_documents
from cleanfeed.extract import EncodingError, decode_text, extract_text

if TYPE_CHECKING:
    from cleanfeed.repeats import Repeats

_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Finished:
    """What became of one file."""

    item: Input
    digest: str = ""
    """sha256 of its bytes, in hexadecimal; empty if it could not be read."""
    data: bytes | None = None
    """What is to be written; None if there is no output."""
    mark: bytes = b""
    """The byte order mark that the file began with; it stays."""
    outcome: Outcome = field(default_factory=Outcome)


def clean_files(items: Sequence[Input], settings: Settings, repeats: Repeats | None = None) -> list[Finished]:
    """Read and clean files; whatever is wrong with one of them is in its outcome, and the others are done."""
    finished = [Finished(item) for item in items]
    texts = [_read(result, settings) for result in finished]
    readable = [(result, text) for result, text in zip(finished, texts, strict=True) if text is not None]
    cleaned = clean_documents(
        [Document(text, "", result.item.site) for result, text in readable],
        settings,
        [result.outcome for result, _ in readable],
        [result.item.name for result, _ in readable],
        repeats,
    )
    for (result, _), text in zip(readable, cleaned, strict=True):
        if text is not None:
            result.data = _encode(text, result, settings)
    return finished


def texts_of_files(items: Sequence[Input], settings: Settings) -> list[tuple[str, str]]:
    """Site and text of each file that can be read, for counting repeats."""
    found = []
    for item in items:
        text = _read(Finished(item), settings)
        if text is not None:
            found.append((item.site, text))
    return found


def read_text(data: bytes, kind_family: str, settings: Settings) -> tuple[str, Problem | None]:
    """The text of a document from its bytes, and a note if there is one.

    Raises:
        EncodingError: The bytes are not text.
    """
    if kind_family == "html":
        text = extract_text(data, encoding=settings.encoding, mode=settings.extraction)
        note = None if text else Problem("empty", "no text found in the page", skipped=False)
        return text, note
    text = decode_text(data, settings.encoding)
    if not text:
        return text, Problem("empty", "the file is empty", skipped=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text, Problem("encoding", "UTF-8 with a few broken bytes, which stay as they are", skipped=False)
    return text, None


def _read(result: Finished, settings: Settings) -> str | None:
    """Read a file and decode it; on trouble report it and return None."""
    item = result.item
    try:
        with open(item.path, "rb") as file:
            data = file.read(work.MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        result.outcome.report(Problem("unreadable", explain_os_error(error)))
        return None
    if len(data) > work.MAX_DOCUMENT_BYTES:
        limit = work.MAX_DOCUMENT_BYTES >> 20
        result.outcome.report(
            Problem("too-large", f"more than {limit} MiB in one document: split it, or make it JSONL")
        )
        return None
    result.digest = hashlib.sha256(data).hexdigest()
    try:
        text, note = read_text(data, item.kind.family, settings)
    except EncodingError as error:
        result.outcome.report(Problem("encoding", str(error)))
        return None
    except Exception as error:
        result.outcome.report(Problem("failed", f"extraction failed: {type(error).__name__}: {error}"))
        return None
    if note is not None:
        result.outcome.report(note)
    if data.startswith(_BOM) and item.kind.family == "text":
        result.mark = _BOM
    return text


def _encode(text: str, result: Finished, settings: Settings) -> bytes:
    """The bytes of the output file."""
    item = result.item
    if settings.to == "same":
        return result.mark + text.encode("utf-8", "surrogateescape")
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return compress(json_line({"id": item.name, settings.field: text}), settings.to.partition(".")[2])
