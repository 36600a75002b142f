"""What the model does on a language, or a corpus, of which it has seen nothing.

For each in turn the word tables and the network are fitted anew without its documents, and judge them. What is kept: the
embedding, into which no label went; the features of the other documents, whose tables had seen the one left out, and which
labels were doubtful; temperature and threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleanfeed.training.calibrate import drop_score
from cleanfeed.training.corpus import BODY, JUNK, TEASER, Document
from cleanfeed.training.dataset import trusted_corpus
from cleanfeed.training.fit import Fitting
from cleanfeed.training.matrix import feature_matrix
from cleanfeed.training.networks import Sequences, score

Array = npt.NDArray[Any]

#: Documents and lines of junk from which a language or a corpus has a row of its own.
_ENOUGH_DOCUMENTS, _ENOUGH_JUNK = 20, 50


def table(fitting: Fitting, unseen: Array, *, temperature: float, threshold: float) -> Iterator[str]:
    """Lines of a Markdown table: each language and corpus left out whole, beside the same documents with only their sites left out.

    Args:
        fitting: A finished training run.
        unseen: Scores of its lines by networks that saw their language and corpus, but not their site. Shape (n_lines, 4).
        temperature: Temperature of the finished model.
        threshold: Its threshold.
    """
    yield "| left out | documents | junk lines | junk F1 | body kept | only sites left out: F1 | body kept |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    documents, owner = fitting.lines.documents, fitting.lines.owner
    usual = drop_score(unseen, temperature, fitting.effective_length())
    for name, left, measured in _choices(documents):
        chosen = [document for document, is_measured in zip(documents, measured, strict=True) if is_measured]
        scores = _judge(fitting, left, chosen, temperature)
        found = _figures(chosen, scores >= threshold)
        known = _figures(chosen, usual[measured[owner]] >= threshold)
        n_junk = sum(TEASER <= label <= JUNK for document in chosen for label in document.labels)
        figures = " | ".join(f"{value:.3f}" for value in (*found, *known))
        fitting.log(f"left out {name}: {figures}")
        yield f"| {name} | {len(chosen):,} | {n_junk:,} | {figures} |"


def _choices(documents: Sequence[Document]) -> Iterator[tuple[str, Array, Array]]:
    """Name, documents left out, and those of them that are measured, of each row."""
    language = np.array([document.lang or "" for document in documents])
    corpus = np.array([document.source.split(":")[0] for document in documents])
    real = np.array([document.view not in ("composed", "blocks") for document in documents])
    by_line = np.array([bool(trusted_corpus(document)) for document in documents])
    junk = np.array([sum(TEASER <= label <= JUNK for label in document.labels) for document in documents])
    ways: tuple[tuple[str, Array, Callable[[str], Array]], ...] = (
        ("language", real & by_line, lambda name: language == name),
        ("corpus", real, lambda name: corpus == name),
    )
    for kind, usable, members in ways:
        for name in sorted(set((language if kind == "language" else corpus)[usable].tolist()) - {""}):
            measured = usable & members(name)
            if measured.sum() >= _ENOUGH_DOCUMENTS and junk[measured].sum() >= _ENOUGH_JUNK:
                yield f"{kind} {name}", members(name), measured


def _judge(fitting: Fitting, left: Array, measured: Sequence[Document], temperature: float) -> Array:
    """Scores of the measured documents by a model fitted without those left out, or any other view of them."""
    lines = fitting.lines
    groups = {document.group for document, is_left in zip(lines.documents, left, strict=True) if is_left}
    stays = np.array([document.group not in groups for document in lines.documents])
    rows = np.flatnonzero(stays[lines.owner])
    # A language of which no document stays has no bank either.
    known = {document.lang for document, is_there in zip(lines.documents, stays, strict=True) if is_there}
    bank = np.flatnonzero([lang in known for lang in fitting.bank.lang.tolist()])
    (network,) = fitting.networks([np.flatnonzero(stays)])
    names, matrix = feature_matrix(measured, np.zeros(len(measured), np.int64), [fitting.tables(rows, bank)], jobs=fitting.jobs)
    nothing, begin = np.zeros(len(matrix)), np.cumsum([0, *(len(document.lines) for document in measured)])
    scores = score(network, Sequences(matrix, nothing, nothing, begin), np.arange(len(measured)))
    return drop_score(scores, temperature, np.expm1(matrix[:, names.index("log length")]))


def _figures(documents: Sequence[Document], dropped: Array) -> tuple[float, float]:
    """Junk F1 and share of body characters kept."""
    labels = np.array([label for document in documents for label in document.labels])
    length = np.array([len(line) for document in documents for line in document.lines])
    junk, body = (labels >= TEASER) & (labels <= JUNK), labels == BODY
    right, wrong, missed = (dropped & junk).sum(), (dropped & body).sum(), (~dropped & junk).sum()
    kept = 1 - length[dropped & body].sum() / max(length[body].sum(), 1)
    return float(2 * right / max(2 * right + wrong + missed, 1)), float(kept)
