"""``cleanfeed explain FILE``: every line with its label, score and what decided."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from cleanfeed.lines import Line

# A terminal that reorders right-to-left text (or one that does not) must not mix a line with the columns beside it:
# Unicode's isolates keep each to itself, and change no text.
_ISOLATE, _POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_STRUCK_AND_DIM, _PLAIN = "\x1b[2;9m", "\x1b[0m"
_LABEL_WIDTH = len("boilerplate")


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the sub-command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "explain",
        help="show what is decided for each line, and why",
        description="Show each line of a text with its label, score and what decided. "
        "A terminal shows dropped lines struck out; in a pipe they begin with '-', kept ones with '+'.",
    )
    parser.add_argument("file", metavar="FILE", help="text or HTML file; - for standard input")
    parser.add_argument("--threshold", type=float, help="score from which a line goes, 0 to 1 (default: the model's)")
    parser.add_argument("--drop", metavar="LABELS", help="labels to drop, with commas between")
    parser.add_argument("--encoding", help="of the file (default: detected)")
    parser.add_argument("--html", action="store_true", help="the file is HTML, whatever its name")
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the sub-command; returns 0, or 1 for a file that cannot be read, 2 for a wrong setting."""
    from cleanfeed.cleaner import Cleaner

    drop = None if args.drop is None else [label.strip() for label in args.drop.split(",") if label.strip()]
    try:
        cleaner = Cleaner(threshold=args.threshold, drop=drop)
    except ValueError as error:
        return _fail(str(error), 2)
    try:
        text = _read(args)
    except OSError as error:
        return _fail(f"{args.file}: {error.strerror or error}", 1)
    except (LookupError, ValueError) as error:
        return _fail(f"{args.file}: {error}", 1)
    styled = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    for row in rows(text, cleaner.explain(text), styled=styled):
        # Lone surrogates and the characters of a narrow terminal encoding must not end the listing.
        sys.stdout.buffer.write(row.encode(sys.stdout.encoding or "utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()
    return 0


def rows(text: str, lines: Sequence[Line], *, styled: bool) -> Iterator[str]:
    """One row per line: fate, label, score, text, reason.

    Args:
        text: What was explained.
        lines: What :func:`cleanfeed.explain` says of it.
        styled: Strike out and dim dropped lines with terminal escapes; else they begin with ``-``.
    """
    for line in lines:
        if line.label == "blank":
            yield ""
            continue
        content = _printable(text[line.start : line.end])
        head = f"{'-' if line.dropped else '+'} {line.label:<{_LABEL_WIDTH}} {line.score:4.2f}"
        reason = f"  ({line.reason})" if line.reason else ""
        if styled and line.dropped:
            content = f"{_STRUCK_AND_DIM}{content}{_PLAIN}"
        yield f"{head}  {_ISOLATE}{content}{_POP}{reason}"


def _printable(text: str) -> str:
    """The text without what could take over a terminal: control characters as escapes, directional controls too."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _HARMLESS else ascii(char)[1:-1] for char in text.replace("\t", " ")
    )


# Not "printable" to Python, but part of how words are spelled or spaced.
_HARMLESS = (
    "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{SOFT HYPHEN}"
    "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"
)


def _read(args: argparse.Namespace) -> str:
    from cleanfeed.extract import decode_text, extract_text

    if args.file == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(args.file, "rb") as file:
            data = file.read()
    if args.html or args.file.lower().endswith((".html", ".htm", ".xhtml")):
        return extract_text(data, encoding=args.encoding)
    return decode_text(data, args.encoding)


def _fail(message: str, code: int) -> int:
    print(f"cleanfeed: {message}".encode(errors="backslashreplace").decode(), file=sys.stderr)
    return code
