"""Feature matrix of many documents, each described by tables that were fitted without its fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleanfeed.features import document_features
from cleanfeed.lines import block_of
from cleanfeed.reading import WordTables, read_lines
from cleanfeed.training.corpus import Document

Array = npt.NDArray[Any]
_DOCUMENTS_AT_ONCE = 64


def feature_matrix(
    documents: Sequence[Document], folds: Array, tables: Sequence[WordTables], *, jobs: int
) -> tuple[list[str], Array]:
    """Describe the lines of documents.

    Args:
        documents: Documents, whose lines are never blank and hold no line break.
        folds: Fold of each document. Shape (n_documents,).
        tables: Word tables for the documents of each fold.
        jobs: Processes.

    Returns:
        Names of the features, and a matrix of shape (n_lines, n_features), float32.
    """
    from joblib import Parallel, delayed

    tasks = [
        (part[at : at + _DOCUMENTS_AT_ONCE], known)
        for fold, known in enumerate(tables)
        for part in (np.flatnonzero(folds == fold),)
        for at in range(0, len(part), _DOCUMENTS_AT_ONCE)
    ]
    results = Parallel(n_jobs=jobs)(delayed(_describe)([documents[i] for i in part], known) for part, known in tasks)
    begin = np.concatenate(([0], np.cumsum([len(document.lines) for document in documents])))
    names = results[0][0]
    matrix = np.empty((begin[-1], len(names)), np.float32)
    for (part, _), (_, described) in zip(tasks, results, strict=True):
        matrix[np.concatenate([np.arange(begin[i], begin[i + 1]) for i in part])] = described
    return names, matrix


def _describe(documents: Sequence[Document], tables: WordTables) -> tuple[list[str], Array]:
    block = block_of(["\n".join(document.lines) for document in documents])
    lines = read_lines(block, np.arange(len(block.starts)), tables)
    described = document_features(lines, block.text_of_line, tables)
    return described.names, np.ascontiguousarray(described.matrix.T)
