"""What comes back from cleaning: problems with their place and cause, and counts that add up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the input that could not be cleaned, or that a person should look at."""

    kind: str
    """One word or two for machines: ``unreadable``, ``encoding``, ``json``, ``missing-field``, ``suspect``, ..."""
    cause: str
    """What is wrong, in words."""
    place: str = ""
    """Where in the file: ``line 12``, ``row 5``, ``record 3``; empty for the whole file."""
    skipped: bool = True
    """Whether something of the input is missing from the output because of it. If not, it is a note."""

    def record(self, file: str) -> dict[str, Any]:
        """The line of ``errors.jsonl`` for it."""
        return {"file": file, "place": self.place, "kind": self.kind, "cause": self.cause, "skipped": self.skipped}


@dataclass(slots=True)
class Counts:
    """Documents, lines and characters that went in and came out. Characters include line terminators."""

    documents: int = 0
    nulls: int = 0
    """Documents whose text is null; they pass through and count as no document."""
    changed: int = 0
    """Documents that lost a line."""
    suspect: int = 0
    lines_in: int = 0
    lines_out: int = 0
    characters_in: int = 0
    characters_out: int = 0
    skipped: int = 0
    """Problems that left something out."""
    notes: int = 0
    """Problems that left nothing out."""

    def add(self, other: Counts) -> None:
        """Add what another part counted."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        """As JSON holds it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Outcome:
    """What was learned while one file, or one block of a large file, was cleaned."""

    counts: Counts = field(default_factory=Counts)
    problems: list[Problem] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Lines and characters in and out by label for each site and script; see :mod:`cleanfeed.batch.stats`."""

    def report(self, problem: Problem) -> None:
        """Note a problem and count it."""
        self.problems.append(problem)
        if problem.skipped:
            self.counts.skipped += 1
        else:
            self.counts.notes += 1


def json_line(value: Any) -> bytes:
    """One line of JSON Lines in UTF-8. Lone surrogates, which UTF-8 cannot hold, are written as escapes."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value).encode() + b"\n"


def json_lines(values: Iterable[Any]) -> bytes:
    """Several lines of JSON Lines."""
    return b"".join(map(json_line, values))
