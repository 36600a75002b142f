"""Why a line was dropped or kept, in words, from what moved its score.

A group of features is set to its mean over the training data, and the change of the line's log-odds of being dropped is
the group's contribution (occlusion, Zeiler and Fergus 2014). The reason names the group that did most for the decision.
Where that is the first network's opinion of the line itself, the first network is asked in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleanfeed.model import Model, Scored
from cleanfeed.network import Network

Array = npt.NDArray[Any]

#: Group → (prefixes or names of its features; what it says against the line; what it says for it). First match wins.
GROUPS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "first look": (("first: ",), "", ""),
    "neighbours": (
        ("line -", "line +", "6 before", "6 behind", "drop ", "teaser ", "meta ", "log since sure", "log until sure", "run: "),
        "stands among lines that are not the article", "stands among lines of the article",
    ),
    "coherence": (
        ("stems shared", "sum of stems", "meaning like", "meaning nearer"),
        "shares little with the article", "shares words or meaning with the article",
    ),
    "words": (
        ("words say", "words insist", "first words", "last words", "strongest", "positive words", "meaning "),
        "is worded like headlines, links or site furniture", "is worded like an article",
    ),
    "position": (
        ("log lines b", "lines before", "characters be", "log paragraphs", "paragraphs before", "before the first",
         "behind the last", "log since", "log until", "log run", "log read", "body be", "log sure body"),
        "stands where articles have ended", "stands within the article",
    ),
    "repetition": (("log repeats", "opening again"), "is repeated in the document", "is not repeated in the document"),
    "page": (("page", "log lines of page", "log characters of page"), "is on a page that is mostly not an article",
             "is on a page of this kind of text"),
    "form": (("",), "has the form of a headline or a link", "has the form of a sentence or a paragraph"),
}  # fmt: skip


def groups_of(names: Sequence[str]) -> dict[str, npt.NDArray[np.intp]]:
    """Columns of each group. Features carried from the first step count as what they were there."""
    found: dict[str, list[int]] = {group: [] for group in GROUPS}
    for column, name in enumerate(names):
        plain = name.removeprefix("again: ")
        group = next(group for group, (prefixes, _, _) in GROUPS.items() if plain.startswith(prefixes))
        found[group].append(column)
    return {group: np.array(columns, np.intp) for group, columns in found.items() if columns}


def _contributions(network: Network, matrix: Array, names: Sequence[str], drops: Array) -> tuple[list[str], Array]:
    """Change of the log-odds of dropping that each group makes. Shape (n_groups, n_lines)."""
    inputs = network.inputs(matrix)
    whole = _log_odds(network.logits(inputs), drops)
    groups = groups_of(names)
    changes = np.empty((len(groups), len(whole)))
    for row, columns in enumerate(groups.values()):
        kept = inputs[:, columns].copy()
        inputs[:, columns] = 0
        changes[row] = whole - _log_odds(network.logits(inputs), drops)
        inputs[:, columns] = kept
    return list(groups), changes


def _log_odds(logits: Array, drops: Array) -> Array:
    return np.logaddexp.reduce(logits[:, drops], axis=1) - np.logaddexp.reduce(logits[:, ~drops], axis=1)


def reasons(model: Model, scored: Scored, dropped: npt.NDArray[np.bool_], drops: npt.NDArray[np.bool_]) -> list[str]:
    """One reason per line.

    Args:
        model: The model that scored the lines.
        scored: Its scores.
        dropped: The decision. Shape (n_lines,).
        drops: Which of the four labels are to be dropped. Shape (4,).
    """
    if not len(dropped) or not drops.any() or drops.all():
        return ["every label is kept" if not drops.any() else "every label is dropped"] * len(dropped)
    sign = np.where(dropped, 1.0, -1.0)
    names, second = _contributions(model.second, scored.second_inputs, model.second_names, drops)
    first_names, first = _contributions(model.first, scored.first_inputs, model.first_names, drops)
    best = (second * sign).argmax(axis=0)
    best_first = (first * sign).argmax(axis=0)
    said = []
    for line in range(len(dropped)):
        group = names[best[line]]
        if group == "first look":
            group = first_names[best_first[line]]
        _, against, speaks_for = GROUPS[group]
        said.append(against if dropped[line] else speaks_for)
    return said
