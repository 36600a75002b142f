"""How fast systems are: throughput against document size, and ratios that hold on any machine."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from cleanfeed.cleaner import Cleaner
from cleanfeed.evaluation.records import Document
from cleanfeed.evaluation.systems import System

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""Characters of a document."""
PATIENCE = 5.0
"""Seconds. A system that needs a fifth of this for one size is not asked for the next, ten times as large."""


def throughput(systems: Sequence[System], documents: Sequence[Document]) -> dict[str, list[tuple[int, float]]]:
    """Characters per second of each system on one document of each size, made of the lines of real documents.

    Returns:
        By system, pairs of size and characters per second; sizes that would try the patience are left out, and a
        system that fails on a size ends there.
    """
    found: dict[str, list[tuple[int, float]]] = {system.name: [] for system in systems}
    for system in systems:
        for size in SIZES:
            document = of_size(documents, size)
            try:
                seconds = best_time(partial(_judge, system, document))
            except Exception:
                break
            characters = sum(len(line) + 1 for line in document.lines)
            found[system.name].append((characters, characters / seconds))
            if seconds > PATIENCE / 5:
                break
    return found


def ratios(documents: Sequence[Document], cleaner: Cleaner | None = None) -> dict[str, float]:
    """cleanfeed's speed as ratios to simple work on the same text in the same minute, for floors.

    Returns:
        `characters_against_word_regex`: characters per second of `Cleaner.clean_many` over documents, divided by those
        of `re.findall(r"\\w+")` over the same texts. `lone_against_many`: the same for `Cleaner.clean`, one by one,
        divided by `clean_many`.
    """
    cleaner = cleaner or Cleaner()
    texts = ["\n".join(document.lines) for document in documents]
    words = re.compile(r"\w+")
    regex = best_time(lambda: [words.findall(text) for text in texts])
    many = best_time(lambda: list(cleaner.clean_many(texts)))
    lone = best_time(lambda: [cleaner.clean(text) for text in texts])
    return {"characters_against_word_regex": regex / many, "lone_against_many": many / lone}


def of_size(documents: Sequence[Document], size: int) -> Document:
    """A document of at least so many characters: the lines of documents in order, begun anew at the end of the last."""
    lines: list[str] = []
    left = size
    for line in _forever(documents):
        lines.append(line)
        left -= len(line) + 1
        if left <= 0:
            break
    return Document("of size", lines, [None] * len(lines), documents[0].lang)


def best_time(work: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of a few runs: what disturbs a run only ever makes it slower. Slow work runs once."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
        if best > PATIENCE / 5:
            break
    return best


def _judge(system: System, document: Document) -> None:
    for _ in system.judge([document]):
        pass


def _forever(documents: Sequence[Document]) -> Iterator[str]:
    if not any(document.lines for document in documents):
        raise ValueError("there are no lines to make a document of")
    while True:
        for document in documents:
            yield from document.lines
