"""Floors hold, are raised, and are not lowered by the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanfeed.evaluation import floors
from cleanfeed.evaluation.floors import FloorError, Floors, SetFloor


def measured(f1: float = 0.9, sha256: str = "aa", speed: float = 1.0) -> Floors:
    """One set with one figure."""
    return Floors({"own": SetFloor(sha256, 100, {"f1": f1})}, {"ratio": speed})


def test_figures_at_their_floor_or_within_the_noise_pass() -> None:
    """What is equal, better, or as little worse as another processor makes it."""
    for found in (measured(), measured(0.95, speed=2), measured(0.9 - 0.0019, speed=0.61)):
        assert ([], []) == floors.check(measured(), found)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (measured(0.89), "own: f1 fell to 0.8900, its floor is 0.9000"),
        (measured(speed=0.5), "speed: ratio fell to 0.5000, its floor is 1.0000"),
        (measured(sha256="bb"), "own: the data changed"),
        (Floors({"own": SetFloor("aa", 100, {})}, {"ratio": 1}), "own: f1 was not measured"),
    ],
)
def test_what_fell_or_changed_or_is_missing_fails(found: Floors, sentence: str) -> None:
    """Each failure is one sentence that names figure and set."""
    failures, _ = floors.check(measured(), found)
    assert 1 == len(failures)
    assert failures[0].startswith(sentence)


def test_one_document_may_turn_but_not_two() -> None:
    """The share of exact documents moves in steps of a document."""
    pinned = Floors({"own": SetFloor("aa", 100, {"exact": 0.8})})
    one, two = (Floors({"own": SetFloor("aa", 100, {"exact": exact})}) for exact in (0.79, 0.78))
    assert [] == floors.check(pinned, one)[0]
    assert 1 == len(floors.check(pinned, two)[0])


def test_a_set_that_is_not_here_is_passed_over_by_name_but_not_all_of_them() -> None:
    """A gate that checks nothing fails."""
    pinned = Floors({**measured().sets, "annotated": SetFloor("cc", 5, {"f1": 0.8})}, {"ratio": 1.0})
    assert ([], ["annotated: not here"]) == floors.check(pinned, measured())
    failures, _ = floors.check(pinned, Floors({}, {"ratio": 1.0}))
    assert ["nothing was checked: none of the pinned sets is here"] == failures


def test_update_raises_and_keeps_what_fell_within_the_noise() -> None:
    """Small falls do not add up over many updates."""
    assert 0.95 == floors.update(measured(), measured(0.95)).sets["own"].figures["f1"]
    assert 0.9 == floors.update(measured(), measured(0.899)).sets["own"].figures["f1"]


def test_update_refuses_to_lower_a_floor_unless_told() -> None:
    """The refusal names what fell; with the flag the floor is what was measured."""
    with pytest.raises(FloorError, match=r"f1 fell to 0\.8000"):
        floors.update(measured(), measured(0.8))
    assert 0.8 == floors.update(measured(), measured(0.8), allow_regression=True).sets["own"].figures["f1"]


def test_update_keeps_the_floors_of_sets_that_are_not_here() -> None:
    """Whoever has only the project's own documents does not lose the other floors."""
    pinned = Floors({**measured().sets, "annotated": SetFloor("cc", 5, {"f1": 0.8})})
    assert {"own", "annotated"} == set(floors.update(pinned, measured()).sets)


def test_floors_are_written_and_read_again(tmp_path: Path) -> None:
    """A round trip loses nothing and leaves no second file."""
    path = tmp_path / "floors.json"
    floors.save(measured(), path)
    assert measured() == floors.load(path)
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("text", [None, "[", "[]", '{"format": 2}', '{"format": 1, "sets": {"own": {}}, "speed": {}}'])
def test_floors_that_cannot_be_read_are_an_error(tmp_path: Path, text: str | None) -> None:
    """Never an empty set of floors that everything passes."""
    path = tmp_path / "floors.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FloorError):
        floors.load(path)
