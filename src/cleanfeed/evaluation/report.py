"""What a comparison found, as Markdown and JSON; `report_html` has it as HTML.

A report is turned into blocks (headings, paragraphs, tables, pictures) once, and the two text forms are written from
the same blocks, so that they never disagree.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from cleanfeed import __version__
from cleanfeed.evaluation.bootstrap import Estimate
from cleanfeed.evaluation.compare import Run, Table
from cleanfeed.evaluation.mistakes import Mistakes
from cleanfeed.evaluation.pages import PageRow
from cleanfeed.evaluation.records import LABELS

FORMAT = 1
_SHOWN_ERRORS = 5


@dataclass(frozen=True, slots=True)
class Section:
    """Results on one set: all of it, and parts of it (languages, traits, …); `digest` says on which data."""

    title: str
    about: str
    digest: str
    table: Table
    parts: list[Table] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timing:
    """A system's time over all sets, and a sentence for each document on which it failed."""

    system: str
    version: str
    milliseconds: float
    characters_per_second: float
    errors: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run of the benchmark found."""

    sections: list[Section]
    timings: list[Timing]
    skipped: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    pages: dict[str, list[PageRow]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    mistakes: list[Mistakes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a written report: `kind` is heading, subheading, text, list, table or picture.

    A table holds its head as the first row; a picture's single cell is its address, `text` what it shows.
    """

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def environment() -> dict[str, str]:
    """What the figures may depend on: versions, and the kind of machine."""
    return {
        "cleanfeed": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }


def timings(runs: Iterable[Run]) -> list[Timing]:
    """Sum up the runs of each system over sets."""
    by_system: dict[str, list[Run]] = {}
    for run in runs:
        by_system.setdefault(run.system.name, []).append(run)
    found = []
    for name, own in by_system.items():
        seconds = sum(run.seconds for run in own)
        documents, characters = sum(run.n_documents for run in own), sum(run.characters for run in own)
        found.append(
            Timing(
                name,
                own[0].system.version,
                1000 * seconds / max(1, documents),
                characters / max(seconds, 1e-9),
                [error for run in own for error in run.errors],
            )
        )
    return found


def to_json(report: Report) -> dict[str, object]:
    """The report as plain values for `json.dump`; undefined figures are null, curves and mistakes are left out.

    All that two runs on the same data must give alike stands outside of `timings`, `environment` and the
    milliseconds of `pages`.
    """
    plain = asdict(replace(report, mistakes=[]))
    del plain["mistakes"]
    for section in plain["sections"]:
        for table in (section["table"], *section["parts"]):
            del table["curves"]
    return {"format": FORMAT, **{name: _without_nan(value) for name, value in plain.items()}}


def blocks(report: Report, pictures: Mapping[str, str] | None = None) -> list[Block]:
    """The report in reading order. `pictures`: address of each picture by what it shows."""
    found = [Block("text", _HOW_TO_READ)]
    for section in report.sections:
        table = section.table
        size = f"{table.n_documents:,} documents, {table.n_body:,} lines of body, {table.n_junk:,} of junk"
        about = f"{section.about[:1].upper()}{section.about[1:]}. " if section.about else ""
        found += [Block("heading", section.title), Block("text", f"{about}{size}. Data {section.digest[:16]}.")]
        found += [Block("table", rows=_systems(table)), *_labels([table])]
        if section.parts:
            found += [Block("subheading", f"{section.title}: parts"), Block("table", rows=_parts(section.parts))]
    for name, rows in report.pages.items():
        found += [Block("heading", f"HTML pages: {name}"), Block("text", _HOW_PAGES_ARE_SCORED)]
        found.append(Block("table", rows=_pages(rows)))
    found += [Block("heading", "Time and failures"), Block("table", rows=_times(report.timings))]
    errors = [f"{timing.system}: {error}" for timing in report.timings for error in timing.errors[:_SHOWN_ERRORS]]
    for title, lines in (
        ("Failures", errors),
        ("Not run", [f"{name}: {reason}" for name, reason in report.skipped.items()]),
        ("Records left out", report.problems),
    ):
        if lines:
            found += [Block("subheading", title), Block("list", rows=tuple((line,) for line in lines))]
    found += [Block("picture", text, ((address,),)) for text, address in (pictures or {}).items()]
    versions = ", ".join(f"{name} {value}" for name, value in report.environment.items())
    return [*found, *([Block("text", f"Made with {versions}.")] if versions else [])]


def to_markdown(found: Sequence[Block], title: str) -> str:
    """Blocks as Markdown."""
    parts = [f"# {title}"]
    for block in found:
        match block.kind:
            case "heading" | "subheading":
                parts.append(f"{'##' if block.kind == 'heading' else '###'} {block.text}")
            case "list":
                parts.append("\n".join(f"- {row[0]}" for row in block.rows))
            case "table":
                head, *rows = block.rows
                rule = ["---", *["---:"] * (len(head) - 1)]
                lines = [head, rule, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
                parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
            case "picture":
                parts.append(f"![{block.text}]({block.rows[0][0]})")
            case _:
                parts.append(block.text)
    return "\n\n".join(parts) + "\n"


def show(estimate: Estimate) -> str:
    """A figure for a table: value and half its interval; a dash where there is none."""
    if math.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.3f}" + ("" if math.isnan(estimate.low) else f" ± {estimate.half_width:.3f}")


_HOW_TO_READ = (
    "Junk is what was labelled teaser, boilerplate or junk; lines labelled meta or null are not scored. F1, precision "
    "and recall are of junk, pooled over lines. Body kept is the share of the characters of body lines that stay. Exact "
    "is the share of documents with every line right. Recall at 99.5 % is the recall of junk at the threshold that "
    "keeps 99.5 % of the body's characters, for systems that have a threshold. ± is half the interval that holds 95 % "
    "of the resamples of documents. Ahead by is the F1 of the first system minus that of the row, on the same "
    "resamples."
)
_HOW_PAGES_ARE_SCORED = (
    "Precision and recall of runs of four words, means over pages, as scrapinghub/article-extraction-benchmark computes "
    "them. Gain is the F1 of the row minus that of the same mode without cleanfeed, behind best that of the first row "
    "minus that of the row, both on the same resamples."
)


def _systems(table: Table) -> tuple[tuple[str, ...], ...]:
    shown = ("f1", "precision", "recall", "body_kept", "exact", "recall_at_995")
    head = ("system", "F1", "precision", "recall", "body kept", "exact", "recall at 99.5 %", "ahead by")
    rows = [
        (row.system, *(show(row.figures[name]) for name in shown), show(row.against["f1"]) if row.against else "")
        for row in table.rows
    ]
    return (head, *rows)


def _labels(tables: Sequence[Table]) -> list[Block]:
    """F1 of each of the four labels, for the systems that give labels on data that has them."""
    rows = [
        (row.system, *(show(row.figures[f"f1_{label}"]) for label in LABELS))
        for table in tables
        for row in table.rows
        if not all(math.isnan(row.figures[f"f1_{label}"].value) for label in LABELS[1:])
    ]
    return [Block("table", rows=(("F1 by label", *LABELS), *rows))] if rows else []


def _parts(parts: Sequence[Table]) -> tuple[tuple[str, ...], ...]:
    """One line a part: the first system, and the best of the others by F1."""
    first = parts[0].rows[0].system
    head = ("part", "documents", "junk lines", f"{first}: F1", "body kept", "exact", "best other", "its F1", "ahead by")
    lines = [head]
    for part in parts:
        own = part.rows[0].figures
        lines.append((part.group, f"{part.n_documents:,}", f"{part.n_junk:,}",
                      show(own["f1"]), show(own["body_kept"]), show(own["exact"]), *_best_other(part)))  # fmt: skip
    return tuple(lines)


def _best_other(part: Table) -> tuple[str, str, str]:
    others = [row for row in part.rows[1:] if not math.isnan(row.figures["f1"].value)]
    if not others:
        return "–", "–", "–"
    best = max(others, key=lambda row: row.figures["f1"].value)
    return best.system, show(best.figures["f1"]), show(best.against["f1"])


def _pages(rows: Sequence[PageRow]) -> tuple[tuple[str, ...], ...]:
    head = ("system", "F1", "precision", "recall", "gain", "behind best", "ms a page", "failures")
    lines = [
        (row.system, show(row.f1), show(row.precision), show(row.recall),
         *(show(difference) if difference else "" for difference in (row.gain, row.against)),
         "–" if row.milliseconds is None else f"{row.milliseconds:.1f}", str(len(row.errors)))
        for row in rows
    ]  # fmt: skip
    return (head, *lines)


def _times(found: Sequence[Timing]) -> tuple[tuple[str, ...], ...]:
    head = ("system", "version", "ms a document", "million characters a second", "failures")
    lines = [
        (each.system, each.version or "–", f"{each.milliseconds:.2f}", f"{each.characters_per_second / 1e6:.2f}",
         str(len(each.errors)))
        for each in found
    ]  # fmt: skip
    return (head, *lines)


def _without_nan(value: object) -> object:
    match value:
        case dict():
            return {key: _without_nan(each) for key, each in value.items()}
        case list() | tuple():
            return [_without_nan(each) for each in value]
        case float():
            return None if math.isnan(value) else value
        case _:
            return value
