"""Labelled documents from many corpora, in one shape, with what is known of each line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cleanfeed.lines import block_of
from cleanfeed.reading import inked_lines

#: Numbers of the labels in training; the first four are the classifier's. JUNK: teaser or boilerplate, unknown which.
BODY, META, TEASER, BOILERPLATE, JUNK, UNKNOWN = range(6)
NUMBER = {"body": BODY, "meta": META, "teaser": TEASER, "boilerplate": BOILERPLATE, "junk": JUNK, None: UNKNOWN}


@dataclass(slots=True)
class Document:
    """One labelled document."""

    source: str
    """Corpus it comes from."""
    group: str
    """Documents of one group stand on one side of any split: the same page in other views, the same site."""
    lang: str
    view: str
    lines: list[str]
    labels: list[int]
    weight: float = 1.0
    traits: list[str] = field(default_factory=list)


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a JSONL file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


#: Letters of labels in ``relabelled.json``.
LETTERS = {"b": BODY, "m": META, "t": TEASER, "x": BOILERPLATE, "?": UNKNOWN}


@lru_cache(maxsize=1)
def relabelled() -> dict[str, str]:
    """Document id → one letter a line, for pages of the aligned corpora whose lines were read and labelled anew.

    Aligned labels take every caption and sub-heading that the published text leaves out for junk. The letters hold no
    text: they mean something only beside the corpora.
    """
    found: dict[str, str] = json.loads(Path(__file__).with_name("relabelled.json").read_text(encoding="utf-8"))
    return found


def _page(identifier: str) -> str:
    """The page of a document, whatever its view."""
    return identifier.rsplit(":", 1)[0] if identifier.endswith((":traf", ":recall", ":blocks")) else identifier


def _read_labels(records: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Page → line → label as read, to be used in all views of the page."""
    pages: dict[str, dict[str, int]] = {}
    for record in records:
        letters = relabelled().get(record["id"])
        if letters:
            pages[_page(record["id"])] = {
                line: LETTERS[letter] for line, letter in zip(record["lines"], letters, strict=True)
            }
    return pages


def labelled(path: Path, source: str) -> Iterator[Document]:
    """Documents of one file of labelled lines (the format is in the README), with lines as read where they were."""
    records = list(read_jsonl(path))
    read = _read_labels(records)
    for record in records:
        own = relabelled().get(record["id"])
        given = [LETTERS[letter] for letter in own] if own else [NUMBER[label] for label in record["labels"]]
        if len(given) != len(record["lines"]):
            raise ValueError(f"{path}: {record['id']} has {len(record['lines'])} lines and {len(given)} labels")
        page = {} if own else read.get(_page(record["id"]), {})
        flat = [_one_line(line) for line in record["lines"]]
        pairs = [
            (flat[number], page.get(record["lines"][number], given[number]))
            for number in inked_lines(block_of(["\n".join(flat)])).tolist()
        ]
        if pairs:
            lines, labels = zip(*pairs, strict=True)
            group = record.get("url") or _page(record["id"])
            yield Document(
                source, f"{source}:{_site(group)}", record.get("lang") or "", record.get("view") or "", list(lines), list(labels),
                traits=[*record.get("traits", ()), *(["read"] if own else [])],
            )  # fmt: skip


def _site(url: str) -> str:
    """Host of a URL, or what stands for it where there is none."""
    return url.split("://", 1)[1].split("/", 1)[0].removeprefix("www.") if "://" in url else url
