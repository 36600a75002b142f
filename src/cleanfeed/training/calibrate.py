"""Calibration of the network, and the threshold that keeps the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleanfeed.model import weighted_by_length
from cleanfeed.network import Layer, Network, softmax
from cleanfeed.training.corpus import BODY, BOILERPLATE, TEASER, UNKNOWN
from cleanfeed.training.dataset import surrounded, trusted_corpus

if TYPE_CHECKING:
    from cleanfeed.training.fit import TrainingLines

Array = npt.NDArray[Any]

#: Share of body characters that the default threshold keeps on documents the model did not see: mean over corpora, and of each. The mean
#: alone would let new writers' documents lose 1 % (0.9903 at 0.72) for what the others lose less.
BODY_KEPT, BODY_KEPT_OF_EACH = 0.995, 0.993
#: Temperatures tried: above 1 the network was too sure.
_TEMPERATURES = np.linspace(0.5, 3.0, 51)


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
    found = {"temperature": round(temperature, 3), "log_loss": round(float(min(losses)), 4)}
    members = tuple(member._replace(head=_cooled(member.head, np.float32(temperature))) for member in network.members)
    return network._replace(members=members), found


def _cooled(head: Layer, temperature: np.float32) -> Layer:
    return head._replace(scale=head.scale / temperature, bias=head.bias / temperature)


def drop_score(scores: Array, temperature: float, effective_length: Array) -> Array:
    """What a finished model would say of lines of which these are the scores before calibration. Shape (n_lines,)."""
    drop = softmax(scores / temperature)[:, TEASER : BOILERPLATE + 1].sum(axis=1)
    return weighted_by_length(drop, effective_length)


def choose_threshold(
    unseen: Array, calibration: dict[str, float], lines: TrainingLines, effective_length: Array
) -> tuple[float, list[dict[str, float]]]:
    """The least threshold at which unseen documents keep :data:`BODY_KEPT` of their body characters, and of each corpus not much less.

    Only corpora labelled line by line, or composed, are asked; each counts the same, or the ones with most documents
    would set the dial for all. Pages surrounded anew are left out: their bodies are asked where they come from.

    Args:
        unseen: Scores of lines by networks not fitted on them. Shape (n_lines, 4).
        calibration: From :func:`calibrate`.
        lines: The training lines.
        effective_length: Shape (n_lines,).

    Returns:
        The threshold, and junk recall and body characters kept along the dial.

    Raises:
        ValueError: No document was labelled line by line, or no threshold keeps as much.
    """
    score = drop_score(unseen, calibration["temperature"], effective_length)
    length = np.array([len(line) for line in lines.lines])
    body, junk = lines.labels == BODY, (lines.labels >= TEASER) & (lines.labels != UNKNOWN)
    asked = ["" if surrounded(document) else trusted_corpus(document) for document in lines.documents]
    corpus = np.array(asked)[lines.owner]
    members = [corpus == name for name in sorted(set(corpus.tolist()) - {""})]
    if not members:
        raise ValueError("no documents labelled line by line: there is nothing to choose the threshold by")
    bodies, junks = [body & member for member in members], [junk & member for member in members]
    one = np.ones(len(length))
    steps, threshold = [], None
    for step in np.round(np.arange(0.95, 0.04, -0.01), 2).tolist():
        dropped = score >= step
        each = [1 - _share(length, lines_of_body, dropped) for lines_of_body in bodies]
        kept = np.mean(each)
        recall = np.mean([_share(one, lines_of_junk, dropped) for lines_of_junk in junks])
        steps.append({"threshold": step, "body_kept": round(float(kept), 4), "junk_recall": round(float(recall), 4)})
        if kept >= BODY_KEPT and min(each) >= BODY_KEPT_OF_EACH:
            threshold = step
    if threshold is None:
        highest = steps[0]
        raise ValueError(
            f"threshold {highest['threshold']} keeps {highest['body_kept']:.2%} of body characters: "
            f"{BODY_KEPT:.1%} are wanted, and {BODY_KEPT_OF_EACH:.1%} of each corpus"
        )
    return threshold, [row for row in steps if row["threshold"] == threshold or round(row["threshold"] * 100) % 5 == 0]


def _share(amount: Array, of: Array, dropped: Array) -> float:
    """Share of an amount that is dropped, of the lines asked for."""
    return float(amount[of & dropped].sum() / max(amount[of].sum(), 1))
