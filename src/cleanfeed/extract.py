"""HTML to clean text: trafilatura takes the page apart, cleanfeed takes out what is not the article.

trafilatura is imported when a page is first extracted: plain text never pays for it.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cleanfeed.cleaner import Cleaner

Mode = Literal["balanced", "recall", "precision"]
MODES: tuple[Mode, ...] = ("balanced", "recall", "precision")

# A page may declare its encoding within its first 1024 bytes (HTML standard, "prescan a byte stream to determine its
# encoding"); pages that say it later exist, so four times that is looked at.
_PRESCAN_BYTES = 4096
_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9._:-]+)""", re.IGNORECASE
)
# Browsers read these labels as the larger set on the right (WHATWG Encoding Standard, section 4.2), and pages rely on
# it.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
# Codecs of Python that no browser takes for the encoding of a page.
_NO_ENCODINGS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"}
_UTF16_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
# Text of another encoding has next to no valid UTF-8 sequences; damaged UTF-8 has many to each broken byte.
_PROPER_PER_BROKEN = 20
# charset_normalizer reads the whole of what it is given several times over; 64 KiB name an encoding as well as 64 MiB.
_GUESS_BYTES = 1 << 16


class EncodingError(ValueError):
    """The bytes are not text in any encoding that was tried."""


def extract(
    html: str | bytes,
    *,
    cleaner: Cleaner | None = None,
    encoding: str | None = None,
    mode: Mode = "balanced",
) -> str:
    """Return the text of the article in an HTML page, without the lines that are not the article.

    Args:
        html: The page. Bytes are decoded as a browser would (see :func:`decode_html`).
        cleaner: Takes the extracted lines apart; the default model if None.
        encoding: Of bytes, when it is known; None detects it.
        mode: How much trafilatura lets through before the cleaning: ``balanced``, ``recall`` or ``precision``.

    Returns:
        The cleaned text; "" for a page without text.

    Raises:
        TypeError: ``html`` is neither str nor bytes.
        EncodingError: The bytes are not text.
    """
    if cleaner is None:
        from cleanfeed.cleaner import Cleaner

        cleaner = Cleaner()
    return cleaner.clean(extract_text(html, encoding=encoding, mode=mode))


def extract_text(
    html: str | bytes, *, encoding: str | None = None, declared: str | None = None, mode: Mode = "balanced"
) -> str:
    """Return what trafilatura takes for the text of the page, one block per line, not yet cleaned.

    Comments of readers are left out. Arguments and errors as for :func:`extract` and :func:`decode_html`.
    """
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is not known: give one of {', '.join(MODES)}")
    if isinstance(html, (bytes, bytearray, memoryview)):
        html = decode_html(bytes(html), encoding, declared)
    elif not isinstance(html, str):
        raise TypeError(f"extract takes the HTML of a page as str or bytes, not {type(html).__name__}")
    if not html.strip():
        return ""
    from trafilatura import extract as trafilatura_extract

    text = trafilatura_extract(
        html, include_comments=False, favor_recall=mode == "recall", favor_precision=mode == "precision"
    )
    return text or ""


def decode_html(data: bytes, encoding: str | None = None, declared: str | None = None) -> str:
    """Decode a page: by what is known, else its byte order mark, else UTF-8, else what it declares, else a guess.

    UTF-8 goes before the declaration because bytes that are not UTF-8 hardly ever decode as it, while declarations are
    often left over from another page. A declared encoding is read with U+FFFD for bytes that do not fit: pages with one
    broken byte are common and their text is wanted.

    Args:
        data: The page.
        encoding: What it is known to be in; None detects it.
        declared: What the server said it is in (the charset of ``Content-Type``).

    Raises:
        EncodingError: The bytes are not text.
        LookupError: ``encoding`` is not one that Python knows.
    """
    if encoding is not None:
        return _decode_strictly(data, encoding)
    declared = _widened(declared) or _declared_encoding(data[:_PRESCAN_BYTES])
    # ISO-2022-JP and its like write Japanese in seven bits: such bytes are valid UTF-8 and mean something else.
    seven_bit = declared is not None and declared.startswith(("iso2022", "hz"))
    try:
        return decode_text(data, guess=False, utf8=not seven_bit)
    except EncodingError:
        if declared is None:
            # Bytes kept by surrogateescape have no place in a page: U+FFFD as a browser shows.
            return decode_text(data).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return data.decode(declared, "replace")


def decode_text(data: bytes, encoding: str | None = None, *, guess: bool = True, utf8: bool = True) -> str:
    """Decode text: by what is known, else its byte order mark, else UTF-8, else a guess from the bytes themselves.

    A byte order mark is not part of the text. A few broken bytes in UTF-8 become lone surrogates (Python's
    ``surrogateescape``), so that they can be written back as they were: to guess would turn all of the text to rubbish.

    Args:
        data: The bytes.
        encoding: What they are known to be in; None detects it.
        guess: Whether to guess when the bytes are not UTF-8.
        utf8: Whether UTF-8 is tried.

    Raises:
        EncodingError: The bytes do not decode, or do not look like text.
        LookupError: ``encoding`` is not one that Python knows.
    """
    if encoding is not None:
        return _decode_strictly(data, encoding)
    for mark, name in _UTF16_MARKS:
        if data.startswith(mark):
            return _decode_strictly(data[len(mark) :], name)
    data = data.removeprefix(codecs.BOM_UTF8)
    if utf8:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            if not guess:
                raise EncodingError(f"not UTF-8: {error.reason} at byte {error.start}") from error
        text = data.decode("utf-8", "surrogateescape")
        broken = len(_ESCAPED_BYTE.findall(text))
        if broken * _PROPER_PER_BROKEN <= sum(map(len, _NOT_ASCII.findall(text))) - broken:
            return text
    elif not guess:
        raise EncodingError("not tried as UTF-8")
    return _decode_strictly(data, _guess_encoding(data))


def _decode_strictly(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise EncodingError(f"not {encoding}: {error.reason} at byte {error.start}") from error
    return text[1:] if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else text


def _guess_encoding(data: bytes) -> str:
    """Name the encoding that makes the bytes look most like text; UTF-8 and its marks have been ruled out."""
    if b"\0" in data:
        raise EncodingError("binary data, not text: it holds NUL bytes and is not UTF-8")
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_GUESS_BYTES]).best()
    if best is None:
        raise EncodingError("not UTF-8, and no other encoding makes text of it: give it with --encoding")
    return best.encoding


def _declared_encoding(head: bytes) -> str | None:
    """The encoding that a page names in a ``meta`` or ``xml`` tag, as Python calls it, widened as browsers do."""
    match = _DECLARED.search(head)
    name = _widened(match[1].decode("ascii")) if match else None
    # A page whose "charset=utf-16" could be read byte by byte is not UTF-16 (HTML standard, same prescan).
    return "utf-8" if name and name.startswith("utf-16") else name


def _widened(label: str | None) -> str | None:
    """The encoding that a label stands for, as Python calls it, widened as browsers do; None if it stands for none."""
    try:
        name = codecs.lookup(label or "").name
        "".encode(name)  # raises for codecs that are not encodings of text, such as "hex"
    except (LookupError, ValueError):
        return None
    return None if name in _NO_ENCODINGS else _SUPERSETS.get(name, name)
