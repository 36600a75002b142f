"""Fitting one network of the two: the draw of lines, several small networks, and their mean as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cleanfeed.network import Network, settle
from cleanfeed.training.corpus import BOILERPLATE, JUNK, TEASER, UNKNOWN

Array = npt.NDArray[Any]

#: A network is the mean of several small ones, each fitted on lines of its own drawing: on a fold left out, five of 32
#: units had a log loss of 0.273 on pages labelled line by line where one of 64 had 0.361 and boosted trees 0.275.
MEMBERS = 4
#: Lines drawn, in proportion to their weight, to fit a member, and passes over them. More passes learn the few documents
#: that weigh most by heart: eight raised the log loss above from 0.32 to 0.36. Twice as many lines as 300,000 raised the mean
#: junk F1 at the threshold from 0.760 to 0.770, four times as many lowered it on general pages.
ROWS, EPOCHS = 600_000, 3
#: Weight decay. At 1 the log loss on general pages was lower than at 0.1 and on the project's own higher
#: (models/EXPERIMENTS.md); between them is a choice.
ALPHA = 0.3


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


def stored(prefix: str, network: Network) -> dict[str, Array]:
    """Arrays of a network as they are stored."""
    arrays: dict[str, Array] = {f"{prefix}.centre": network.centre, f"{prefix}.scale": network.scale}
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        # Multiples of 2^-14 within ±16 need 19 bits, which float32 holds exactly.
        arrays[f"{prefix}.weight.{layer}"] = weight.astype(np.float32)
        arrays[f"{prefix}.bias.{layer}"] = bias.astype(np.float32)
    return arrays
