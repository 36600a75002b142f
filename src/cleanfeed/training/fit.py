"""Fitting the model: word tables, network, calibration; each on what the one before says of documents it was not fitted on.

Documents are split into folds by site, the project's own by writer. The word tables that describe a document for the training
of the network never saw its fold; otherwise they would seem surer than they are on a new page.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

import cleanfeed
from cleanfeed.lexical import pack, quantise
from cleanfeed.model import DEFAULT, load, save
from cleanfeed.network import Network, softmax
from cleanfeed.reading import WordTables
from cleanfeed.training import words
from cleanfeed.training.bank import read_banks
from cleanfeed.training.calibrate import calibrate, choose_threshold
from cleanfeed.training.corpus import BODY, BOILERPLATE, TEASER, UNKNOWN, Document
from cleanfeed.training.dataset import fold_of_line, training_documents, trusted_corpus
from cleanfeed.training.matrix import feature_matrix
from cleanfeed.training.networks import STEPS, Sequences, fit_networks, four_labels, score, stored

Array = npt.NDArray[Any]

#: Parts of the sites; a network is fitted without each. A choice: four would take a quarter longer.
FOLDS = 3
#: Aligned labels call a line junk when the published text leaves it out, captions and sub-headings included. A line that
#: networks fitted briefly without its site hold for body, or a body line that they hold for junk, teaches nothing. On pages by writers
#: new to the model the area under the curve was 0.943 with that and 0.936 without. The bounds and the steps are a choice.
_DOUBT_JUNK, _DOUBT_BODY, _DOUBT_STEPS = 0.2, 0.97, 600
#: Lines of a longer document share the weight of so many. A choice; no other was measured.
_LINES_AT_MOST = 30
#: Long body lines weigh more: losing one loses more text. Weighing all lines by the root of their length instead moved no
#: figure by more than its noise.
_LONG, _LONG_WEIGHT = 150, 1.5
#: Log-odds of junk per natural logarithm of the number of pages of a site that hold a line; see models/EXPERIMENTS.md.
REPEAT_WEIGHT = 1.0


@dataclass
class TrainingLines:
    """All lines of the training documents, in order."""

    documents: Sequence[Document]
    fold: Array
    """Fold of each document. Shape (n_documents,)."""
    lines: list[str]
    labels: Array
    owner: Array
    """Document of each line. Shape (n_lines,)."""
    weights: Array
    """Weight of each line. Shape (n_lines,)."""

    @property
    def fold_of_line(self) -> Array:
        """Fold of each line. Shape (n_lines,)."""
        return self.fold[self.owner]


def gather(documents: Sequence[Document], folds: Sequence[int]) -> TrainingLines:
    """Lay out the lines of the documents and weigh them."""
    lines, labels, owner = words.line_labels(documents)
    sizes = np.array([len(document.lines) for document in documents])
    weights = np.array([document.weight for document in documents]) * np.minimum(1, _LINES_AT_MOST / sizes)
    length = np.array([len(line) for line in lines])
    weighed = weights[owner] * np.where((labels == BODY) & (length >= _LONG), _LONG_WEIGHT, 1.0)
    return TrainingLines(documents, np.asarray(folds), lines, labels, owner, weighed)


def without_doubtful(lines: TrainingLines, labels: Array, drop: Array) -> Array:
    """Labels with UNKNOWN where an aligned label and networks fitted without the line contradict each other.

    Args:
        lines: The training lines.
        labels: 0 to 3 or UNKNOWN. Shape (n_lines,).
        drop: P(teaser or boilerplate) by networks that never saw the line's fold. Shape (n_lines,).
    """
    aligned = np.array([not trusted_corpus(document) for document in lines.documents])[lines.owner]
    junk, body = (labels == TEASER) | (labels == BOILERPLATE), labels == BODY
    doubtful = aligned & ((junk & (drop < _DOUBT_JUNK)) | (body & (drop > _DOUBT_BODY)))
    return np.where(doubtful, UNKNOWN, labels)


class Fitting:
    """The documents of a training run and what was made of them so far.

    Every step is told from which lines it may learn, so that what describes a document never saw it, and so that whole
    languages and corpora can be left out (:mod:`cleanfeed.training.leave_out`).

    Args:
        data: Folder of the training data.
        own: The project's own training documents.
        banks: Folder of line banks.
        scale: Share of the composed documents to draw.
        jobs: Processes that describe documents and fit networks, and threads that fit lexical tables.
        seed: Seed of everything drawn.
    """

    def __init__(self, data: Path, own: Path, banks: Path, *, scale: float, jobs: int, seed: int) -> None:
        self.started, self.jobs, self.seed = time.perf_counter(), jobs, seed
        self.meaning, self.meaning_step = quantise(words.distil_meaning(data))
        self.log("embedding distilled")
        bank = list(read_banks(banks))
        documents, folds = training_documents(data, own, bank, folds=FOLDS, scale=scale, seed=seed)
        self.lines = gather(documents, folds)
        n_lines = len(self.lines.lines)
        self.log(f"{len(documents):,} documents, {n_lines:,} lines")
        hashed = words.hash_lines(self.lines.lines)
        self.bank = words.lay_out_banks(bank, [fold_of_line(line, FOLDS) for line in bank])
        self.log(f"{len(self.bank.labels):,} lines of banks")
        rarity = words.rarity_of_stems(hashed, self.lines.owner, len(documents))
        self.rarity = np.rint(rarity * 255).astype(np.uint8)
        self._bags = words.lexical_bags(hashed, n_lines)
        self._packed_meaning = pack(self.meaning)
        self.labels = self.lines.labels

    def log(self, message: str) -> None:
        """Say how far it is."""
        print(f"{time.perf_counter() - self.started:7.0f} s  {message}", flush=True)

    def without(self, fold: int) -> Array:
        """Lines of all other folds."""
        return np.flatnonzero(self.lines.fold_of_line != fold)

    def lexical(self, rows: Array, bank: Array) -> dict[str, Array]:
        """Lexical tables, as stored, fitted on these lines of documents and these of banks."""
        labels = np.concatenate([self.lines.labels[rows], self.bank.labels[bank]])
        weights = np.concatenate([self.lines.weights[rows], self.bank.weights[bank]])
        bags = (sparse.vstack([bag[rows], of_bank[bank]], "csr") for bag, of_bank in zip(self._bags, self.bank.bags, strict=True))
        tables = [quantise(words.fit_lexicon(bag, labels, weights, seed=self.seed, jobs=self.jobs)) for bag in bags]
        (lexicon, step), (first, first_step), (last, last_step) = tables
        return {
            "lexicon": lexicon, "lexicon_step": step,
            "first_words": first, "last_words": last, "edge_steps": np.stack([first_step, last_step]),
        }  # fmt: skip

    def tables(self, rows: Array, bank: Array) -> WordTables:
        """Word tables fitted on these lines of documents and these of banks."""
        fitted = self.lexical(rows, bank)
        return WordTables(
            pack(fitted["lexicon"]), fitted["lexicon_step"],
            (pack(fitted["first_words"]), pack(fitted["last_words"])), fitted["edge_steps"],
            self._packed_meaning, self.meaning_step, self.rarity.astype(np.float32) / np.float32(255),
        )  # fmt: skip

    def describe(self) -> None:
        """Features of all lines, each fold described by tables fitted without it."""
        tables = [self.tables(self.without(fold), np.flatnonzero(self.bank.fold != fold)) for fold in range(FOLDS)]
        self.log("lexical tables fitted")
        documents, fold = self.lines.documents, self.lines.fold
        self.names, self.matrix = feature_matrix(documents, fold, tables, jobs=self.jobs)
        lexical = self.matrix[:, [self.names.index(f"words insist on {name}") for name in ("teaser", "boilerplate")]]
        self.labels = four_labels(self.lines.labels, lexical, np.random.default_rng(self.seed))
        self.log(f"{self.matrix.shape[1]} features")

    def sequences(self) -> Sequences:
        """The lines as the network learns from them."""
        begin = np.searchsorted(self.lines.owner, np.arange(len(self.lines.documents) + 1))
        return Sequences(self.matrix, self.labels, self.lines.weights, begin)

    def doubt(self) -> None:
        """Take the doubtful labels out."""
        scores = self.unseen(self.networks(self.without_each_fold(), steps=_DOUBT_STEPS))
        self.labels = without_doubtful(self.lines, self.labels, softmax(scores)[:, TEASER : BOILERPLATE + 1].sum(axis=1))

    def without_each_fold(self) -> list[Array]:
        """Documents of all other folds, for each fold."""
        return [np.flatnonzero(self.lines.fold != fold) for fold in range(FOLDS)]

    def networks(self, chosen: Sequence[Array], *, steps: int = STEPS) -> list[Network]:
        """A network fitted on each choice of documents."""
        fitted = []
        for network in fit_networks(self.sequences(), chosen, seed=self.seed, jobs=self.jobs, steps=steps):
            fitted.append(network)
            self.log(f"network {len(fitted)} of {len(chosen)} fitted")
        return fitted

    def unseen(self, networks: Sequence[Network]) -> Array:
        """Scores of every line by the network that did not see its fold. Shape (n_lines, 4)."""
        lines, scores = self.sequences(), np.empty((len(self.labels), 4))
        for fold, network in enumerate(networks):
            documents = np.flatnonzero(self.lines.fold == fold)
            scores[lines.rows(documents)] = score(network, lines, documents)
        return scores

    def effective_length(self) -> Array:
        """Effective length of every line. Shape (n_lines,)."""
        return np.expm1(self.matrix[:, self.names.index("log length")])


def fit(
    data: Path, own: Path, banks: Path, out: Path, *, scale: float = 1.0, jobs: int = 2, seed: int = 1
) -> tuple[Fitting, Array]:
    """Train the default model from raw data and write it to a folder of that name in ``out``.

    Args:
        data: Folder of the training data (`CLEANFEED_DATA`).
        own: The project's own training documents.
        banks: Folder of line banks.
        out: Folder in which the model's folder is written.
        scale: Share of the composed documents to draw; below 1 for a quick trial.
        jobs: Processes that describe documents and fit networks, and threads that fit lexical tables.
        seed: Seed of everything drawn.

    Returns:
        The run, and the scores of its lines by networks that did not see their site. Shape (n_lines, 4).
    """
    fitting = Fitting(data, own, banks, scale=scale, jobs=jobs, seed=seed)
    lines = fitting.lines
    everything = np.arange(len(lines.lines))
    fitting.describe()
    lexical = fitting.lexical(everything, np.arange(len(fitting.bank.labels)))
    fitting.doubt()
    *by_fold, whole = fitting.networks([*fitting.without_each_fold(), np.arange(len(lines.documents))])
    unseen = fitting.unseen(by_fold)
    trusted = np.array([bool(trusted_corpus(document)) for document in lines.documents])[lines.owner]
    network, calibration = calibrate(whole, unseen, fitting.labels, lines.weights * trusted)
    threshold, dial = choose_threshold(unseen, calibration, lines, fitting.effective_length())
    fitting.log(f"calibration {calibration}, threshold {threshold}")
    save(
        out / DEFAULT,
        name=DEFAULT,
        arrays={
            **lexical, "meaning": fitting.meaning, "meaning_step": fitting.meaning_step, "rarity": fitting.rarity,
            **stored(network),
        },
        names={"features": fitting.names},
        settings={
            "threshold": threshold, "repeat_weight": REPEAT_WEIGHT, "calibration": calibration, "dial": dial,
            "training": _training(lines, scale, seed),
        },
    )  # fmt: skip
    load(out / DEFAULT)
    fitting.log(f"written to {out / DEFAULT}")
    return fitting, unseen


def _training(lines: TrainingLines, scale: float, seed: int) -> dict[str, Any]:
    """What a model must say of how it came about."""
    import hashlib
    from importlib.metadata import version

    digest = hashlib.sha256()
    for document in lines.documents:
        digest.update(json.dumps([document.lines, document.labels], ensure_ascii=False).encode("utf-8", "surrogatepass"))
    sources: dict[str, int] = {}
    for document in lines.documents:
        source = document.source.split(":")[0]
        sources[source] = sources.get(source, 0) + 1
    return {
        "data_sha256": digest.hexdigest(), "documents": dict(sorted(sources.items())), "lines": len(lines.lines),
        "languages": len({document.lang for document in lines.documents}), "scale": scale, "seed": seed,
        "versions": {
            "cleanfeed": cleanfeed.__version__, "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scipy", "scikit-learn", "regex", "jax", "optax")},
        },
    }  # fmt: skip
