"""Floors: figures that may not fall unnoticed.

`benchmarks/floors.json` pins, for each set, the sha256 of its data and its figures, and a few ratios of speed:

    {"format": 1,
     "sets": {"own": {"sha256": "…", "documents": 250, "figures": {"f1": 0.93, "body_kept": 0.994}}},
     "speed": {"characters_against_word_regex": 0.4}}

A check fails when a figure stands more than the noise below its floor, when the data of a set are not those that the
floor was taken on, and when nothing could be checked at all: a gate that checks nothing must not look like one that
passed. A set that is not there is named and passed over, as third-party data are not in a checkout.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FORMAT = 1

NOISE = {"f1": 0.002, "body_kept": 0.001, "exact": 0.002, "recall_at_995": 0.01}
"""Figures that are pinned, and how far they may fall. A machine repeats its figures exactly; another processor sums
floats in another order, which can turn a line that stands on the threshold. On the smallest set, with 650 lines of junk,
one line moves F1 by 0.0008; the threshold of `recall_at_995` hangs on one line and moves recall by more."""

SPEED_NOISE = 0.4
"""Share of a speed ratio. Both sides are timed in the same minute on the same machine, so what is left is caches and
versions: repeated runs on a machine with other work differed by up to a quarter."""


class FloorError(ValueError):
    """Floors that cannot be read, or that would be lowered without being told to."""


@dataclass(frozen=True, slots=True)
class SetFloor:
    """What is pinned of one set."""

    sha256: str
    documents: int
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Floors:
    """All that is pinned, or measured in order to be compared with what is pinned."""

    sets: dict[str, SetFloor] = field(default_factory=dict)
    speed: dict[str, float] = field(default_factory=dict)


def load(path: Path) -> Floors:
    """Read floors.

    Raises:
        FloorError: the file is not there, or not of this format.
    """
    try:
        stored = json.loads(path.read_text("utf-8"))
        if stored["format"] != FORMAT:
            raise FloorError(f"{path}: format {stored['format']!r}, this version reads {FORMAT}")
        return Floors({name: SetFloor(**pinned) for name, pinned in stored["sets"].items()}, stored["speed"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise error if isinstance(error, FloorError) else FloorError(f"{path}: {error!r}") from error


def save(floors: Floors, path: Path) -> None:
    """Write floors, whole or not at all."""
    fresh = path.with_name(f"{path.name}.part")
    fresh.write_text(json.dumps({"format": FORMAT, **asdict(floors)}, indent=2, sort_keys=True) + "\n", "utf-8")
    os.replace(fresh, path)


def check(pinned: Floors, measured: Floors) -> tuple[list[str], list[str]]:
    """Compare what was measured with what is pinned.

    Returns:
        A sentence for each failure, and one for each thing that was passed over.
    """
    failures, passed_over = [], []
    for name, floor in pinned.sets.items():
        if name not in measured.sets:
            passed_over.append(f"{name}: not here")
        elif (found := measured.sets[name]).sha256 != floor.sha256:
            failures.append(f"{name}: the data changed since the floor was taken: sha256 {found.sha256[:12]}…, "
                            f"pinned {floor.sha256[:12]}…; look at the figures and pin them with --update")  # fmt: skip
        else:
            failures += _fallen(name, floor.figures, found.figures, _noise(floor))
    failures += _fallen("speed", pinned.speed, measured.speed, _speed_noise(pinned))
    if not set(pinned.sets) & set(measured.sets):
        failures.append("nothing was checked: none of the pinned sets is here")
    return failures, passed_over


def update(pinned: Floors, measured: Floors, *, allow_regression: bool = False) -> Floors:
    """Raise floors to what was measured; a figure that fell by no more than the noise keeps its floor.

    Raises:
        FloorError: a figure fell by more, naming each one, unless regressions are allowed.
    """
    fallen = []
    sets = dict(pinned.sets)
    for name, found in measured.sets.items():
        floor = pinned.sets.get(name, found)
        fallen += _fallen(name, floor.figures, found.figures, _noise(floor))
        kept = {} if allow_regression else floor.figures
        sets[name] = SetFloor(found.sha256, found.documents, _highest(kept, found.figures))
    fallen += _fallen("speed", pinned.speed, measured.speed, _speed_noise(pinned))
    if fallen and not allow_regression:
        raise FloorError("refused, these would be lowered (--allow-regression does it):\n" + "\n".join(fallen))
    return Floors(sets, _highest({} if allow_regression else pinned.speed, measured.speed))


def _highest(floor: Mapping[str, float], found: Mapping[str, float]) -> dict[str, float]:
    names = sorted({*floor, *found})
    return {name: round(max(side[name] for side in (floor, found) if name in side), 4) for name in names}


def _noise(floor: SetFloor) -> dict[str, float]:
    """Noise of a set's figures; one document that turns must not fail the share of documents exactly right."""
    return {**NOISE, "exact": max(NOISE["exact"], 1.01 / max(1, floor.documents))}


def _speed_noise(floors: Floors) -> dict[str, float]:
    return {name: ratio * SPEED_NOISE for name, ratio in floors.speed.items()}


def _fallen(name: str, floor: Mapping[str, float], found: Mapping[str, float], noise: Mapping[str, float]) -> list[str]:
    """A sentence for each pinned figure that was found lower by more than the noise, or not found."""
    sentences = []
    for figure, pinned in floor.items():
        if figure not in found:
            sentences.append(f"{name}: {figure} was not measured, its floor is {pinned:.4f}")
        elif found[figure] < pinned - noise.get(figure, 0.0):
            sentences.append(f"{name}: {figure} fell to {found[figure]:.4f}, its floor is {pinned:.4f}")
    return sentences
