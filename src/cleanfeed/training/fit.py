"""Fitting the model: word tables, first network, second network, calibration; each on what the one before says of
documents it was not fitted on.

Documents are split into folds by site. The lexical table and the first network that describe a document for the training
of the next step never saw its fold; otherwise they would seem surer than they are on a new page.
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

import cleanfeed
from cleanfeed.features import WordTables
from cleanfeed.lexical import pack, quantise
from cleanfeed.model import DEFAULT, load, save
from cleanfeed.network import Network, settle
from cleanfeed.tokens import SPANS
from cleanfeed.training import words
from cleanfeed.training.calibrate import calibrate, choose_threshold
from cleanfeed.training.corpus import BODY, BOILERPLATE, JUNK, TEASER, UNKNOWN, Document
from cleanfeed.training.dataset import is_trusted, training_documents
from cleanfeed.training.matrix import first_matrix, second_matrix

Array = npt.NDArray[Any]

FOLDS = 4
#: A network is the mean of several small ones, each fitted on lines of its own drawing: on a fold left out, five of 32
#: units had a log loss of 0.273 on pages labelled line by line where one of 64 had 0.361 and boosted trees 0.275.
MEMBERS = 4
HIDDEN_FIRST, HIDDEN_SECOND = 32, 24
#: Lines drawn, in proportion to their weight, to fit a member, and passes over them. More passes learn the few documents
#: that weigh most by heart: eight raised the log loss above from 0.32 to 0.36.
ROWS, EPOCHS = 300_000, 3
ALPHA = 0.1
#: Aligned labels call a line junk when the published text leaves it out, captions and sub-headings included. A line that
#: networks fitted without it hold for body, or a body line that they hold for junk, is left out of the second step.
_DOUBT_JUNK, _DOUBT_BODY = 0.2, 0.97
#: A document's lines share its weight as if there were at least and at most so many of them.
_LINES_AT_MOST = 30
#: Long body lines weigh more: losing one loses more text, and body characters kept is what counts first.
_LONG, _LONG_WEIGHT = 150, 1.5


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


def four_labels(labels: Array, lexical: Array, rng: np.random.Generator) -> Array:
    """Draw teaser or boilerplate for lines known only to be junk, by what their words say. UNKNOWN stays.

    Args:
        labels: Shape (n_lines,).
        lexical: Log-odds of teaser and of boilerplate. Shape (n_lines, 2).
        rng: Source of the draw.
    """
    chance = 1 / (1 + np.exp(np.clip(lexical[:, 1] - lexical[:, 0], -30, 30)))
    drawn = np.where(rng.random(len(labels)) < chance, TEASER, BOILERPLATE)
    return np.where(labels == JUNK, drawn, labels)


def fit_network(
    matrix: Array, labels: Array, weights: Array, rows: Array, *, hidden: int, seed: int, members: int = MEMBERS
) -> Network:
    """Fit a network on lines drawn in proportion to their weights.

    The logits of the members are averaged, which makes them one network with their hidden units side by side.

    Args:
        matrix: Features. Shape (n_lines, n_features).
        labels: 0 to 3; UNKNOWN lines are never drawn. Shape (n_lines,).
        weights: Shape (n_lines,).
        rows: Lines that may be drawn.
        hidden: Hidden units of each member.
        seed: Seed of the draws and of the fits.
        members: Number of small networks.
    """
    rng = np.random.default_rng(seed)
    usable = rows[(labels[rows] != UNKNOWN) & (weights[rows] > 0)]
    chance = weights[usable] / weights[usable].sum()
    sample = matrix[rng.choice(usable, ROWS, p=chance)]
    centre, scale = sample.mean(axis=0), 1 / np.maximum(sample.std(axis=0), 1e-3)
    network = Network(centre.astype(np.float32), scale.astype(np.float32), [], [])
    fitted = []
    for member in range(members):
        drawn = rng.choice(usable, ROWS, p=chance)
        inputs = network.inputs(np.ascontiguousarray(matrix[drawn].T)).astype(np.float32)
        fitted.append(_fit_member(inputs, labels[drawn], hidden, seed + member))
    first = np.concatenate([coefficients[0] for coefficients, _ in fitted], axis=1)
    second = np.concatenate([coefficients[1] for coefficients, _ in fitted]) / members
    first_bias = np.concatenate([intercepts[0] for _, intercepts in fitted])
    second_bias = np.mean([intercepts[1] for _, intercepts in fitted], axis=0)
    settled, biases = settle([first, second], [first_bias, second_bias])
    return network._replace(weights=settled, biases=biases)


def _fit_member(inputs: Array, labels: Array, hidden: int, seed: int) -> tuple[list[Array], list[Array]]:
    """Weights and biases of one small network with ReLU and a softmax."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier(
        (hidden,), alpha=ALPHA, batch_size=512, learning_rate_init=2e-3, max_iter=EPOCHS, random_state=seed, tol=0.0,
        n_iter_no_change=EPOCHS + 1,
    )  # fmt: skip
    with warnings.catch_warnings():
        # The number of passes is a choice, not a failure to converge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(inputs, labels)
    return classifier.coefs_, classifier.intercepts_


def without_doubtful(lines: TrainingLines, labels: Array, drop: Array) -> Array:
    """Labels with UNKNOWN where an aligned label and networks fitted without the line contradict each other.

    Args:
        lines: The training lines.
        labels: 0 to 3 or UNKNOWN. Shape (n_lines,).
        drop: P(teaser or boilerplate) by networks that never saw the line's fold. Shape (n_lines,).
    """
    aligned = np.array([not is_trusted(document) for document in lines.documents])[lines.owner]
    junk, body = (labels == TEASER) | (labels == BOILERPLATE), labels == BODY
    doubtful = aligned & ((junk & (drop < _DOUBT_JUNK)) | (body & (drop > _DOUBT_BODY)))
    return np.where(doubtful, UNKNOWN, labels)


def _log(started: float, message: str) -> None:
    print(f"{time.perf_counter() - started:7.0f} s  {message}", flush=True)


def fit(data: Path, own: Path, out: Path, *, scale: float = 1.0, jobs: int = 2, seed: int = 1) -> Path:
    """Train the default model from raw data and write it.

    Args:
        data: Folder of the training data (`CLEANFEED_DATA`).
        own: The project's own training documents.
        out: Folder in which the model's folder is written.
        scale: Share of the composed documents to draw; below 1 for a quick trial.
        jobs: Processes that read documents.
        seed: Seed of everything drawn.
    """
    started = time.perf_counter()
    meaning, meaning_step = quantise(words.distil_meaning(data))
    _log(started, "embedding distilled")
    documents, folds = training_documents(data, own, folds=FOLDS, scale=scale, seed=seed)
    lines = gather(documents, folds)
    _log(started, f"{len(documents):,} documents, {len(lines.lines):,} lines")
    hashed = words.hash_lines(lines.lines)
    rarity = words.rarity_of_stems(hashed, lines.owner, len(documents))
    bags = words.bag(hashed, len(lines.lines), words.LEXICON_ROWS, len(SPANS))
    packed_meaning, stored_rarity = pack(meaning), np.rint(rarity * 255).astype(np.uint8)

    def tables_without(fold: int | None) -> tuple[WordTables, Array, Array]:
        rows = np.flatnonzero(lines.fold_of_line != fold)
        lexicon, step = quantise(words.fit_lexicon(bags[rows], lines.labels[rows], lines.weights[rows], seed=seed))
        known = WordTables(pack(lexicon), step, packed_meaning, meaning_step, stored_rarity.astype(np.float32) / np.float32(255))
        return known, lexicon, step

    by_fold = [tables_without(fold)[0] for fold in range(FOLDS)]
    _, lexicon, lexicon_step = tables_without(None)
    _log(started, "lexical tables fitted")
    names, matrix, lexical = first_matrix(documents, lines.fold, by_fold, jobs=jobs)
    labels = four_labels(lines.labels, lexical, np.random.default_rng(seed))
    _log(started, f"first features: {matrix.shape[1]}")

    def first_without(fold: int | None) -> Network:
        rows = np.flatnonzero(lines.fold_of_line != fold)
        return fit_network(matrix, labels, lines.weights, rows, hidden=HIDDEN_FIRST, seed=seed)

    first_by_fold = [first_without(fold) for fold in range(FOLDS)]
    first = first_without(None)
    _log(started, "first networks fitted")
    second_names, second_input = second_matrix(documents, lines.fold, by_fold, first_by_fold, jobs=jobs)
    first_drop = second_input[:, second_names.index("first: drop")]
    labels = without_doubtful(lines, labels, 1 / (1 + np.exp(-first_drop)))
    _log(started, f"second features: {second_input.shape[1]}")

    def second_on(rows: Array) -> Network:
        return fit_network(second_input, labels, lines.weights, rows, hidden=HIDDEN_SECOND, seed=seed)

    # Two halves calibrate each other; the network that ships is fitted on both.
    half = lines.fold_of_line % 2
    unseen = np.empty((len(labels), 4))
    for side in (0, 1):
        network = second_on(np.flatnonzero(half == side))
        others = np.flatnonzero(half != side)
        unseen[others] = network.logits(network.inputs(np.ascontiguousarray(second_input[others].T)))
    trusted = np.array([is_trusted(document) for document in documents])[lines.owner]
    second, calibration = calibrate(second_on(np.arange(len(labels))), unseen, labels, lines.weights * trusted)
    threshold, dial = choose_threshold(unseen, calibration, lines)
    _log(started, f"second network fitted, calibration {calibration}, threshold {threshold}")
    save(
        out / DEFAULT,
        name=DEFAULT,
        arrays={
            "lexicon": lexicon, "lexicon_step": lexicon_step, "meaning": meaning, "meaning_step": meaning_step,
            "rarity": stored_rarity, **_arrays("first", first), **_arrays("second", second),
        },
        names={"first_features": names, "second_features": second_names},
        settings={
            "threshold": threshold, "repeat_weight": REPEAT_WEIGHT, "calibration": calibration, "dial": dial,
            "training": _training(lines, scale, seed),
        },
    )  # fmt: skip
    load(out / DEFAULT)
    _log(started, f"written to {out / DEFAULT}")
    return out / DEFAULT


#: Log-odds of junk per natural logarithm of the number of pages of a site that hold a line; see models/EXPERIMENTS.md.
REPEAT_WEIGHT = 1.0


def _arrays(prefix: str, network: Network) -> dict[str, Array]:
    arrays: dict[str, Array] = {f"{prefix}.centre": network.centre, f"{prefix}.scale": network.scale}
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        # Multiples of 2^-14 within ±16 need 19 bits, which float32 holds exactly.
        arrays[f"{prefix}.weight.{layer}"] = weight.astype(np.float32)
        arrays[f"{prefix}.bias.{layer}"] = bias.astype(np.float32)
    return arrays


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
            **{name: version(name) for name in ("numpy", "scipy", "scikit-learn", "regex")},
        },
    }  # fmt: skip
