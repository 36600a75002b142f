"""What the tests of batch cleaning share: a cleaner whose decisions are plain to see, and ways to run the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cleanfeed
from cleanfeed import cli
from cleanfeed.batch import settings
from cleanfeed.lines import Line, join_kept, split

SOURCE = Path(cleanfeed.__file__).parents[1]


class MarkCleaner:
    """Drops the lines that begin with ``JUNK``, so that a test says itself what must go.

    A text that holds ``RAISE`` makes it raise, as a bug in the core would.
    """

    model = SimpleNamespace(name="mark", digest="0" * 64)
    threshold = 0.5
    drop = frozenset({"teaser", "boilerplate"})

    def explain_many(self, texts: Iterable[str], repeats: Any = None) -> Iterator[list[Line]]:
        """Label every line."""
        texts = list(texts)
        for number, text in enumerate(texts):
            if "RAISE" in text:
                raise RuntimeError("a bug")
            counts = repeats[number] if repeats is not None else None
            yield [
                self._line(text, start, end, None if counts is None else int(counts[row]))
                for row, (start, end) in enumerate(zip(*map(np.ndarray.tolist, split(text)), strict=True))
            ]

    def clean_many(self, texts: Iterable[str], repeats: Any = None) -> Iterator[str]:
        """Drop lines."""
        texts = list(texts)
        for text, lines in zip(texts, self.explain_many(texts, repeats), strict=True):
            starts = np.array([line.start for line in lines], np.int64)
            yield join_kept(text, starts, np.array([not line.dropped for line in lines], np.bool_))

    @staticmethod
    def _line(text: str, start: int, end: int, count: int | None) -> Line:
        content = text[start:end]
        if not content.strip():
            return Line(start, end, "blank", 0.0, "", False)
        junk = content.startswith("JUNK") or (count or 0) >= 20
        reason = "marked" if count is None else f"seen {count} times"
        return Line(start, end, "teaser" if junk else "body", 0.9 if junk else 0.1, reason, junk)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> type[MarkCleaner]:
    """Make batch cleaning in this process use :class:`MarkCleaner`."""
    monkeypatch.setattr(settings, "_cleaner", lambda *_: MarkCleaner())
    return MarkCleaner


def clean(*arguments: object) -> int:
    """Run ``cleanfeed clean`` in this process; returns the exit code."""
    return cli.main(["clean", *map(str, arguments)])


def command(*arguments: object) -> list[str]:
    """The command line of another process."""
    return [sys.executable, "-m", "cleanfeed", *map(str, arguments)]


def environment() -> dict[str, str]:
    """The environment in which another process finds this very package."""
    return {**os.environ, "PYTHONPATH": str(SOURCE)}


def spawn(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run ``cleanfeed`` in another process."""
    return subprocess.run(
        command(*arguments), env=environment(), capture_output=True, timeout=120, check=False, **options
    )


def lines_of(path: Path) -> list[Any]:
    """The values in a file of JSON Lines."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def errors_of(output: Path) -> list[dict[str, Any]]:
    """What a run reported."""
    return lines_of(output / ".cleanfeed" / "errors.jsonl")


def tree_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder that a user cares for, the list of errors among them."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = ".cleanfeed" in path.relative_to(folder).parts
        if path.is_file() and (not state or path.name == "errors.jsonl"):
            found[os.fsdecode(os.fsencode(path.relative_to(folder)))] = path.read_bytes()
    return found
