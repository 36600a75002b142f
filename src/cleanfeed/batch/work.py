"""Cleaning a list of documents, as the worker processes do it: decisions, counts, rejects and samples in one go."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cleanfeed.batch import stats
from cleanfeed.batch.outcome import Outcome, Problem
from cleanfeed.batch.settings import LABELLED, REJECTS, SAMPLES, Settings, cleaner_for
from cleanfeed.lines import Line, join_kept

if TYPE_CHECKING:
    from cleanfeed.repeats import Repeats

MAX_DOCUMENT_BYTES = 1 << 28
"""256 MiB: a larger file or record is no web page. Cleaning takes about a dozen times its size in memory."""

# The report shows some documents whole: this much of each is enough to see what happened to it.
_SAMPLE_LINES, _SAMPLE_LINE_CHARACTERS = 400, 1000
# From each block of records: those that lost most, and those that a hash picks.
_SAMPLES_LOST, _SAMPLES_PICKED = 2, 2
# Of files with one document each, those that lost more than this share are that many times more likely to be shown.
_LOST_MUCH, _LOST_FACTOR = 0.3, 10


@dataclass(frozen=True, slots=True)
class Document:
    """One text to clean and where it comes from."""

    text: str
    place: str = ""
    """Where in its file: ``line 12``; empty when the file is the document."""
    site: str = ""


def clean_documents(
    documents: Sequence[Document],
    settings: Settings,
    outcomes: Sequence[Outcome],
    files: Sequence[str],
    repeats: Repeats | None,
) -> list[str | None]:
    """Clean documents, vectorised over all of them.

    Args:
        documents: What to clean.
        settings: How.
        outcomes: For each document, where its counts and problems go; several may share one.
        files: For each document, the name of its file.
        repeats: Counts of lines per site, as evidence.

    Returns:
        The cleaned texts; None where a text could not be cleaned, which has then been reported.
    """
    lines: list[list[Line] | None]
    if settings.collect:
        lines = _explain(documents, settings, outcomes, repeats)
        cleaned = [None if kept is None else _join(doc.text, kept) for doc, kept in zip(documents, lines, strict=True)]
    else:
        cleaned = _clean(documents, settings, outcomes, repeats)
        lines = [None] * len(documents)
    results: list[str | None] = []
    for doc, text, marked, outcome, file in zip(documents, cleaned, lines, outcomes, files, strict=True):
        result = text
        if text is not None:
            suspect = len(doc.text) - len(text) > settings.max_drop * len(doc.text)
            if suspect:
                _report_suspect(doc, text, settings, outcome)
            if suspect and settings.keep_suspect:
                result = doc.text
            if marked is not None:
                _collect(doc, marked, result is doc.text, settings, outcome, file)
            _count(doc.text, result or "", outcome)
        results.append(result)
    return results


def keep_samples(outcome: Outcome) -> None:
    """Leave the few samples of a block that the report may show: those that lost most, and some that a hash picks."""
    if len(outcome.samples) <= _SAMPLES_LOST + _SAMPLES_PICKED:
        return
    ordered = sorted(
        outcome.samples, key=lambda sample: (sample["characters_out"] - sample["characters_in"], sample["order"])
    )
    rest = sorted(ordered[_SAMPLES_LOST:], key=lambda sample: str(sample["order"]))
    outcome.samples = ordered[:_SAMPLES_LOST] + rest[:_SAMPLES_PICKED]


def order_of(file: str, place: str) -> str:
    """What a document is picked by for the report: as good as random, and the same in every run."""
    return hashlib.sha256(f"{file}\n{place}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _clean(
    documents: Sequence[Document], settings: Settings, outcomes: Sequence[Outcome], repeats: Repeats | None
) -> list[str | None]:
    cleaner = cleaner_for(settings)
    texts = [doc.text for doc in documents]
    try:
        return list(cleaner.clean_many(texts, repeats=_counts(documents, repeats)))
    except Exception:
        # One text in the block is at fault. Alone, each has the same result as together, so only that one is lost.
        return [
            _alone(lambda text, counts: next(cleaner.clean_many([text], repeats=counts)), doc, outcome, repeats)
            for doc, outcome in zip(documents, outcomes, strict=True)
        ]


def _explain(
    documents: Sequence[Document], settings: Settings, outcomes: Sequence[Outcome], repeats: Repeats | None
) -> list[list[Line] | None]:
    cleaner = cleaner_for(settings)
    texts = [doc.text for doc in documents]
    try:
        return list(cleaner.explain_many(texts, repeats=_counts(documents, repeats)))
    except Exception:
        return [
            _alone(lambda text, counts: next(cleaner.explain_many([text], repeats=counts)), doc, outcome, repeats)
            for doc, outcome in zip(documents, outcomes, strict=True)
        ]


def _alone(function: Any, doc: Document, outcome: Outcome, repeats: Repeats | None) -> Any:
    try:
        return function(doc.text, _counts([doc], repeats))
    except Exception as error:
        outcome.report(Problem("failed", f"cleaning failed: {type(error).__name__}: {error}", doc.place))
        return None


def _counts(documents: Sequence[Document], repeats: Repeats | None) -> Any:
    if repeats is None:
        return None
    return repeats.counts_of_texts([doc.site for doc in documents], [doc.text for doc in documents])


def _join(text: str, lines: Sequence[Line]) -> str:
    starts = np.fromiter((line.start for line in lines), np.int64, len(lines))
    kept = np.fromiter((not line.dropped for line in lines), np.bool_, len(lines))
    return join_kept(text, starts, kept)


def _report_suspect(doc: Document, text: str, settings: Settings, outcome: Outcome) -> None:
    share = 1 - len(text) / len(doc.text)
    fate = "kept whole" if settings.keep_suspect else "look at it"
    cause = f"would lose {share:.1%} of its {len(doc.text)} characters, more than {settings.max_drop:.0%}: {fate}"
    outcome.counts.suspect += 1
    outcome.report(Problem("suspect", cause, doc.place, skipped=False))


def _count(text: str, result: str, outcome: Outcome) -> None:
    counts = outcome.counts
    counts.documents += 1
    lines = stats.count_lines(text)
    counts.lines_in += lines
    counts.characters_in += len(text)
    counts.characters_out += len(result)
    if len(result) == len(text):
        counts.lines_out += lines
    else:
        counts.changed += 1
        counts.lines_out += stats.count_lines(result)


def _collect(
    doc: Document, lines: Sequence[Line], whole: bool, settings: Settings, outcome: Outcome, file: str
) -> None:
    """Gather what was asked for beside the text; ``whole`` when the document keeps all its lines after all."""
    if LABELLED in settings.collect:
        stats.add_document(outcome.tables, doc.site, doc.text, lines, whole)
    dropped = (
        []
        if whole
        else [(number, line) for number, line in enumerate(lines, 1) if line.dropped and line.label != "blank"]
    )
    if REJECTS in settings.collect:
        for number, line in dropped:
            outcome.rejects.append(
                {
                    "file": file,
                    "place": doc.place,
                    "line": number,
                    "start": line.start,
                    "text": doc.text[line.start : line.end],
                    "label": line.label,
                    "score": round(line.score, 4),
                    "reason": line.reason,
                }
            )
    if SAMPLES in settings.collect and lines:
        lost = 0 if whole else sum(line.end - line.start for _, line in dropped)
        order = order_of(file, doc.place)
        if doc.place or _is_sampled(order, lost / max(len(doc.text), 1), settings):
            outcome.samples.append(_sample(doc, lines, whole, lost, file, order))


def _is_sampled(order: str, lost_share: float, settings: Settings) -> bool:
    """Whether a file is kept for the report: decided by itself alone, so the same however a run is cut into tasks."""
    share = settings.sample_share * (_LOST_FACTOR if lost_share > _LOST_MUCH else 1)
    return int(order, 16) < share * float(16 ** len(order))


def _sample(doc: Document, lines: Sequence[Line], whole: bool, lost: int, file: str, order: str) -> dict[str, Any]:
    return {
        "file": file,
        "place": doc.place,
        "site": doc.site,
        "order": order,
        "characters_in": len(doc.text),
        "characters_out": len(doc.text) - lost,
        "lines_in": len(lines),
        "lines": [
            [
                doc.text[line.start : min(line.end, line.start + _SAMPLE_LINE_CHARACTERS)],
                line.label,
                round(line.score, 3),
                line.reason,
                line.dropped and not whole,
            ]
            for line in lines[:_SAMPLE_LINES]
        ],
    }
