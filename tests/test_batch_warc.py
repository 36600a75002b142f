"""Web archives: which records are documents, and what becomes of broken archives."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from batch_support import clean, errors_of, marked  # noqa: F401 - marked is a fixture

pytest.importorskip("fastwarc", reason="the warc extra is not installed")

pytestmark = pytest.mark.usefixtures("marked")

PAGE = "<html><article>" + "<p>فقرة من المقال طويلة بما يكفي لكي تبقى في النص.</p>" * 4 + "</article></html>"


def record(
    number: int, content: bytes, kind: str = "response", mime: str = "text/html", status: str = "200 OK"
) -> bytes:
    """One WARC record."""
    if kind == "response":
        head = f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\nContent-Length: {len(content)}\r\n\r\n"
        content = head.encode() + content
        mime = "application/http; msgtype=response"
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{number:012}>",
        f"WARC-Target-URI: http://www.site.example/{number}",
        "WARC-Date: 2024-05-06T07:08:09Z",
        f"Content-Type: {mime}",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content + b"\r\n\r\n"


def cleaned(tmp_path: Path, name: str, data: bytes, code: int = 0) -> list[Any]:
    """The records that come out of an archive."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(data)
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == code
    (path,) = (tmp_path / "out").glob("*.jsonl*")
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.splitlines()]


def test_pages_become_records(tmp_path: Path) -> None:
    """Each page that was answered is a record with its address; nothing else is."""
    data = b"".join(
        [
            record(1, PAGE.encode(), mime="text/html; charset=utf-8"),
            record(2, b"\x89PNG", mime="image/png"),
            record(3, PAGE.encode(), status="404 Not Found"),
            record(4, PAGE.encode("cp1256"), mime="text/html; charset=windows-1256"),
            record(5, b"plain\nJUNK\n", mime="text/plain"),
            record(6, b"GET / HTTP/1.1\r\n\r\n", kind="request", mime="application/http; msgtype=request"),
        ]
    )
    records = cleaned(tmp_path, "crawl.warc", data)
    assert [found["url"] for found in records] == [f"http://www.site.example/{n}" for n in (1, 4, 5)]
    assert records[0]["text"] == records[1]["text"]
    assert records[0]["text"].startswith("فقرة من المقال")
    assert records[2]["text"] == "plain\n"
    assert records[0]["date"] == "2024-05-06T07:08:09Z"


def test_compressed_texts(tmp_path: Path) -> None:
    """A .wet.gz of extracted texts is cleaned into a .jsonl.gz."""
    data = b"".join(gzip.compress(record(n, "نص\nJUNK".encode(), "conversion", "text/plain")) for n in range(3))
    assert [found["text"] for found in cleaned(tmp_path, "crawl.warc.wet.gz", data)] == ["نص\n"] * 3


@pytest.mark.parametrize("name", ["crawl.warc", "crawl.warc.gz"])
def test_archive_that_breaks_off(tmp_path: Path, name: str) -> None:
    """Records before the break are kept, the one that is cut is reported and left out."""
    pack = gzip.compress if name.endswith("gz") else bytes
    data = b"".join(pack(record(n, PAGE.encode())) for n in (1, 2))
    records = cleaned(tmp_path, name, data[:-60], code=1)
    assert len(records) == 1
    assert [error["kind"] for error in errors_of(tmp_path / "out")] == ["truncated"]


def test_file_that_is_no_archive(tmp_path: Path) -> None:
    """Junk with the name of an archive is reported and has no output."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "junk.warc").write_bytes(b"junk" * 100)
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 1
    assert list((tmp_path / "out").glob("*")) == [tmp_path / "out" / ".cleanfeed"]
