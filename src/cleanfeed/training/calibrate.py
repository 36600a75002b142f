"""Calibration of the second network, and the threshold that keeps the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleanfeed.network import WEIGHT_STEP, Network, on_grid, softmax
from cleanfeed.training.corpus import BODY, BOILERPLATE, TEASER, UNKNOWN
from cleanfeed.training.dataset import is_trusted

if TYPE_CHECKING:
    from cleanfeed.training.fit import TrainingLines

Array = npt.NDArray[Any]

#: Share of body characters that the default threshold keeps on documents the model did not see.
BODY_KEPT = 0.995
#: Temperatures tried: above 1 the network was too sure.
_TEMPERATURES = np.linspace(0.5, 2.0, 31)


def calibrate(network: Network, unseen: Array, labels: Array, weights: Array) -> tuple[Network, dict[str, float]]:
    """Divide the scores by the temperature at which they are likeliest on unseen lines (Guo et al. 2017).

    Args:
        network: The network to calibrate.
        unseen: Scores of lines by networks not fitted on them. Shape (n_lines, 4).
        labels: Shape (n_lines,).
        weights: Shape (n_lines,).

    Returns:
        The network with the division built into its last layer, and what was found.
    """
    known = np.flatnonzero((labels != UNKNOWN) & (weights > 0))
    losses = []
    for temperature in _TEMPERATURES:
        chance = softmax(unseen[known] / temperature)[np.arange(len(known)), labels[known]]
        losses.append(-np.average(np.log(np.maximum(chance, 1e-9)), weights=weights[known]))
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    weights_ = [*network.weights[:-1], on_grid(network.weights[-1] / temperature, WEIGHT_STEP)]
    biases = [*network.biases[:-1], on_grid(network.biases[-1] / temperature, WEIGHT_STEP)]
    found = {"temperature": round(temperature, 3), "log_loss": round(float(min(losses)), 4)}
    return network._replace(weights=weights_, biases=biases), found


def choose_threshold(
    unseen: Array, calibration: dict[str, float], lines: TrainingLines
) -> tuple[float, list[dict[str, float]]]:
    """The least threshold at which unseen training documents keep :data:`BODY_KEPT` of their body characters.

    Returns:
        The threshold, and junk recall and body characters kept along the dial.
    """
    score = softmax(unseen / calibration["temperature"])[:, TEASER : BOILERPLATE + 1].sum(axis=1)
    length = np.array([len(line) for line in lines.lines])
    body, junk = lines.labels == BODY, (lines.labels >= TEASER) & (lines.labels != UNKNOWN)
    trusted = np.array([is_trusted(document) for document in lines.documents])[lines.owner]
    weight = lines.weights * trusted
    dial, threshold = [], 0.95
    for step in np.arange(0.95, 0.04, -0.05):
        dropped = score >= step
        kept = 1 - (weight * length)[body & dropped].sum() / (weight * length)[body].sum()
        recall = weight[junk & dropped].sum() / weight[junk].sum()
        dial.append({"threshold": round(float(step), 2), "body_kept": round(float(kept), 4), "junk_recall": round(float(recall), 4)})
        if kept >= BODY_KEPT:
            threshold = round(float(step), 2)
    return threshold, dial
