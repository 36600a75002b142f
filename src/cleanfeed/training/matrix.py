"""Feature matrices of many documents, each described by what was fitted without its fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleanfeed.decode import second_features
from cleanfeed.features import Described, document_features
from cleanfeed.lines import block_of
from cleanfeed.network import Network
from cleanfeed.reading import Lines, WordTables, read_lines
from cleanfeed.training.corpus import Document

Array = npt.NDArray[Any]
_DOCUMENTS_AT_ONCE = 64


def describe(documents: Sequence[Document], tables: WordTables) -> tuple[Lines, Described]:
    """Features of the lines of some documents, which are never blank and hold no line break."""
    block = block_of(["\n".join(document.lines) for document in documents])
    lines = read_lines(block, np.arange(len(block.starts)), tables)
    return lines, document_features(lines, block.text_of_line, tables)


def _first(documents: Sequence[Document], tables: WordTables) -> tuple[list[str], Array, Array]:
    _, described = describe(documents, tables)
    insist = [described.columns[f"words insist on {name}"] for name in ("teaser", "boilerplate")]
    return described.names, np.ascontiguousarray(described.matrix.T), np.stack(insist, axis=1)


def _second(documents: Sequence[Document], tables: WordTables, network: Network) -> tuple[list[str], Array, Array]:
    lines, described = describe(documents, tables)
    names, matrix = second_features(lines, described, network.probabilities(described.matrix))
    return names, np.ascontiguousarray(matrix.T), np.empty((matrix.shape[1], 0))


def _by_fold(
    work: Callable[..., tuple[list[str], Array, Array]], documents: Sequence[Document], folds: Array, arguments: Sequence[Any], jobs: int
) -> tuple[list[str], Array, Array]:
    from joblib import Parallel, delayed

    chosen = [np.flatnonzero(folds == fold) for fold in range(len(arguments))]
    tasks = [
        (part[at : at + _DOCUMENTS_AT_ONCE], arguments[fold])
        for fold, part in enumerate(chosen)
        for at in range(0, len(part), _DOCUMENTS_AT_ONCE)
    ]
    results = Parallel(n_jobs=jobs)(delayed(work)([documents[i] for i in part], *given) for part, given in tasks)
    first_line = np.concatenate(([0], np.cumsum([len(document.lines) for document in documents])))
    matrix = np.empty((first_line[-1], results[0][1].shape[1]), np.float32)
    extra = np.empty((first_line[-1], results[0][2].shape[1]))
    for (part, _), (_, rows, more) in zip(tasks, results, strict=True):
        at = np.concatenate([np.arange(first_line[i], first_line[i + 1]) for i in part])
        matrix[at], extra[at] = rows, more
    return results[0][0], matrix, extra


def first_matrix(
    documents: Sequence[Document], folds: Array, tables: Sequence[WordTables], *, jobs: int
) -> tuple[list[str], Array, Array]:
    """Features of the first network for every line, and log-odds of teaser and boilerplate of its words.

    Returns:
        Names, matrix of shape (n_lines, n_features), log-odds of shape (n_lines, 2).
    """
    return _by_fold(_first, documents, folds, [(known,) for known in tables], jobs)


def second_matrix(
    documents: Sequence[Document], folds: Array, tables: Sequence[WordTables], networks: Sequence[Network], *, jobs: int
) -> tuple[list[str], Array]:
    """Names and features of the second network for every line. Matrix of shape (n_lines, n_features)."""
    names, matrix, _ = _by_fold(_second, documents, folds, list(zip(tables, networks, strict=True)), jobs)
    return names, matrix
