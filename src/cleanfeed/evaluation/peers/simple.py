"""Three rules without a model, the floor that any tool has to beat."""

from __future__ import annotations

from unicodedata import category

from cleanfeed.evaluation.systems import Peer


def keep_all(lines: list[str], lang: str | None) -> list[bool]:
    """Drop nothing."""
    return [True] * len(lines)


def trailing_punctuation(lines: list[str], lang: str | None) -> list[bool]:
    """Drop the lines after the last one that ends in punctuation or in the `|` of a table row.

    On a page that ends in headlines it is hard to beat; it takes the end of a body that closes with a list, and one
    headline with a question mark saves all headlines before it.
    """
    last = max((index for index, line in enumerate(lines) if ends_in_punctuation(line)), default=-1)
    return [index <= last for index in range(len(lines))]


def punctuated_lines(lines: list[str], lang: str | None) -> list[bool]:
    """Keep the lines that end in punctuation of any script, wherever they stand."""
    return [ends_in_punctuation(line) for line in lines]


def ends_in_punctuation(line: str) -> bool:
    """Whether the last character that is not white space is punctuation, or a `|`."""
    last = line.rstrip()[-1:]
    return bool(last) and (last == "|" or category(last).startswith("P"))


PEERS = [
    Peer("keep-all", "drop nothing", keep=lambda bench: keep_all),
    Peer("trailing-punctuation", "drop the unpunctuated lines at the end", keep=lambda bench: trailing_punctuation),
    Peer("punctuated-lines", "keep the punctuated lines, any script", keep=lambda bench: punctuated_lines),
]
