"""Model folders: what is loaded is what was written, and nothing that is off is loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cleanfeed import Cleaner
from cleanfeed.model import DEFAULT, ModelError, find, load, models_folder, with_repeats


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled model."""
    return Path(shutil.copytree(models_folder() / DEFAULT, tmp_path / "model"))


def edit(folder: Path, **changes: object) -> None:
    meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps(meta | changes), encoding="utf-8")


def rewrite(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change arrays and let the digest agree, so that only the later checks can object."""
    import hashlib

    with np.load(folder / "weights.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    change(arrays)
    np.savez_compressed(folder / "weights.npz", **arrays)
    edit(folder, weights_sha256=hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest())


def test_a_copy_is_the_same_model(folder: Path) -> None:
    """A model loaded by path scores as the bundled one."""
    text = "The council met.\nIt agreed to repair the bridge over the river.\nShare on Facebook"
    assert Cleaner(str(folder)).explain(text) == Cleaner().explain(text)


def test_unknown_model() -> None:
    """A name that is no model raises an error that lists the known ones."""
    with pytest.raises(ModelError, match=DEFAULT):
        find("no such model")


@pytest.mark.parametrize("file", ["model.json", "weights.npz"])
def test_missing_file(folder: Path, file: str) -> None:
    """A folder without one of its files is refused."""
    (folder / file).unlink()
    with pytest.raises(ModelError, match="expected a folder with"):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "expected format 2, found 99"),
        ({"labels": ["body"]}, "expected labels"),
        ({"reading": {}}, "reads lines as"),
        ({"weights_sha256": "0" * 64}, "sha256 0000"),
        ({"features": ["one"]}, "features that this version computes.*found 'one' in the place of 'log length'"),
        ({"features": []}, "features that this version computes.*found 0"),
        ({"threshold": 7}, "a threshold from 0 to 1, found 7"),
        ({"threshold": "high"}, "expected a complete model, found none for could not convert"),
    ],
)
def test_foreign_description(folder: Path, changes: dict[str, object], message: str) -> None:
    """A description made for something else is refused with what was expected and found."""
    edit(folder, **changes)
    with pytest.raises(ModelError, match=message):
        load(folder)


def test_description_without_an_entry(folder: Path) -> None:
    """A description that lacks an entry is refused, naming it."""
    meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    del meta["threshold"]
    (folder / "model.json").write_text(json.dumps(meta), encoding="utf-8")
    with pytest.raises(ModelError, match="threshold"):
        load(folder)


def test_damaged_weights(folder: Path) -> None:
    """One flipped byte is noticed."""
    data = bytearray((folder / "weights.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "weights.npz").write_bytes(bytes(data))
    with pytest.raises(ModelError, match="sha256"):
        load(folder)


def test_weights_that_are_not_numbers(folder: Path) -> None:
    """NaN among the weights is refused."""
    rewrite(folder, lambda arrays: arrays["scale"].__setitem__(0, np.nan))
    with pytest.raises(ModelError, match="finite"):
        load(folder)


def test_weights_of_another_shape(folder: Path) -> None:
    """A table whose rows are no power of two is refused."""
    rewrite(folder, lambda arrays: arrays.__setitem__("lexicon", arrays["lexicon"][:-1]))
    with pytest.raises(ModelError, match="lexicon of 2\\^n rows"):
        load(folder)


def test_missing_weights(folder: Path) -> None:
    """A missing array is named."""
    rewrite(folder, lambda arrays: arrays.__delitem__("rarity"))
    with pytest.raises(ModelError, match="rarity"):
        load(folder)


def test_pickled_weights(folder: Path) -> None:
    """An array that would run code when loaded is refused."""
    rewrite(folder, lambda arrays: arrays.__setitem__("rarity", np.array([{"a": 1}], dtype=object)))
    with pytest.raises(ModelError, match="pickle"):
        load(folder)


def test_repeats_move_only_junk() -> None:
    """A line alone on its site keeps its probabilities; one on many pages moves to teaser and boilerplate."""
    before = np.array([[0.7, 0.7], [0.1, 0.1], [0.1, 0.1], [0.1, 0.1]])
    after = with_repeats(before, np.array([1, 50]), 1.0)
    assert np.allclose(after[:, 0], before[:, 0])
    assert after[2:, 1].sum() > 0.5 and np.isclose(after[:, 1].sum(), 1)
    assert np.isclose(after[0, 1] / after[1, 1], 7)
