"""Lines to HTML and back, for tools that read pages.

Such a tool gets each line as a paragraph of an article, the friendliest page there is, and a line counts as kept when
its letters and digits stand in what the tool returns.
"""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from unicodedata import normalize

_NO_LETTER = re.compile(r"[\W_]+")

MERGED_LINE = 25
"""From this many letters and digits on, a line also counts as kept when it stands inside a longer line of the output.
Shorter ones would be found by chance; 25 letters of one line hardly ever stand within another."""


def as_page(lines: list[str], lang: str | None) -> str:
    """An HTML page whose article holds each line as a `<p>`."""
    attribute = f' lang="{escape(lang)}"' if lang else ""
    paragraphs = "\n".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<!DOCTYPE html>\n<html{attribute}><head><meta charset="utf-8"><title></title></head>\n'
        f"<body><article>\n{paragraphs}\n</article></body></html>"
    )


def kept_in(lines: list[str], output: str | None) -> list[bool]:
    """Which lines stand in a tool's output.

    A line that stands twice in the document and once in the output counts as kept once, the first time.
    """
    output = output or ""
    left = Counter(_squeeze(line) for line in output.splitlines())
    whole = _squeeze(output)
    kept = []
    for line in lines:
        key = _squeeze(line)
        found = left[key] > 0
        left[key] -= found
        kept.append(found or (len(key) >= MERGED_LINE and key in whole))
    return kept


def _squeeze(line: str) -> str:
    """Letters and digits of a line; of a line without any, all but its white space.

    Compatibility forms are made one: trafilatura, for one, composes an alef and its madda, which must not look like a
    lost line.
    """
    line = normalize("NFKC", line)
    return _NO_LETTER.sub("", line) or "".join(line.split())
