"""The model as a folder: ``model.json`` says what it is, ``weights.npz`` holds arrays. No code, no pickle.

Loading parses, then checks, then builds: nothing is made of a file whose format, digest, shapes or numbers are off.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cleanfeed.features import Described, document_features
from cleanfeed.lexical import pack
from cleanfeed.lines import Block, block_of
from cleanfeed.network import (
    EXACT,
    INPUT_LIMIT,
    PARTS,
    STATE_LIMIT,
    SUMMARY_LIMIT,
    Convolution,
    Layer,
    Member,
    Network,
    softmax,
)
from cleanfeed.reading import WordTables, read_lines
from cleanfeed.tokens import HEAD, SPANS, TAIL
from cleanfeed.unicode import CLASS

FORMAT = 2
LABELS = ("body", "meta", "teaser", "boilerplate")
DEFAULT = "cleanfeed-v1"

Array = npt.NDArray[Any]


class ModelError(ValueError):
    """A model folder that cannot be used; the message says what was expected and what was found."""


@dataclass(frozen=True)
class Scored:
    """What the model says of the lines of a block that are not blank, and what it looked at."""

    probabilities: npt.NDArray[np.float64]
    """P(label), rows in the order of :data:`LABELS`. Shape (4, n_lines)."""
    described: Described


@dataclass(frozen=True)
class Model:
    """A trained classifier. Immutable, safe to share between threads."""

    name: str
    tables: WordTables
    network: Network
    feature_names: tuple[str, ...]
    threshold: float
    """Score (see :func:`weighted_by_length`) from which a line is dropped unless the caller says otherwise."""
    repeat_weight: float
    """Log-odds of junk for each natural logarithm of the documents of a site that share a line."""
    digest: str
    """sha256 of ``weights.npz``."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """The rest of ``model.json``: data, scores, versions."""

    def score(self, block: Block, lines: npt.NDArray[np.int64], document: npt.NDArray[np.int64]) -> Scored:
        """P(label) of the chosen lines of a block, which must be all that are not blank of the documents they are of.

        Args:
            block: The texts.
            lines: Indices of the lines, ascending. Shape (n_lines,).
            document: Document of each of these lines (:func:`cleanfeed.segments.documents_of`). Shape (n_lines,).
        """
        read = read_lines(block, lines, self.tables)
        described = document_features(read, document, self.tables)
        return Scored(self.network.probabilities(described.matrix, described.segments), described)


def with_repeats(probabilities: Array, repeats: Array, weight: float) -> Array:
    """Move P(label) by how many documents of the site hold the line: Bayes' rule with odds that grow as a power.

    Args:
        probabilities: Shape (4, n_lines).
        repeats: Documents of the site with the line, 1 or less where it is alone or nothing is known. Shape (n_lines,).
        weight: Log-odds of teaser and boilerplate per natural logarithm of the count.
    """
    logits = np.log(np.maximum(probabilities, 1e-12))
    logits[2:] += weight * np.log(np.maximum(repeats, 1))
    return np.where(repeats > 1, softmax(logits.T).T, probabilities)


#: A line of this effective length counts once; below the second length all lines weigh alike.
_USUAL_LENGTH, _LEAST_LENGTH = 60.0, 20.0


def weighted_by_length(drop: Array, effective_length: Array) -> Array:
    """Weight P(drop) by what a mistake would cost, which for a body line is its length (Elkan 2001).

    Body is lost by the character and junk is left by the line, so the most junk for the same loss of body goes when the
    odds that a line must exceed grow with its length. Where 99.5 % of body characters stay, junk F1 of documents left out
    rose from 0.26 to 0.38 on general pages, from 0.63 to 0.76 on the project's own and in all other corpora (other powers:
    models/EXPERIMENTS.md). Below the usual length the root is taken: short lines are many, and each one lost is an error
    too. Both are exact in every batch.

    Args:
        drop: P(drop). Shape (n_lines,).
        effective_length: Characters, ideographs counted for more. Shape (n_lines,).
    """
    return drop / (drop + (1 - drop) * cost_of_losing(effective_length))


def cost_of_losing(effective_length: Array) -> Array:
    """What losing a body line of this length costs, in lines of 60 characters. Shape (n_lines,)."""
    length = np.maximum(effective_length, _LEAST_LENGTH) / _USUAL_LENGTH
    return np.maximum(length, np.sqrt(length))


def save(
    folder: Path, *, name: str, arrays: Mapping[str, Array], names: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
    """Write a model folder; the same arrays give the same bytes. Returns the digest of the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    (folder / "weights.npz").write_bytes(buffer.getvalue())
    meta = {
        "format": FORMAT, "name": name, "labels": list(LABELS), "weights_sha256": digest,
        "reading": {"head": HEAD, "tail": TAIL, "spans": list(SPANS), "classes": list(CLASS)}, **names, **settings,
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return digest


def _expect(condition: bool, folder: Path, expected: str, found: object) -> None:
    if not condition:
        raise ModelError(f"{folder}: expected {expected}, found {found}")


def _network(arrays: Mapping[str, Array], folder: Path, n_features: int) -> Network:
    def array(name: str, dtype: type, *shape: int) -> Array:
        found = arrays[name]
        _expect(found.dtype == dtype and found.shape == shape, folder, f"{name} of {shape} {dtype.__name__}", (found.shape, found.dtype))
        return found

    def layer(name: str, n_in: int, n_out: int, limit: int) -> Layer:
        weight = array(f"{name}.weight", np.int8, n_in, n_out).astype(np.float32)
        widest = np.abs(weight).sum(axis=0).max(initial=0) * limit
        _expect(widest < EXACT, folder, f"sums below {EXACT:,} in {name}", f"{widest:,.0f}")
        return Layer(weight, array(f"{name}.scale", np.float32, n_out), array(f"{name}.bias", np.float32, n_out))

    def member(name: str) -> Member:
        width = len(arrays[f"{name}.encoder.bias"])
        dilations = array(f"{name}.dilations", np.int64, sum(key.startswith(f"{name}.summary.") for key in arrays) // 3)
        _expect(bool((dilations > 0).all()), folder, "dilations above 0", dilations)
        convolutions = []
        for number, dilation in enumerate(dilations.tolist()):
            n_summary = len(arrays[f"{name}.summary.{number}.bias"])
            summary = layer(f"{name}.summary.{number}", width, n_summary, STATE_LIMIT)
            context = layer(f"{name}.context.{number}", PARTS * n_summary, width, SUMMARY_LIMIT)
            convolutions.append(Convolution(summary, context, dilation))
        head = layer(f"{name}.head", width, len(LABELS), STATE_LIMIT)
        return Member(layer(f"{name}.encoder", n_features, width, INPUT_LIMIT), tuple(convolutions), head)

    members = tuple(member(key.removesuffix(".dilations")) for key in sorted(arrays) if key.endswith(".dilations"))
    shapes = {tuple((layer.dilation, layer.summary.weight.shape) for layer in member.convolutions) for member in members}
    _expect(len(shapes) == 1, folder, "members of the network that are alike", len(shapes))
    return Network(array("centre", np.float32, n_features), array("scale", np.float32, n_features), members)


def load(folder: Path) -> Model:
    """Read a model folder.

    Raises:
        ModelError: A file is missing or damaged, or made for another version of cleanfeed.
    """
    try:
        meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        data = (folder / "weights.npz").read_bytes()
    except (OSError, RecursionError, ValueError) as error:
        raise ModelError(f"{folder}: expected a folder with model.json and weights.npz ({error})") from error
    if not isinstance(meta, dict):
        raise ModelError(f"{folder}: expected an object in model.json, found {type(meta).__name__}")
    _expect(meta.get("format") == FORMAT, folder, f"format {FORMAT}", meta.get("format"))
    digest = hashlib.sha256(data).hexdigest()
    _expect(digest == meta.get("weights_sha256"), folder, f"weights of sha256 {meta.get('weights_sha256')}", digest)
    reading = {"head": HEAD, "tail": TAIL, "spans": list(SPANS), "classes": list(CLASS)}
    _expect(meta.get("reading") == reading, folder, f"a model that reads lines as {reading}", meta.get("reading"))
    _expect(meta.get("labels") == list(LABELS), folder, f"labels {LABELS}", meta.get("labels"))
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        finite = all(np.isfinite(array).all() for array in arrays.values())
        _expect(finite, folder, "finite weights", "NaN or infinity")
        return _build(meta, arrays, digest, folder)
    except ModelError:
        raise
    except (AttributeError, EOFError, IndexError, KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{folder}: expected a complete model, found none for {error}") from error


def _build(meta: dict[str, Any], arrays: dict[str, Array], digest: str, folder: Path) -> Model:
    lexical = ("lexicon", "first_words", "last_words")
    for table, columns in (*((name, 4) for name in lexical), ("meaning", len(arrays["meaning_step"]))):
        shape = arrays[table].shape
        power_of_two = len(shape) == 2 and shape[0] & (shape[0] - 1) == 0
        _expect(power_of_two and shape[1] == columns and columns % 4 == 0, folder, f"{table} of 2^n rows, {columns} columns", shape)
    tables = WordTables(
        pack(arrays["lexicon"]), arrays["lexicon_step"],
        (pack(arrays["first_words"]), pack(arrays["last_words"])), arrays["edge_steps"],
        pack(arrays["meaning"]), arrays["meaning_step"],
        arrays["rarity"].astype(np.float32) / np.float32(255),
    )  # fmt: skip
    given, computed = tuple(meta["features"]), _feature_names(tables)
    _expect(given == computed, folder, f"the features that this version computes, {len(computed)} of them", _apart(given, computed))
    threshold = float(meta["threshold"])
    _expect(0 <= threshold <= 1, folder, "a threshold from 0 to 1", threshold)
    used = {"features", "format", "labels", "reading", "weights_sha256"}
    return Model(
        name=meta["name"],
        tables=tables,
        network=_network(arrays, folder, len(given)),
        feature_names=given,
        threshold=threshold,
        repeat_weight=float(meta["repeat_weight"]),
        digest=digest,
        about={key: value for key, value in meta.items() if key not in used},
    )


def _feature_names(tables: WordTables) -> tuple[str, ...]:
    """Names of the features that this version computes."""
    block = block_of(["one\nother"])
    return tuple(document_features(read_lines(block, np.arange(2), tables), block.text_of_line, tables).names)


def _apart(given: Sequence[str], computed: Sequence[str]) -> str:
    """Where two lists of names part."""
    place = next((i for i, (one, other) in enumerate(zip(given, computed, strict=False)) if one != other), None)
    return f"{len(given)}" if place is None else f"{given[place]!r} in the place of {computed[place]!r}"


def models_folder() -> Path:
    """Where the bundled models are: inside an installed package, at the top of a checkout."""
    packaged = Path(str(resources.files("cleanfeed") / "models"))
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "models"


@lru_cache(maxsize=4)
def find(name: str) -> Model:
    """The model of that name, or in the folder of that path; ``default`` is the bundled one. Loaded once per process.

    Raises:
        ModelError: There is none, or it cannot be used.
    """
    folder = models_folder() / (DEFAULT if name == "default" else name)
    if not folder.is_dir():
        folder = Path(name)
    if not folder.is_dir():
        known = sorted(path.name for path in models_folder().glob("*") if path.is_dir())
        raise ModelError(f"no model {name!r}: expected a folder with model.json, or one of {', '.join(['default', *known])}")
    return load(folder)
