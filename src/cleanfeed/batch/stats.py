"""Counting lines and characters by label, for each site and each script."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cleanfeed.lines import Line

Tables = dict[str, dict[str, list[int]]]
"""Group (``site example.com``, ``script Arabic``) to label to [lines in, characters in, lines out, characters out]."""

# Letters looked at to name the script of a document: its first few sentences.
_LETTERS = 400
# A crawl has more sites than anyone reads, and the table must fit in memory: past this many in one file, the rest are
# added up.
_MAX_SITES = 5000
OTHER_SITES = "site (others)"


def count_lines(text: str) -> int:
    r"""Number of lines as :func:`cleanfeed.lines.split` counts them: ended by ``\n``, ``\r\n`` or ``\r``."""
    terminators = text.count("\n")
    returns = text.count("\r")
    if returns:
        terminators += returns - text.count("\r\n")
    return terminators + (text != "" and not text.endswith(("\n", "\r")))


def add_document(tables: Tables, site: str, text: str, lines: Sequence[Line], whole: bool) -> None:
    """Count a document under its site and under its script; ``whole`` when nothing is taken out of it."""
    site_key = f"site {site}"
    if site_key not in tables and len(tables) >= _MAX_SITES:
        site_key = OTHER_SITES
    for key in (site_key, f"script {script_of(text)}"):
        table = tables.setdefault(key, {})
        for line in lines:
            row = table.setdefault(line.label, [0, 0, 0, 0])
            size = line.end - line.start
            row[0] += 1
            row[1] += size
            if whole or not line.dropped:
                row[2] += 1
                row[3] += size


def merge(tables: Tables, others: Mapping[str, Mapping[str, Sequence[int]]]) -> None:
    """Add the counts of ``others`` to ``tables``."""
    for key, labels in others.items():
        kept = key if key in tables or len(tables) < _MAX_SITES or key.startswith("script ") else OTHER_SITES
        table = tables.setdefault(kept, {})
        for label, numbers in labels.items():
            row = table.setdefault(label, [0, 0, 0, 0])
            for index, number in enumerate(numbers):
                row[index] += number


def script_of(text: str) -> str:
    """Name the script that most of the first letters are in: ``Arabic``, ``Latin``, ``Cjk``; ``none`` without letters.

    Unicode's character names begin with the script (``ARABIC LETTER BEH``), which is as much as a rough guess needs.
    """
    letters = [char for char in text[: _LETTERS * 4] if char.isalpha()][:_LETTERS]
    if not letters:
        return "none"
    scripts = Counter(map(_script_of_letter, letters))
    return max(sorted(scripts), key=scripts.__getitem__)


@lru_cache(maxsize=4096)
def _script_of_letter(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0].capitalize()
