"""Fitting the word tables: lexical weights, rarity of stems, and the embedding distilled from a sentence encoder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from cleanfeed.lexical import keys_of
from cleanfeed.lines import block_of
from cleanfeed.reading import LEXICAL, edge_words
from cleanfeed.tokens import EDGE_SPANS, SPANS, STEM, scan
from cleanfeed.training.bank import BankLine
from cleanfeed.training.corpus import BOILERPLATE, META, TEASER, UNKNOWN, Document, read_jsonl

LEXICON_ROWS = 1 << 17
EDGE_ROWS = 1 << 16
MEANING_ROWS = 1 << 16
MEANING_DIMENSIONS = 32
RARITY_ROWS = 1 << 15
#: Ridge penalty on rows of unit length; 0.3 to 20 gave the same held-out cosine within 0.003.
_RIDGE = 5.0
#: Weight of a language's bank, as a share of what its number of lines would give. On general pages area under the curve was 0.813
#: at 1 and 0.819 at 3 with banks of 30 and 43 languages; 8 was no better than 3.
_BANK_WEIGHT = 3.0
_LINES_AT_ONCE = 500  # of at most HEAD + TAIL + 2 characters, so that they fit one scan

Words = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]


def hash_lines(lines: Sequence[str]) -> Words:
    """Hashes of the spans of every word, and the line of each. Shapes (n_words, n_spans) and (n_words,)."""
    hashes, owners = [], []
    for first in range(0, len(lines), _LINES_AT_ONCE):
        # A line is never empty here, but may be one that scan cannot read words from.
        block = block_of([line.replace("\n", " ").replace("\r", " ") or " " for line in lines[first : first + _LINES_AT_ONCE]])
        read = scan(block.codes, block.starts, block.ends)
        hashes.append(read.word_hash)
        owners.append(block.text_of_line[read.word_line] + first)
    return np.concatenate(hashes), np.concatenate(owners)


def lexical_bags(words: Words, n_lines: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix, sparse.csr_matrix]:
    """Counts of table rows per line: of all its words, of its first and of its last words."""
    return bag(words, n_lines, LEXICON_ROWS, len(SPANS)), *edge_bags(words, n_lines)


class Bank(NamedTuple):
    """Lines of banks as the lexical tables learn from them."""

    labels: npt.NDArray[np.int64]
    """Shape (n_lines,)."""
    weights: npt.NDArray[np.float64]
    """Shape (n_lines,)."""
    fold: npt.NDArray[np.int64]
    """Fold of the documents that a line stands in. Shape (n_lines,)."""
    lang: npt.NDArray[np.str_]
    """Language. Shape (n_lines,)."""
    bags: tuple[sparse.csr_matrix, ...]
    """Counts of rows of each lexical table."""


def lay_out_banks(lines: Sequence[BankLine], folds: Sequence[int]) -> Bank:
    """Lay out the lines of banks; a language weighs as the root of its number of lines, as corpora do.

    Args:
        lines: Lines of all banks.
        folds: Fold of each.
    """
    languages = [line.lang for line in lines]
    sizes = Counter(languages)
    hashed = hash_lines([line.text for line in lines])
    return Bank(
        np.array([line.label for line in lines], np.int64),
        np.array([_BANK_WEIGHT / sizes[lang] ** 0.5 for lang in languages]),
        np.array(folds, np.int64),
        np.array(languages),
        lexical_bags(hashed, len(lines)),
    )


def edge_bags(words: Words, n_lines: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Counts of table rows per line, once over its first and once over its last words."""
    hashes, owners = words
    first, last = (
        bag((hashes[chosen][:, EDGE_SPANS], owners[chosen]), n_lines, EDGE_ROWS, len(EDGE_SPANS))
        for chosen in edge_words(np.bincount(owners, minlength=n_lines))
    )
    return first, last


def bag(words: Words, n_lines: int, n_rows: int, n_spans: int) -> sparse.csr_matrix:
    """Counts of table rows per line, divided by the root of the number of words. Shape (n_lines, n_rows), float32."""
    hashes, owners = words
    columns = keys_of(hashes[:, :n_spans], n_rows).astype(np.int32).ravel()
    n_words = np.bincount(owners, minlength=n_lines)
    bounds = np.concatenate(([0], np.cumsum(n_words * n_spans)))
    scale = np.repeat(1 / np.sqrt(np.maximum(n_words, 1)), n_words * n_spans).astype(np.float32)
    matrix = sparse.csr_matrix((scale, columns, bounds), shape=(n_lines, n_rows))
    matrix.sum_duplicates()
    return matrix


def fit_lexicon(
    matrix: sparse.csr_matrix, labels: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], *, seed: int, jobs: int
) -> npt.NDArray[np.float32]:
    """One logistic regression per column of :data:`cleanfeed.reading.LEXICAL`, each on the lines where it is known.

    A line known only to be junk says nothing of teaser against boilerplate and is left out of those two. The columns are
    fitted side by side in ``jobs`` threads: scikit-learn lets go of the interpreter in its inner loop.

    Returns:
        Log-odds per row. Shape (n_rows, 4).
    """
    from joblib import Parallel, delayed
    from sklearn.linear_model import SGDClassifier

    four = labels <= BOILERPLATE
    targets = {
        "junk": (labels != UNKNOWN, (labels >= TEASER) & (labels != UNKNOWN)),
        "teaser": (four, labels == TEASER),
        "boilerplate": (four, labels == BOILERPLATE),
        "meta": (four, labels == META),
    }

    def column(name: str) -> npt.NDArray[np.float64]:
        known, positive = targets[name]
        known = known & (weights > 0)
        classifier = SGDClassifier(loss="log_loss", alpha=2e-6, max_iter=6, tol=None, average=True, random_state=seed)
        classifier.fit(matrix[known], positive[known], sample_weight=weights[known] / weights[known].mean())
        return classifier.coef_[0]

    columns = Parallel(n_jobs=jobs, prefer="threads")(delayed(column)(name) for name in LEXICAL)
    return np.stack(columns, axis=1).astype(np.float32)


def rarity_of_stems(words: Words, document_of_line: npt.NDArray[np.int64], n_documents: int) -> npt.NDArray[np.float32]:
    """Inverse document frequency of each bucket of stems, scaled to 0-1. Shape (RARITY_ROWS,)."""
    hashes, owners = words
    bucket = keys_of(np.ascontiguousarray(hashes[:, STEM]), RARITY_ROWS)
    seen = np.unique(document_of_line[owners] * RARITY_ROWS + bucket)
    frequency = np.bincount(seen % RARITY_ROWS, minlength=RARITY_ROWS)
    rarity = np.log((n_documents + 1) / (frequency + 1)) / np.log(n_documents + 1)
    return np.clip(rarity, 0, 1).astype(np.float32) ** 2


def topics(vectors: npt.NDArray[np.float32], languages: Sequence[str], dimensions: int) -> npt.NDArray[np.float32]:
    """Project teacher vectors on the directions in which lines of one language differ.

    The first principal directions of a multilingual encoder tell languages apart, which no document needs.
    """
    _, group = np.unique(np.asarray(languages), return_inverse=True)
    sizes = np.maximum(np.bincount(group), 1)[:, None]
    means = np.zeros((group.max() + 1, vectors.shape[1]))
    np.add.at(means, group, vectors)
    centred = vectors - (means / sizes)[group].astype(np.float32)
    _, directions = np.linalg.eigh(np.cov(centred.T))
    return np.ascontiguousarray(centred @ directions[:, ::-1][:, :dimensions].astype(np.float32))


def distil_meaning(data: Path) -> npt.NDArray[np.float32]:
    """Ridge regression of the teacher's topic directions on hashed words. Shape (MEANING_ROWS, MEANING_DIMENSIONS).

    The vector of a line is the sum of its words' rows, over the root of their number; its length carries no meaning.
    """
    records = list(read_jsonl(data / "teacher" / "lines.jsonl.gz"))
    with np.load(data / "teacher" / "e5_pca64.npz") as stored:
        vectors = stored["vectors"].astype(np.float32)
    targets = topics(vectors, [record["lang"] or "" for record in records], MEANING_DIMENSIONS)
    words = hash_lines([record["text"] for record in records])
    return ridge(bag(words, len(records), MEANING_ROWS, len(SPANS) - 1), targets, _RIDGE)


def ridge(
    matrix: sparse.csr_matrix, targets: npt.NDArray[np.float32], penalty: float, iterations: int = 30
) -> npt.NDArray[Any]:
    """Least squares with a penalty, by conjugate gradients on all targets at once (Hestenes and Stiefel 1952).

    `sklearn.linear_model.Ridge(solver="sparse_cg")` does the same, one target at a time.
    """
    transposed = matrix.T.tocsr()
    solution = np.zeros((matrix.shape[1], targets.shape[1]), np.float32)
    residual = transposed @ targets
    direction = residual.copy()
    size = (residual * residual).sum(axis=0)
    for _ in range(iterations):
        image = transposed @ (matrix @ direction) + penalty * direction
        step = size / np.maximum((direction * image).sum(axis=0), 1e-12)
        solution += step * direction
        residual -= step * image
        new_size = (residual * residual).sum(axis=0)
        direction = residual + (new_size / np.maximum(size, 1e-12)) * direction
        size = new_size
    return solution


def line_labels(documents: Sequence[Document]) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All lines, their labels, and the document of each."""
    lines = [line for document in documents for line in document.lines]
    labels = np.array([label for document in documents for label in document.labels], np.int64)
    owner = np.repeat(np.arange(len(documents)), [len(document.lines) for document in documents])
    return lines, labels, owner
