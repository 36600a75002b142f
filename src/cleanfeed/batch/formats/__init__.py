"""File formats: what a name says of a file, and what the result is called.

One module per family: ``documents`` (text, Markdown, HTML: a file is a document), ``jsonl``, ``parquet`` and ``warc``
(a file holds many records and is worked on in blocks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["text", "html", "jsonl", "parquet", "warc"]

TARGETS = ("same", "jsonl", "jsonl.gz", "jsonl.zst", "jsonl.bz2", "jsonl.xz")
COMPRESSIONS = ("gz", "zst", "bz2", "xz")
_SUFFIXES: dict[str, Family] = {
    ".txt": "text",
    ".md": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".warc": "warc",
    ".wet": "warc",
}
_COMPRESSED: dict[Family, tuple[str, ...]] = {"jsonl": COMPRESSIONS, "warc": ("gz", "zst")}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds."""

    family: Family
    compression: str = ""
    """One of ``COMPRESSIONS``, or empty."""

    @property
    def is_document(self) -> bool:
        """Whether the file is one document, not many records."""
        return self.family in ("text", "html")


def recognise(name: str) -> Kind | None:
    """What a file holds, by its suffix; None if that is not known."""
    stem, _, last = name.lower().rpartition(".")
    compression = last if last in COMPRESSIONS else ""
    bare = stem if compression else name.lower()
    family = next((family for suffix, family in _SUFFIXES.items() if bare.endswith(suffix)), None)
    if family is None or (compression and compression not in _COMPRESSED.get(family, ())):
        return None
    return Kind(family, compression)


def output_name(name: str, kind: Kind, to: str) -> str:
    """Name of the result: that of the input where the format stays, else with the new suffix.

    Documents keep their whole name before a new suffix (``page.html.txt``), so that ``page.txt`` beside ``page.html``
    is safe.
    """
    if kind.is_document:
        if to != "same":
            return f"{name}.{to}"
        return f"{name}.txt" if kind.family == "html" else name
    if to == "same":
        if kind.family != "warc":
            return name
        to = f"jsonl.{kind.compression}" if kind.compression else "jsonl"
        return f"{_without_compression(name, kind)}.{to}"
    stem = _without_compression(name, kind)
    return f"{stem if kind.family == 'warc' else stem.rpartition('.')[0]}.{to}"


def output_compression(output: str) -> str:
    """Compression that the name of a result asks for; empty for none."""
    last = output.lower().rpartition(".")[2]
    return last if last in COMPRESSIONS else ""


def known_suffixes() -> str:
    """The suffixes that are recognised, for messages."""
    return " ".join(_SUFFIXES)


def _without_compression(name: str, kind: Kind) -> str:
    return name[: -len(kind.compression) - 1] if kind.compression else name
