"""Web archives (WARC, WET) by fastwarc: one record a document, written as JSON Lines.

Taken are pages (``response`` and ``resource`` records of HTML or plain text, from servers that answered 2xx) and the
texts of ``conversion`` records; images, redirects, requests and metadata are no documents and go by without a word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cleanfeed.batch.formats import output_compression
from cleanfeed.batch.formats.base import BLOCK_BYTES, AppendingWriter, Block, End, HashingReader, site_of_url
from cleanfeed.batch.formats.compression import MissingLibraryError, compress
from cleanfeed.batch.inputs import Input, explain_os_error
from cleanfeed.batch.outcome import Outcome, Problem, json_line
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.work import MAX_DOCUMENT_BYTES, Document, clean_documents, keep_samples
from cleanfeed.extract import EncodingError, decode_text, extract_text

if TYPE_CHECKING:
    from cleanfeed.repeats import Repeats

# Extraction takes 5 to 90 ms a page: so many pages are a block even where they are small.
_BLOCK_PAGES = 64

open_writer = AppendingWriter.open


class Page(NamedTuple):
    """One record, as far as reading the archive goes."""

    number: int
    """From 1, of all records in the archive that hold a document."""
    identifier: str
    url: str
    date: str
    is_html: bool
    charset: str | None
    """As the server declared it."""
    content: bytes


def require() -> Any:
    """The library; raises :class:`MissingLibraryError` without it."""
    try:
        from fastwarc import warc
    except ImportError as error:
        raise MissingLibraryError("fastwarc", "warc", "reading web archives") from error
    return warc


def blocks(item: Input, settings: Settings) -> Iterator[Block | End]:  # noqa: ARG001 - an archive says all itself
    """Read the archive in blocks of pages; see :class:`cleanfeed.batch.formats.base.RecordFormat`."""
    problems: list[Problem] = []
    pages: list[Page] = []
    size = 0
    first = True
    try:
        with open(item.path, "rb") as file:
            source = HashingReader(file)
            for page in _pages(source, problems):
                pages.append(page)
                size += len(page.content)
                if size >= BLOCK_BYTES or len(pages) >= _BLOCK_PAGES:
                    yield _block(pages, source)
                    pages, size, first = [], 0, False
            if pages:
                yield _block(pages, source)
            # A file that breaks off before its first document is no archive: nothing is written for it.
            yield End(source.digest(), problems, usable=bool(pages) or not first or not problems)
    except OSError as error:
        yield End("", [Problem("unreadable", explain_os_error(error))], usable=False)


def clean_block(payload: list[Page], item: Input, settings: Settings, repeats: Repeats | None) -> tuple[bytes, Outcome]:
    """Extract and clean the pages of a block; returns the lines to write, compressed if the output is."""
    outcome = Outcome()
    found: list[tuple[Page, str]] = []
    for page in payload:
        try:
            found.append((page, _text(page, settings)))
        except EncodingError as error:
            outcome.report(Problem("encoding", str(error), f"record {page.number} {page.url}"))
        except Exception as error:
            cause = f"extraction failed: {type(error).__name__}: {error}"
            outcome.report(Problem("failed", cause, f"record {page.number} {page.url}"))
    documents = [Document(text, f"record {page.number}", site_of_url(page.url)) for page, text in found]
    cleaned = clean_documents(documents, settings, [outcome] * len(documents), [item.name] * len(documents), repeats)
    lines = [
        json_line({"id": page.identifier, "url": page.url, "date": page.date, settings.field: text})
        for (page, _), text in zip(found, cleaned, strict=True)
        if text is not None
    ]
    keep_samples(outcome)
    return compress(b"".join(lines), output_compression(item.output)) if lines else b"", outcome


def texts(payload: list[Page], settings: Settings) -> Iterator[tuple[str, str]]:
    """Site and text of each page that can be read."""
    for page in payload:
        try:
            yield site_of_url(page.url), _text(page, settings)
        except Exception:
            continue


def _text(page: Page, settings: Settings) -> str:
    if page.is_html:
        return extract_text(page.content, encoding=settings.encoding, declared=page.charset, mode=settings.extraction)
    text = decode_text(page.content, settings.encoding)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _block(pages: list[Page], source: HashingReader) -> Block:
    digest = hashlib.sha256()
    for page in pages:
        digest.update(repr(page[:-1]).encode())
        digest.update(page.content)
    return Block(pages, digest.digest(), source.position)


def _pages(source: HashingReader, problems: list[Problem]) -> Iterator[Page]:
    """The documents in an archive, up to where it breaks off."""
    warc = require()
    kinds = warc.WarcRecordType
    wanted = kinds.response | kinds.conversion | kinds.resource
    number = 0
    try:
        for record in warc.ArchiveIterator(source, record_types=wanted, parse_http=True, auto_decode="all"):
            content_type = _content_type(record)
            is_html = "html" in content_type
            if not is_html and not content_type.startswith("text/plain"):
                continue
            if record.http_headers is not None and (record.http_headers.status_code or 200) // 100 != 2:
                continue
            number += 1
            url = record.headers.get("WARC-Target-URI") or ""
            if record.content_length > MAX_DOCUMENT_BYTES:
                cause = f"more than {MAX_DOCUMENT_BYTES >> 20} MiB in one document"
                problems.append(Problem("too-large", cause, f"record {number} {url}"))
                continue
            content = record.reader.read()
            if _cut_short(record, content):
                problems.append(Problem("truncated", "the archive ends within this record", f"record {number} {url}"))
                return
            date = record.headers.get("WARC-Date") or ""
            yield Page(number, record.record_id or "", url, date, is_html, record.http_charset, content)
    except OSError as error:
        cause = f"the archive is broken after record {number}: {error}; what comes before is done"
        problems.append(Problem("truncated", cause))


def _content_type(record: Any) -> str:
    return str(record.http_content_type or record.headers.get("Content-Type") or "").lower()


def _cut_short(record: Any, content: bytes) -> bool:
    """Whether less is there than the record promised; unknown, so no, where the content was decoded on the way."""
    headers = record.http_headers
    if headers is not None and (headers.get("Content-Encoding") or headers.get("Transfer-Encoding")):
        return False
    return len(content) < int(record.content_length)
