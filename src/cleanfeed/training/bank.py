"""Line banks: single lines with their labels, written for this project, in tables of one language each.

Documents show where junk stands; banks show in how many ways it is worded. A table has a row `label`, `kind`, `text` for each
line, parted by tabs (``benchmarks/labelled/lines``). The kind says what sort of line it is and is not learnt from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cleanfeed.training.corpus import NUMBER


class BankLine(NamedTuple):
    """One line of a bank."""

    lang: str
    label: int
    kind: str
    text: str


def read_banks(folder: Path) -> Iterator[BankLine]:
    """Lines of all banks of a folder, in the order of their files.

    Raises:
        ValueError: A row has other than three columns, or no known label.
    """
    for path in sorted(folder.glob("*.tsv")):
        for number, row in enumerate(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"), 1):
            columns = row.split("\t")
            if len(columns) != 3 or columns[0] not in NUMBER or not columns[2].strip():
                raise ValueError(f"{path}:{number}: expected label, kind and text parted by tabs, found {row[:80]!r}")
            yield BankLine(path.stem, NUMBER[columns[0]], columns[1], columns[2])
