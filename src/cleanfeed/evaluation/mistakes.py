"""The lines that a system got wrong, document by document, the worst documents first.

Only scored lines can be wrong: a line of body that was dropped is `body-lost`, a line of junk that stayed `junk-kept`.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanfeed.evaluation.compare import Run
from cleanfeed.evaluation.metrics import Flags, Floats, Truth
from cleanfeed.evaluation.records import LABELS, Document

BODY_LOST, JUNK_KEPT = "body-lost", "junk-kept"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a system did with one line; `score` speaks for dropping, 0 to 1, `label` one of `LABELS`, each None where there is none."""

    kept: bool
    score: float | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A document with mistakes.

    Attributes:
        document: what was judged.
        kept, scores, labels: one entry for each of its lines, as in `compare.Run`.
        errors: `BODY_LOST` or `JUNK_KEPT` by the index of the line, in the order of the lines.
        characters_lost: characters of the body's lines that were dropped.
        characters: those of all lines of body.
        failed: the system failed on the document, and all of it stayed.
    """

    document: Document
    kept: Flags
    scores: Floats | None
    labels: NDArray[np.int64] | None
    errors: dict[int, str]
    characters_lost: int
    characters: int
    failed: bool

    @property
    def junk_kept(self) -> int:
        """How many lines of junk stayed."""
        return sum(error == JUNK_KEPT for error in self.errors.values())

    def decision(self, line: int) -> Decision:
        """What was done with a line; where the system failed, scores and labels only fill a place."""
        code = -1 if self.labels is None or self.failed else int(self.labels[line])
        score = None if self.scores is None or self.failed else float(self.scores[line])
        return Decision(bool(self.kept[line]), score, LABELS[code] if code >= 0 else None)


@dataclass(frozen=True, slots=True)
class Mistakes:
    """All documents that a system got wrong: those that lost most characters of body first, then most junk kept."""

    system: str
    n_documents: int
    cases: list[Case]


def find(documents: Sequence[Document], truth: Truth, run: Run) -> Mistakes:
    """Collect what a run got wrong; `truth` is that of the documents, in the same order."""
    lost, left = truth.body & ~run.kept, truth.junk & run.kept
    starts = np.cumsum([0, *(len(document.lines) for document in documents)])
    cases = []
    for index in np.unique(truth.document[lost | left]).tolist():
        lines = slice(int(starts[index]), int(starts[index + 1]))
        wrong = np.flatnonzero(lost[lines] | left[lines]).tolist()
        cases.append(
            Case(
                documents[index],
                run.kept[lines],
                None if run.scores is None else run.scores[lines],
                None if run.labels is None else run.labels[lines],
                {line: BODY_LOST if lost[lines][line] else JUNK_KEPT for line in wrong},
                int(truth.characters[lines][lost[lines]].sum()),
                int(truth.characters[lines][truth.body[lines]].sum()),
                index in run.failed,
            )
        )
    cases.sort(key=lambda case: (-case.characters_lost, -case.junk_kept, case.document.source, case.document.id))
    return Mistakes(run.system.name, run.n_documents, cases)


def choose(cases: Sequence[Case], worst: int, picked: int) -> list[Case]:
    """The first `worst` cases, and of the others those `picked` that a hash of the document's name puts first.

    The hash is the same in every run and for every system, so that systems are seen on the same documents.
    """

    def place(index: int) -> str:
        document = cases[index].document
        return hashlib.sha256(f"{document.source}\n{document.id}".encode("utf-8", "replace")).hexdigest()

    rest = heapq.nsmallest(picked, range(worst, len(cases)), key=place)
    return [*cases[:worst], *(cases[index] for index in sorted(rest))]


def records(found: Iterable[Mistakes]) -> Iterator[dict[str, object]]:
    """One record for each wrong line of each system, none left out; `line` counts from 1."""
    for mistakes in found:
        for case in mistakes.cases:
            document = case.document
            for index, error in case.errors.items():
                decision = case.decision(index)
                yield {
                    "system": mistakes.system, "source": document.source, "id": document.id, "lang": document.lang,
                    "line": index + 1, "error": error, "label": document.labels[index], "given": decision.label,
                    "score": decision.score, "text": document.lines[index],
                }  # fmt: skip
