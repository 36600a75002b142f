"""JSON Lines: what is kept byte for byte, what is reported, every compression."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_support import clean, errors_of, marked  # noqa: F401 - marked is a fixture
from cleanfeed.batch.formats import base, jsonl
from cleanfeed.batch.formats.base import Block, End
from cleanfeed.batch.settings import Settings

pytestmark = pytest.mark.usefixtures("marked")


def zstd_compress(data: bytes) -> bytes:
    """Compress, or skip the test where the library is not installed."""
    compression = pytest.importorskip("backports.zstd", reason="the zstd extra is not installed")
    return bytes(compression.compress(data))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd_compress,
}


def decompress(data: bytes, compression: str) -> bytes:
    """Whatever the streams in ``data`` stand for."""
    if compression == "zst":
        from backports import zstd

        return bytes(zstd.decompress(data))
    return {"gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}[compression](data)


def cleaned(tmp_path: Path, data: bytes, *options: object, code: int = 0) -> bytes:
    """What comes out of a JSONL file that holds ``data``."""
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / "a.jsonl").write_bytes(data)
    assert clean(tmp_path / "in", "-o", tmp_path / "out", *options) == code
    return (tmp_path / "out" / "a.jsonl").read_bytes()


def test_only_the_text_changes(tmp_path: Path) -> None:
    """Order, spelling of numbers, escapes, spaces and unknown keys stay byte for byte."""
    line = '{"n":1.10,  "huge":1e400,"esc":"\\u00e9\\/","text": "stay\\nJUNK go","tail":[1, {"text":"JUNK"}] }\n'
    expected = line.replace("stay\\nJUNK go", "stay\\n")
    assert cleaned(tmp_path, line.encode()).decode() == expected


def test_unchanged_record_is_verbatim(tmp_path: Path) -> None:
    """A record that loses nothing is not written anew."""
    data = b'{"text" : "\\u0646\\u0635 \\/ x"}\n  {"text":"y"}\r\n'
    assert cleaned(tmp_path, data) == data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"\\u0646\\nJUNK"', '"\\u0646\\n"'),  # escapes stay escapes
        ('"ن\\nJUNK"', '"ن\\n"'),
        ('"ن\\ud800\\nJUNK"', '"\\u0646\\ud800\\n"'),  # a lone surrogate can only be written as an escape
    ],
)
def test_style_of_the_text_value(tmp_path: Path, value: str, expected: str) -> None:
    """A changed text is written in the style it had: escapes, or UTF-8."""
    assert cleaned(tmp_path, f'{{"text": {value}}}\n'.encode()).decode() == f'{{"text": {expected}}}\n'


def test_null_passes_through(tmp_path: Path) -> None:
    """A null text is no error and stays null."""
    assert cleaned(tmp_path, b'{"text": null, "a": 1}\n') == b'{"text": null, "a": 1}\n'


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"other": 1}', "missing-field"),
        (b'{"text": 5}', "not-text"),
        (b'{"text": ["a"]}', "not-text"),
        (b'{"text": "cut', "json"),
        (b'{"text": "a"} x', "json"),
        (b'{"text": "a" "b": 1}', "json"),
        (b'{"text"}', "json"),
        (b'{text: "a"}', "json"),
        (b'{"text": "a", "text": "b"}', "json"),
        (b'["text"]', "json"),
        (b"42", "json"),
        (b'{"text": "\xff"}', "encoding"),
        (b'{"text": "a\x01"}', "json"),
        (b'{"text": "RAISE"}', "failed"),
        (b'{"a": ' + b"[" * 100_000, "json"),
    ],
)
def test_bad_line_is_reported_and_the_rest_done(tmp_path: Path, line: bytes, kind: str) -> None:
    """A record that cannot be cleaned is listed with its line number and left out; its neighbours are done."""
    data = b'{"text": "one\\nJUNK"}\n\n' + line + b'\n{"text": "two"}'
    assert cleaned(tmp_path, data, code=1) == b'{"text": "one\\n"}\n{"text": "two"}\n'
    (error,) = errors_of(tmp_path / "out")
    assert (error["place"], error["kind"]) == ("line 3", kind)


def test_other_field(tmp_path: Path) -> None:
    """--field names the key of the text."""
    assert (
        cleaned(tmp_path, b'{"body": "a\\nJUNK", "text": 3}\n', "--field", "body") == b'{"body": "a\\n", "text": 3}\n'
    )


def test_html_field(tmp_path: Path) -> None:
    """--html-field extracts the text and puts it in --field, at the end or where that stands."""
    page = "<article>" + "<p>A paragraph of the article that is long enough.</p>" * 4 + "</article>"
    lines = [{"html": page}, {"text": None, "html": page, "x": 1}, {"html": None}, {"html": ""}]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    records = [json.loads(line) for line in cleaned(tmp_path, data, "--html-field", "html").splitlines()]
    assert [list(record) for record in records] == [["html", "text"], ["text", "html", "x"], ["html"], ["html", "text"]]
    assert all("long enough" in record["text"] for record in records[:2])
    assert records[3]["text"] == ""


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_byte_order_mark_at_the_start(tmp_path: Path, mark: bytes) -> None:
    """A byte order mark before the first record does no harm."""
    assert cleaned(tmp_path, mark + b'{"text": "a"}\n') == b'{"text": "a"}\n'


def test_utf16_and_given_encodings(tmp_path: Path) -> None:
    """UTF-16 is seen by its mark; other encodings can be given."""
    line = '{"text": "نص"}\n'
    assert cleaned(tmp_path, line.encode("utf-16")).decode() == line
    assert cleaned(tmp_path, line.encode("cp1256"), "--encoding", "cp1256").decode() == line


@pytest.mark.parametrize("compression", COMPRESS)
def test_every_compression_round_trip(tmp_path: Path, compression: str) -> None:
    """Compressed files are read, cleaned and written in the same compression; several streams in one file too."""
    (tmp_path / "in").mkdir()
    first, second = b'{"text": "a\\nJUNK"}\n' * 10, b'{"text": "b"}\n'
    stream = COMPRESS[compression](first) + COMPRESS[compression](second)
    (tmp_path / "in" / f"a.jsonl.{compression}").write_bytes(stream)
    (tmp_path / "in" / f"empty.jsonl.{compression}").write_bytes(COMPRESS[compression](b""))
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 0
    done = decompress((tmp_path / "out" / f"a.jsonl.{compression}").read_bytes(), compression)
    assert done == first.replace(b"\\nJUNK", b"\\n") + second
    assert decompress((tmp_path / "out" / f"empty.jsonl.{compression}").read_bytes(), compression) == b""


@pytest.mark.parametrize("compression", COMPRESS)
def test_truncated_file_keeps_what_comes_before(tmp_path: Path, compression: str) -> None:
    """Of a compressed file that breaks off, whole records before the break are kept and the break is reported."""
    (tmp_path / "in").mkdir()
    lines = b"".join(b'{"text": "%s"}\n' % hashlib.sha256(b"%d" % n).hexdigest().encode() * 9 for n in range(3000))
    (tmp_path / "in" / f"a.jsonl.{compression}").write_bytes(COMPRESS[compression](lines)[:-2000])
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 1
    done = decompress((tmp_path / "out" / f"a.jsonl.{compression}").read_bytes(), compression)
    assert lines.startswith(done)
    assert [error["kind"] for error in errors_of(tmp_path / "out")] == ["truncated"]


def test_file_that_is_not_what_its_name_says(tmp_path: Path) -> None:
    """A .gz that is no gzip is reported."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl.gz").write_bytes(b'{"text": "a"}\n')
    assert clean(tmp_path / "in", "-o", tmp_path / "out") == 1
    assert [error["kind"] for error in errors_of(tmp_path / "out")] == ["truncated"]


def test_change_of_compression(tmp_path: Path) -> None:
    """--to, or the name of a single output, changes the compression."""
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "a"}\n'))
    assert clean(tmp_path / "a.jsonl.gz", "-o", tmp_path / "b.jsonl.xz") == 0
    assert lzma.decompress((tmp_path / "b.jsonl.xz").read_bytes()) == b'{"text": "a"}\n'
    assert clean(tmp_path / "a.jsonl.gz", "-o", f"{tmp_path / 'out'}/", "--to", "jsonl") == 0
    assert (tmp_path / "out" / "a.jsonl").read_bytes() == b'{"text": "a"}\n'


def read(data: bytes) -> tuple[list[jsonl.Lines], End]:
    """All blocks of a stream, and its end."""
    *blocks, end = jsonl.read_blocks(io.BytesIO(data))
    assert isinstance(end, End)
    assert all(isinstance(block, Block) for block in blocks)
    return [block.payload for block in blocks if isinstance(block, Block)], end


LINES = st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").lstrip(b"\xef\xbb\xbf\xff\xfe"))


@given(st.lists(LINES, max_size=30), st.integers(1, 64))
def test_blocks_hold_every_line_once(lines: list[bytes], size: int) -> None:
    """However a file is cut into blocks, every line is in exactly one and knows its number."""
    data = b"\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "BLOCK_BYTES", size)
        patch.setattr(jsonl, "_READ_BYTES", 7)
        blocks, _ = read(data)
    assert b"".join(block.data for block in blocks) == data
    number = 1
    for block in blocks:
        assert block.first == number
        number += block.data.count(b"\n")


def test_overlong_line_is_skipped_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line beyond the bound is reported by its number, and reading goes on behind it."""
    monkeypatch.setattr(jsonl, "BLOCK_BYTES", 16)
    monkeypatch.setattr(jsonl, "_READ_BYTES", 8)
    monkeypatch.setattr(jsonl, "MAX_DOCUMENT_BYTES", 64)
    blocks, end = read(b"first\n" + b"x" * 200 + b"\nthird\nfourth\n")
    assert [problem.place for problem in end.problems] == ["line 2"]
    assert b"".join(block.data for block in blocks) == b"first\nthird\nfourth\n"
    assert [block.first for block in blocks][-1] in (3, 4)


def test_same_bytes_however_large_the_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of blocks is no part of the result."""
    data = b"".join(b'{"text": "%d\\nJUNK"}\n' % number for number in range(500))
    whole = cleaned(tmp_path, data)
    monkeypatch.setattr(jsonl, "BLOCK_BYTES", 64)
    assert cleaned(tmp_path, data, "--force") == whole


def test_agrees_with_the_json_module() -> None:
    """The reader takes the lines that json.loads takes, and sees the same values."""
    settings = Settings()
    for line in ['{"text": "a"}', ' {"text":"a","x":{"y":[1,2,{}]}} ', '{"x":NaN,"text":"\\u00e9"}', "{}", '{"":0}']:
        assert jsonl.read_record(line.encode(), settings).values == {
            key: value for key, value in json.loads(line).items() if key == "text"
        }
    for line in ["{", "}", "", "{,}", '{"a":1,}', '{"a":}', '{"a" 1}', "nul", '{"a":01}', "{'a':1}", "{1:2}"]:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever json raises
            json.loads(line)
        with pytest.raises(jsonl.BadRecordError):
            jsonl.read_record(line.encode(), settings)


def test_block_size_is_what_the_memory_bound_says() -> None:
    """Blocks of a file are about BLOCK_BYTES, so what is in flight is bounded whatever the file's size."""
    blocks, _ = read((b'{"text": "' + b"x" * 1000 + b'"}\n') * 9000)
    assert max(len(block.data) for block in blocks) < base.BLOCK_BYTES + (1 << 20)
    assert len(blocks) > 3
