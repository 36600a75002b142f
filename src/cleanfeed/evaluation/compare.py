"""Run systems over labelled documents and put their figures side by side."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cleanfeed.evaluation import bootstrap
from cleanfeed.evaluation.bootstrap import Estimate
from cleanfeed.evaluation.metrics import FIGURES, Flags, Floats, Truth, counts, curve, figures, label_codes, recall_at
from cleanfeed.evaluation.records import Document
from cleanfeed.evaluation.systems import System, Verdict

SMALLEST_GROUP = 3
"""Documents that a group needs before figures of it are given: an interval over fewer says nothing."""


@dataclass(frozen=True, slots=True)
class Group:
    """Documents measured together, as indices.

    Within a stratum lines are pooled; figures of a group are the mean over its strata, so that a large corpus does not
    outvote the small ones.
    """

    name: str
    strata: tuple[NDArray[np.int64], ...]

    @property
    def n_documents(self) -> int:
        """Documents in all strata."""
        return sum(map(len, self.strata))


@dataclass(frozen=True, slots=True)
class Run:
    """What a system did with all documents.

    Attributes:
        kept, scores, labels: one entry per line, as in `metrics`; the last two are None where the system has none.
        seconds: time of the system's own work, loading and training not included.
        errors: one sentence for each document on which the system failed; its lines count as kept.
        failed: the indices of these documents.
    """

    system: System
    kept: Flags
    scores: Floats | None
    labels: NDArray[np.int64] | None
    seconds: float
    characters: int
    n_documents: int
    errors: list[str]
    failed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """A system's figures on a group; `against` holds the first system's figures minus this one's."""

    system: str
    figures: dict[str, Estimate]
    against: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Table:
    """All systems on one group, with the size of the group and the threshold curves of the systems that have scores."""

    group: str
    n_documents: int
    n_body: int
    n_junk: int
    rows: list[Row]
    curves: dict[str, tuple[Floats, Floats, Floats]] = field(default_factory=dict)


def run(system: System, documents: Sequence[Document]) -> Run:
    """Let a system judge all documents; survive those on which it fails."""
    errors: list[str] = []
    verdicts: list[Verdict] = []
    if documents:  # what a tool loads on its first call is not its speed
        list(_judge(system, documents[:1], []))
    started = time.perf_counter()
    for start in range(0, len(documents), system.block):
        verdicts += _judge(system, documents[start : start + system.block], errors)
    seconds = time.perf_counter() - started

    def flat(name: str, filling: object) -> list[object] | None:
        """One attribute of all verdicts, line by line; `filling` stands where a system failed."""
        given = [getattr(verdict, name) for verdict in verdicts]
        if all(part is None for part in given):
            return None
        filled = ([filling] * len(v.kept) if part is None else part for v, part in zip(verdicts, given, strict=True))
        return [value for part in filled for value in part]

    scores, labels = flat("scores", 0.0), flat("labels", "body")
    return Run(
        system,
        np.array(flat("kept", True) or [], dtype=bool),
        None if scores is None else np.array(scores, dtype=np.float64),
        None if labels is None else label_codes(cast("list[str]", labels)),
        seconds,
        sum(len(line) + 1 for document in documents for line in document.lines),
        len(documents),
        errors,
        frozenset(index for index, verdict in enumerate(verdicts) if verdict.failed),
    )


def table(
    group: Group,
    truth: Truth,
    runs: Sequence[Run],
    *,
    resamples: int = bootstrap.RESAMPLES,
    seed: int = bootstrap.SEED,
) -> Table:
    """Figures of every run on a group, with intervals, and the differences of the first run to each other one."""
    strata = [(*truth.part(members), bootstrap.weights(len(members), resamples, seed)) for members in group.strata]
    measured = [_measure(strata, each) for each in runs]
    rows = [
        Row(
            each.system.name,
            {name: Estimate.of(own[name]) for name in FIGURES},
            {} if each is runs[0] else {name: Estimate.of(measured[0][name] - own[name]) for name in FIGURES},
        )
        for each, own in zip(runs, measured, strict=True)
    ]
    members = np.isin(truth.document, np.concatenate(group.strata))
    body, junk = int(np.sum(truth.body & members)), int(np.sum(truth.junk & members))
    return Table(group.name, group.n_documents, body, junk, rows, _curves(strata, runs))


def groups_by(documents: Sequence[Document], by: str | None = None) -> list[Group]:
    """Group documents: all of them, then each file, then each value of `lang`, `trait` or `view`.

    Groups under `SMALLEST_GROUP` documents are left out, except that all documents always are a group.
    """
    values: dict[str, Callable[[Document], Sequence[str]]] = {
        "file": lambda document: (document.source,),
        "lang": lambda document: (document.lang or "unknown",),
        "view": lambda document: (document.view or "unknown",),
        "trait": lambda document: tuple(dict.fromkeys(document.traits)),
    }
    found = [Group("all", (np.arange(len(documents)),))]
    for kind in ("file", *([by] if by else [])):
        members: dict[str, list[int]] = defaultdict(list)
        for index, document in enumerate(documents):
            for value in values[kind](document):
                members[value].append(index)
        if kind == "file" and len(members) < 2:
            continue
        large = ((value, inside) for value, inside in members.items() if len(inside) >= SMALLEST_GROUP)
        ranked = sorted(large, key=lambda item: (-len(item[1]), item[0]))
        found += [Group(f"{kind} {value}", (np.array(inside),)) for value, inside in ranked]
    return found


def _judge(system: System, documents: Sequence[Document], errors: list[str]) -> list[Verdict]:
    """Verdicts of a block. If the block fails, its documents are tried one by one, and only the failing ones lost."""
    try:
        verdicts = list(system.judge(documents))
        for document, verdict in zip(documents, verdicts, strict=True):
            for name in ("kept", "scores", "labels"):
                given = getattr(verdict, name)
                if given is not None and len(given) != len(document.lines):
                    raise ValueError(f"gave {len(given)} {name} for {len(document.lines)} lines")
            if verdict.scores is not None and not np.isfinite(verdict.scores).all():
                raise ValueError("gave a score that is not a number")
    except Exception as error:
        if len(documents) > 1:
            return [verdict for document in documents for verdict in _judge(system, [document], errors)]
        errors.append(f"{documents[0].id}: {type(error).__name__}: {error}")
        return [Verdict([True] * len(documents[0].lines), failed=True)]
    return verdicts


Stratum = tuple[Truth, NDArray[np.intp], Floats]
"""The truth of some documents, the indices of their lines among all lines, and their bootstrap weights."""


def _measure(strata: Sequence[Stratum], run: Run) -> dict[str, Floats]:
    """A run's figures, with each row of the weights: the mean over the strata."""
    found: dict[str, list[Floats]] = defaultdict(list)
    for part, lines, weights in strata:
        own = figures(weights @ counts(part, run.kept[lines], None if run.labels is None else run.labels[lines]))
        none = np.full(len(weights), np.nan)
        own["recall_at_995"] = none if run.scores is None else recall_at(part, run.scores[lines], weights)
        for name in FIGURES:
            found[name].append(own[name])
    return {name: _mean(found[name]) for name in FIGURES}


def _curves(strata: Sequence[Stratum], runs: Sequence[Run]) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Threshold curves, as `metrics.curve`: at each threshold the mean over the strata."""
    found = {}
    for run in runs:
        if run.scores is None:
            continue
        scores = [run.scores[lines] for _, lines, _ in strata]
        thresholds = np.concatenate(([np.inf], np.unique(np.concatenate(scores))[::-1]))
        kept, recall = [], []
        for (part, _, _), own_scores in zip(strata, scores, strict=True):
            own, own_kept, own_recall = curve(part, own_scores)
            passed = np.searchsorted(-own, -thresholds, side="right") - 1
            kept.append(own_kept[0][passed])
            recall.append(own_recall[0][passed])
        found[run.system.name] = (thresholds, _mean(kept), _mean(recall))
    return found


def _mean(by_stratum: Sequence[Floats]) -> Floats:
    """Mean over the strata for which a figure is defined; NaN where it is for none."""
    stacked = np.stack(by_stratum)
    defined = ~np.isnan(stacked)
    total, number = np.sum(stacked, axis=0, where=defined), np.sum(defined, axis=0)
    mean: Floats = np.full(total.shape, np.nan)
    np.divide(total, number, out=mean, where=number > 0)
    return mean
