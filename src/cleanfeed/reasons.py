"""Why a line was dropped or kept, in words, from what moved its score.

A group of features is set to its mean over the training data in all lines of the document, and the change of the line's
log-odds of being dropped is the group's contribution (occlusion, Zeiler and Fergus 2014). What the lines around say is
found by reading the line, its features as they are but for those of its neighbours, as a document of its own. The reason names
what did most for the decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleanfeed.features import Described
from cleanfeed.model import Model
from cleanfeed.segments import Segments

Array = npt.NDArray[Any]

#: Group → (prefixes or names of its features; what it says against the line; what it says for it). First match wins.
GROUPS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "neighbours": (
        ("line -", "line +"),
        "stands among lines that are not the article", "stands among lines of the article",
    ),
    "coherence": (
        ("stems shared", "sum of stems", "meaning like"),
        "shares little with the article", "shares words or meaning with the article",
    ),
    "words": (
        ("words say", "words insist", "first words", "last words", "strongest", "positive words", "meaning "),
        "is worded like headlines, links or site furniture", "is worded like an article",
    ),
    "position": (
        ("log lines b", "lines before", "characters be", "log paragraphs", "paragraphs before", "before the first",
         "behind the last", "log since", "log until", "log run", "log read"),
        "stands where articles have ended", "stands within the article",
    ),
    "repetition": (("log repeats", "opening again"), "is repeated in the document", "is not repeated in the document"),
    "page": (("page", "log lines of page", "log characters of page"), "is on a page that is mostly not an article",
             "is on a page of this kind of text"),
    "form": (("",), "has the form of a headline or a link", "has the form of a sentence or a paragraph"),
}  # fmt: skip


def groups_of(names: Sequence[str]) -> dict[str, npt.NDArray[np.intp]]:
    """Columns of each group."""
    found: dict[str, list[int]] = {group: [] for group in GROUPS}
    for column, name in enumerate(names):
        group = next(group for group, (prefixes, _, _) in GROUPS.items() if name.startswith(prefixes))
        found[group].append(column)
    return {group: np.array(columns, np.intp) for group, columns in found.items()}


def _contributions(model: Model, described: Described, drops: Array) -> Array:
    """Change of the log-odds of dropping that each group makes. Shape (n_groups, n_lines)."""
    network, segments = model.network, described.segments
    inputs = network.inputs(described.matrix)

    def log_odds(inputs: Array, segments: Segments) -> Array:
        logits = network.logits(inputs, segments)
        return np.logaddexp.reduce(logits[:, drops], axis=1) - np.logaddexp.reduce(logits[:, ~drops], axis=1)

    whole, alone = log_odds(inputs, segments), Segments(np.arange(segments.n_lines))
    changes = []
    for group, columns in groups_of(model.feature_names).items():
        kept = inputs[:, columns]
        inputs[:, columns] = 0
        changes.append(whole - log_odds(inputs, alone if group == "neighbours" else segments))
        inputs[:, columns] = kept
    return np.array(changes)


def reasons(model: Model, described: Described, dropped: npt.NDArray[np.bool_], drops: npt.NDArray[np.bool_]) -> list[str]:
    """One reason per line.

    Args:
        model: The model that scored the lines.
        described: What it looked at.
        dropped: The decision. Shape (n_lines,).
        drops: Which of the four labels are to be dropped. Shape (4,).
    """
    if not len(dropped) or not drops.any() or drops.all():
        return ["every label is kept" if not drops.any() else "every label is dropped"] * len(dropped)
    changes = _contributions(model, described, drops) * np.where(dropped, 1.0, -1.0)
    said = [(against, speaks_for) for _, against, speaks_for in GROUPS.values()]
    return [said[group][not goes] for group, goes in zip(changes.argmax(axis=0).tolist(), dropped.tolist(), strict=True)]
