"""HTML to text: encodings as browsers see them, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from batch_support import environment
from cleanfeed.extract import EncodingError, decode_html, decode_text, extract, extract_text

PARAGRAPH = "أعلنت وزارة التربية والتعليم اليوم نتائج الامتحانات النهائية في جميع المحافظات والمدارس."


class Keep:
    """A cleaner that keeps everything."""

    def clean(self, text: str) -> str:
        """Nothing goes."""
        return text


def page(head: str = "", paragraph: str = PARAGRAPH) -> str:
    """A page with an article, a menu and a footer."""
    return (
        f"<!doctype html><html><head>{head}<title>نتائج</title></head><body><nav><a href=/>الرئيسية</a></nav>"
        f"<article><h1>النتائج</h1>{f'<p>{paragraph}</p>' * 3}</article>"
        "<footer>حقوق النشر محفوظة</footer></body></html>"
    )


def test_text_of_the_article() -> None:
    """The paragraphs come out one a line, the menu does not."""
    lines = extract_text(page()).splitlines()
    assert lines.count(PARAGRAPH) >= 1
    assert "الرئيسية" not in lines


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", ""),
        ("utf-8", '<meta charset="windows-1252">'),  # a declaration left over: the bytes are plainly UTF-8
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("cp1256", '<meta charset="windows-1256">'),
        ("cp1256", '<meta http-equiv="Content-Type" content="text/html; charset=windows-1256">'),
        ("cp1256", ""),
        ("iso8859-6", '<?xml version="1.0" encoding="ISO-8859-6"?>'),
    ],
)
def test_encoding_is_found(encoding: str, head: str) -> None:
    """Bytes are decoded by mark, as UTF-8, by declaration, or by guessing."""
    assert PARAGRAPH in extract(page(head).encode(encoding), cleaner=Keep())  # type: ignore[arg-type]


def test_encoding_of_the_server_and_of_the_caller() -> None:
    """What the server declared is used where bytes are not UTF-8; what the caller says is always believed."""
    data = "<p>naïve".encode("latin-1")
    assert decode_html(data, declared="iso-8859-1") == "<p>naïve"
    assert decode_html(data, encoding="cp1256") == data.decode("cp1256")
    with pytest.raises(EncodingError, match="byte 5"):
        decode_html(data, encoding="utf-8")
    with pytest.raises(LookupError):
        decode_html(data, encoding="klingon")


def test_browsers_names_for_encodings() -> None:
    """Declared labels are widened as browsers do: curly quotes in "latin-1", rare characters in "gb2312"."""
    assert decode_html(b"<meta charset=iso-8859-1>\x93x\x94") == "<meta charset=iso-8859-1>“x”"
    text = "<meta charset=gb2312>鎔"
    assert decode_html(text.encode("gb18030")) == text


@pytest.mark.parametrize("label", ["nonsense", "hex", "utf-16", "x-user-defined", "idna", "punycode", "unicode_escape", "utf-7"])
def test_senseless_declarations_are_ignored(label: str) -> None:
    """A page that declares what cannot be is still read."""
    assert "text" in decode_html(f"<meta charset={label}><p>some text of a page with é in it".encode("latin-1"))


def test_seven_bit_japanese() -> None:
    """ISO-2022-JP looks like ASCII and is decoded because it is declared."""
    text = '<meta charset="iso-2022-jp"><p>日本語'
    assert decode_html(text.encode("iso2022_jp")) == text


def test_declared_pages_with_a_broken_byte_are_read() -> None:
    """One byte that does not fit becomes U+FFFD and the rest of the page is there."""
    data = "<meta charset=utf-8><p>نص ".encode() + b"\xff</p>"
    assert decode_html(data).endswith("نص \ufffd</p>")


def test_damaged_text_is_not_taken_for_another_encoding() -> None:
    """A few broken bytes in UTF-8 text stay what they are and can be written back."""
    data = PARAGRAPH.encode() * 3 + b"\xff" + PARAGRAPH.encode()
    assert decode_text(data).encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00\xff", b"\xff\xfe\xfd\x00" * 3 + b"\xff"])
def test_binary_data_is_refused(data: bytes) -> None:
    """Bytes that are no text raise an error that says so."""
    with pytest.raises(EncodingError):
        decode_text(data)


@pytest.mark.parametrize("html", ["", " \n", b"", "<html></html>"])
def test_page_without_text(html: Any) -> None:
    """Nothing gives nothing."""
    assert extract_text(html) == ""


@pytest.mark.parametrize("html", [None, 5, ["<p>"]])
def test_other_types_are_refused(html: Any) -> None:
    """Neither str nor bytes is a TypeError that names what came."""
    with pytest.raises(TypeError, match=type(html).__name__):
        extract_text(html)


def test_unknown_mode_is_refused() -> None:
    """A mode that trafilatura does not have is a ValueError with those it has."""
    with pytest.raises(ValueError, match="recall"):
        extract_text("<p>", mode="everything")  # type: ignore[arg-type]


def test_trafilatura_is_loaded_only_for_a_page() -> None:
    """Importing the module costs nothing; an empty page neither."""
    script = (
        "import sys; from cleanfeed.extract import extract_text; extract_text(''); print('trafilatura' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
