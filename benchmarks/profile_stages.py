"""Print the table of `PROFILE.md`: how long each stage of `clean_many` takes, in nanoseconds a character.

    python benchmarks/profile_stages.py FILE.jsonl ...        records with a `text`, or with `lines`

Every stage is timed by itself on the same blocks of documents, best of five.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cleanfeed import Cleaner
from cleanfeed.cleaner import _blocks
from cleanfeed.features import document_features
from cleanfeed.lines import block_of
from cleanfeed.reading import inked_lines, read_lines

_REPEATS = 5


def texts_of(paths: list[str]) -> Iterator[str]:
    """The text of every record."""
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            yield record["text"] if "text" in record else "\n".join(record["lines"])


def timed(stage: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the best of some runs, and what the stage gives."""
    best, result = float("inf"), None
    for _ in range(_REPEATS):
        started = time.perf_counter()
        result = stage()
        best = min(best, time.perf_counter() - started)
    return best, result


def main(paths: list[str]) -> None:
    """Time the stages and print the table."""
    cleaner = Cleaner()
    model = cleaner.model
    spent: dict[str, float] = {}
    characters = n_bytes = 0
    for texts, _ in _blocks(texts_of(paths), None):
        characters += sum(map(len, texts))
        n_bytes += sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
        seconds: dict[str, float] = {}
        seconds["split into lines"], block = timed(lambda t=texts: block_of(t))
        seconds["find blank lines"], inked = timed(lambda b=block: inked_lines(b))
        seconds["read lines: words, hashes, tables"], read = timed(lambda b=block, i=inked: read_lines(b, i, model.tables))
        text_of_line = block.text_of_line[inked]
        seconds["features within the document"], described = timed(
            lambda r=read, t=text_of_line: document_features(r, t, model.tables)
        )
        seconds["network"], _ = timed(lambda d=described: model.network.probabilities(d.matrix, d.segments))
        whole, _ = timed(lambda t=texts: list(cleaner.clean_many(t)))
        seconds["decide, join and all else"] = max(whole - sum(seconds.values()), 0.0)
        for stage, value in seconds.items():
            spent[stage] = spent.get(stage, 0.0) + value
    total = sum(spent.values())
    print(f"{characters:,} characters, {n_bytes / 1e6:.1f} MB of UTF-8, {n_bytes / total / 1e6:.1f} MB/s; NumPy {np.__version__}\n")
    print("| stage | share | ns per character |\n|---|---:|---:|")
    for stage, value in spent.items():
        print(f"| {stage} | {value / total:.0%} | {value / characters * 1e9:.1f} |")
    print(f"| all | 100% | {total / characters * 1e9:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
