"""Parts of HTML reports: the frame of a page, its text, tables and filter.

All text from documents is escaped, and a content security policy forbids whatever might slip through: only the one
script whose digest the page names may run, and nothing is fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from cleanfeed.reporting.assets import SCRIPT, STYLE

MAX_SHOWN_CHARACTERS = 300

_WORDS = frozenset({"line", "document", "where", "why", "error", "labelled", "decision", "text"})
"""Columns of text; the others are figures."""

# HTML has no way to hold these, escaped or not; browsers show U+FFFD for them.
_NOT_IN_HTML = dict.fromkeys((*range(9), 11, *range(14, 32), 127), "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One list of the filter. It picks the elements whose attribute `data-NAME` holds the value chosen.

    Attributes:
        name: of the attribute, a word of small letters.
        words: what stands before the list, and what stands in it for no choice.
        options: values and how they are called.
    """

    name: str
    words: tuple[str, str]
    options: Sequence[tuple[str, str]]


def opening(title: str, skip_to: str = "") -> str:
    """A page up to its first element; `skip_to` names the documents' section, where there is one."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    skip = f'<a class="skip" href="#documents">{skip_to}</a>\n' if skip_to else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{skip}"
    )


def closing(filtered: bool) -> str:
    """The end of a page, with the script if it has a filter."""
    return f"{f'<script>{SCRIPT}</script>' if filtered else ''}\n</body>\n</html>\n"


def section(title: str, note: str, heads: Iterable[str], rows: Iterable[str]) -> str:
    """A table with a title, and a remark if there is one; `rows` are HTML, the rest is text."""
    remark = f'<p class="note">{text(note)}</p>' if note else ""
    body = f"<tbody>{''.join(rows)}</tbody>"
    return f"<section><h2>{text(title)}</h2>{remark}{table(heads, body)}</section>\n"


def table(heads: Iterable[str], bodies: str) -> str:
    """A table that scrolls in itself where the page is too narrow; `bodies` are its `<tbody>` elements."""
    head = "".join(
        f'<th scope="col" dir="auto"{" class=text" if name in _WORDS else ""}>{text(name)}</th>'
        if name
        else "<td></td>"
        for name in heads
    )
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>{bodies}</table></div>'


def filter_form(choices: Iterable[Choice]) -> str:
    """The form that hides the documents which do not hold some words, or do not fit the choices."""
    lists = []
    for choice in choices:
        before, anything = choice.words
        options = "".join(f'<option value="{text(value)}">{text(name)}</option>' for value, name in choice.options)
        lists.append(
            f'<label>{before} <select id="{choice.name}" name="{choice.name}">'
            f'<option value="">{anything}</option>{options}</select></label>'
        )
    return (
        '<form class="filter" role="search">'
        '<label>Only documents that contain <input type="search" id="words" dir="auto"></label>'
        f'{"".join(lists)}<output id="shown" aria-live="polite"></output></form>\n'
    )


def text(value: str) -> str:
    """Text for any place in the page: in an element or a quoted attribute."""
    clean = value.translate(_NOT_IN_HTML).encode("utf-8", "replace").decode()
    return escape(clean, quote=True)


def shortened(value: str, limit: int = MAX_SHOWN_CHARACTERS) -> str:
    """The first `limit` characters."""
    return value if len(value) <= limit else value[:limit] + "…"


def share(part: int, whole: int) -> str:
    """A part as per cent."""
    return f"{part / whole:.1%}" if whole else "0.0%"
