"""Fitting a network: documents drawn in proportion to their weight, gradients by JAX, arithmetic as it will be.

Weights and activations are rounded while they are fitted, gradients pass as if they were not (straight-through estimator,
Bengio et al. 2013; quantisation-aware training, Jacob et al. 2018), so that what is fitted is what
:mod:`cleanfeed.network` computes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.network import (
    INPUT_STEP,
    PARTS,
    STATE_LIMIT,
    STEP,
    SUMMARY_LIMIT,
    WEIGHT_LIMIT,
    Convolution,
    Layer,
    Member,
    Network,
    standardised,
    whole_numbers,
)
from cleanfeed.segments import Segments
from cleanfeed.training.corpus import BOILERPLATE, JUNK, TEASER, UNKNOWN

Array = npt.NDArray[Any]
Parameters = dict[str, Any]

#: Networks whose mean is taken, width of a line's state and of its summary there, and the lines before and behind that each
#: convolution reads. On pages by writers new to the model two of 64 units had an area under the curve of 0.950, one 0.942, one of 128
#: 0.943 and four of several kinds 0.954.
MEMBERS, WIDTH, SUMMARY, DILATIONS = 2, 64, 32, (1, 2, 4, 8)
#: Steps of the optimiser, and lines of each. Mean junk F1 at 99.5 % of body on folds left out was 0.764 after 1,500 steps, 0.779 after
#: 4,000, 0.782 after 8,000; between is a choice.
STEPS, LINES = 3000, 4096
#: Of a longer document so many lines in a row are drawn.
_LONGEST = 1024
#: Learning rate at its highest, decay of the weights (AdamW, Loshchilov and Hutter 2019) and share of a layer's results left out at
#: random: with a decay of 0.01 and a share of 0.1 networks were surer of new writers' lines than they should be, with 0.3 they learnt less
#: in 1,500 steps.
_RATE, _DECAY, _DROPOUT, _WARM_UP = 2e-3, 0.1, 0.15, 200


class Sequences(NamedTuple):
    """Lines to learn from, in documents."""

    matrix: Array
    """Features. Shape (n_lines, n_features), float32."""
    labels: Array
    """0 to 3; UNKNOWN lines stand in their documents but teach nothing. Shape (n_lines,), int64."""
    weights: Array
    """Shape (n_lines,), float64."""
    begin: Array
    """First line of each document, and the number of lines. Shape (n_documents + 1,), int64."""

    def rows(self, documents: Array) -> Array:
        """All lines of these documents, in order. Shape (n_lines of them,)."""
        counts = np.diff(self.begin)[documents]
        return np.repeat(self.begin[documents] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


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


def fit_networks(lines: Sequences, chosen: Sequence[Array], *, seed: int, jobs: int, steps: int = STEPS) -> Iterator[Network]:
    """Fit a network on each choice of documents, its members side by side; a fit keeps to one core.

    The same input gives the same networks on one kind of processor. They come in order, each when it is ready.

    Args:
        lines: The training lines.
        chosen: Indices of the documents that each network may learn from.
        seed: Seed of the draws and of the fits.
        jobs: Processes.
        steps: Steps of the optimiser.
    """
    from joblib import Parallel, delayed

    usable = lines._replace(weights=np.where(lines.labels == UNKNOWN, 0.0, lines.weights))
    standard = [_standardisation(usable, documents, np.random.default_rng(seed)) for documents in chosen]
    work = (
        delayed(_fit_member)(usable, documents, known, seed=seed + member, steps=steps)
        for documents, known in zip(chosen, standard, strict=True)
        for member in range(MEMBERS)
    )
    fitted: Iterator[Member] = Parallel(n_jobs=jobs, return_as="generator")(work)
    for centre, scale in standard:
        yield Network(centre, scale, tuple(islice(fitted, MEMBERS)))


def _fit_member(lines: Sequences, documents: Array, standard: tuple[Array, Array], *, seed: int, steps: int) -> Member:
    # With several threads a fit takes little less time, and fits side by side take each other's. Heeded where JAX has not run yet.
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import optax

    rng = np.random.default_rng(seed)
    parameters = _initial(lines.matrix.shape[1], rng)
    schedule = optax.warmup_cosine_decay_schedule(0, _RATE, min(_WARM_UP, steps // 10), steps)
    optimiser = optax.adamw(schedule, weight_decay=_DECAY, mask={name: name.startswith("weight") for name in parameters})

    @jax.jit
    def step(parameters: Parameters, state: Any, batch: Any, key: Any) -> tuple[Parameters, Any]:
        gradients = jax.grad(_loss)(parameters, *batch, key)
        updates, state = optimiser.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state

    state, key = optimiser.init(parameters), jax.random.key(seed, impl="rbg")
    for batch in _batches(lines, documents, standard, rng, steps):
        key, used = jax.random.split(key)
        parameters, state = step(parameters, state, batch, used)
    return _member(jax.device_get(parameters))


def score(network: Network, lines: Sequences, documents: Array) -> Array:
    """Scores of all lines of these documents, in order. Shape (n_lines of them, n_labels), float64."""
    counts = np.diff(lines.begin)[documents]
    scores = []
    for part in np.array_split(np.arange(len(documents)), counts.sum() // (4 * LINES) + 1):
        matrix = lines.matrix[lines.rows(documents[part])]
        scores.append(network.logits(network.inputs(np.ascontiguousarray(matrix.T)), Segments(np.repeat(part, counts[part]))))
    return np.concatenate(scores)


def _standardisation(lines: Sequences, documents: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Mean of each feature and the inverse of its deviation, over lines drawn in proportion to their weights."""
    rows = lines.rows(documents)
    chance = lines.weights[rows] / lines.weights[rows].sum()
    sample = lines.matrix[np.sort(rng.choice(rows, 100_000, p=chance))].astype(np.float64)
    return sample.mean(axis=0).astype(np.float32), (1 / np.maximum(sample.std(axis=0), 1e-3)).astype(np.float32)


def _batches(
    lines: Sequences, documents: Array, standard: tuple[Array, Array], rng: np.random.Generator, steps: int
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Inputs, document, label and weight of :data:`LINES` lines for each step; lines of the last document only fill up."""
    of_document = np.add.reduceat(lines.weights, lines.begin[:-1])[documents]
    chance = of_document / of_document.sum()
    centre, scale = standard
    stock: list[int] = []
    for _ in range(steps):
        rows, owner, shares = [], [], []
        room, number = LINES - 1, 0
        while room > 0:
            if not stock:
                stock = rng.choice(len(documents), 8192, p=chance).tolist()
            place = stock.pop()
            first, end = lines.begin[documents[place]], lines.begin[documents[place] + 1]
            if end - first > _LONGEST:
                first += rng.integers(end - first - _LONGEST + 1)
                end = first + _LONGEST
            if end - first > room:
                stock.append(place)
                break
            rows.append(np.arange(first, end))
            owner.append(np.full(end - first, number))
            shares.append(lines.weights[first:end] / of_document[place])
            room -= end - first
            number += 1
        at = np.concatenate(rows)
        inputs = np.zeros((LINES, lines.matrix.shape[1]), np.float32)
        inputs[: len(at)] = standardised(lines.matrix[at], centre, scale)
        filled = np.full(LINES, LINES - 1, np.int32)
        filled[: len(at)] = np.concatenate(owner)
        label, share = np.zeros(LINES, np.int32), np.zeros(LINES, np.float32)
        label[: len(at)] = np.minimum(lines.labels[at], BOILERPLATE)
        share[: len(at)] = np.concatenate(shares)
        yield inputs * np.float32(INPUT_STEP), filled, label, share


# --- the network in JAX ---


def _initial(n_features: int, rng: np.random.Generator) -> Parameters:
    """Weights drawn by their number of inputs (He et al. 2015), biases of zero."""
    sizes = {"encoder": (n_features, WIDTH, 2.0), "head": (WIDTH, 4, 1.0)}
    for number in range(len(DILATIONS)):
        sizes |= {f"summary.{number}": (WIDTH, SUMMARY, 2.0), f"context.{number}": (PARTS * SUMMARY, WIDTH, 1.0)}
    parameters: Parameters = {}
    for name, (n_in, n_out, gain) in sizes.items():
        parameters[f"weight.{name}"] = rng.normal(scale=(gain / n_in) ** 0.5, size=(n_in, n_out)).astype(np.float32)
        parameters[f"bias.{name}"] = np.zeros(n_out, np.float32)
    return parameters


def _forward(parameters: Parameters, inputs: Any, owner: Any, key: Any) -> Any:
    """Scores of every line, as :meth:`cleanfeed.network.Network.logits` but for what dropout leaves out."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(key, len(DILATIONS) + 1)

    def dropped(values: Any, key: Any) -> Any:
        return values * jax.random.bernoulli(key, 1 - _DROPOUT, values.shape) / (1 - _DROPOUT)

    def layer(name: str, values: Any) -> Any:
        weight = parameters[f"weight.{name}"]
        step = jax.lax.stop_gradient(jnp.maximum(jnp.abs(weight).max(axis=0), 1e-6) / WEIGHT_LIMIT)
        return values @ _rounded(weight, step) + parameters[f"bias.{name}"]

    def settled(values: Any, limit: int) -> Any:
        return _rounded(jnp.clip(values, 0, limit * STEP), STEP)

    states = dropped(settled(layer("encoder", inputs), STATE_LIMIT), keys[0])
    place = _places(owner)
    for number, dilation in enumerate(DILATIONS):
        summary = settled(layer(f"summary.{number}", states), SUMMARY_LIMIT)
        added = layer(f"context.{number}", _around(summary, dilation, owner, place))
        states = settled(states + dropped(jax.nn.relu(added), keys[number + 1]), STATE_LIMIT)
    return layer("head", states)


def _rounded(values: Any, step: Any) -> Any:
    """The nearest multiples of ``step``, with the gradient of the values as they were."""
    import jax
    import jax.numpy as jnp

    return values + jax.lax.stop_gradient(jnp.round(values / step) * step - values)


def _places(owner: Any) -> tuple[Any, Any, Any]:
    """First line of each line's document, lines before it there, and lines of the document."""
    import jax
    import jax.numpy as jnp

    first = jnp.searchsorted(owner, owner, side="left")
    counts = jax.ops.segment_sum(jnp.ones(len(owner)), owner, num_segments=LINES)[owner]
    return first, jnp.arange(len(owner)) - first, counts


def _around(summary: Any, dilation: int, owner: Any, place: tuple[Any, Any, Any]) -> Any:
    """As :class:`cleanfeed.network.Surroundings`."""
    import jax
    import jax.numpy as jnp

    first, rank, counts = place
    lines = jnp.arange(len(owner))

    def shifted(by: int) -> Any:
        there = jnp.clip(lines + by, 0, len(owner) - 1)
        return summary[there] * ((owner[there] == owner) & (there == lines + by))[:, None]

    total = jax.ops.segment_sum(summary, owner, num_segments=LINES)[owner]
    running = jnp.cumsum(summary, axis=0) - summary
    before = running - running[first]
    means = [
        total / counts[:, None],
        before / jnp.maximum(rank, 1)[:, None],
        (total - before - summary) / jnp.maximum(counts - rank - 1, 1)[:, None],
    ]
    return jnp.concatenate([shifted(-dilation), summary, shifted(dilation), *(_rounded(mean, STEP) for mean in means)], axis=1)


def _loss(parameters: Parameters, inputs: Any, owner: Any, label: Any, share: Any, key: Any) -> Any:
    import optax

    losses = optax.softmax_cross_entropy_with_integer_labels(_forward(parameters, inputs, owner, key), label)
    return (losses * share).sum() / share.sum()


def _member(parameters: Parameters) -> Member:
    """The fitted parameters in whole numbers."""

    def layer(name: str, step_in: float, step_out: float) -> Layer:
        return whole_numbers(parameters[f"weight.{name}"], parameters[f"bias.{name}"], step_in=step_in, step_out=step_out)

    convolutions = tuple(
        Convolution(layer(f"summary.{number}", STEP, STEP), layer(f"context.{number}", STEP, STEP), dilation)
        for number, dilation in enumerate(DILATIONS)
    )
    return Member(layer("encoder", INPUT_STEP, STEP), convolutions, layer("head", STEP, 1.0))


def stored(network: Network) -> dict[str, Array]:
    """Arrays of a network as they are stored; whole numbers take a byte."""
    arrays: dict[str, Array] = {"centre": network.centre, "scale": network.scale}
    for place, member in enumerate(network.members):
        layers = {"encoder": member.encoder, "head": member.head}
        for number, convolution in enumerate(member.convolutions):
            layers |= {f"summary.{number}": convolution.summary, f"context.{number}": convolution.context}
        arrays[f"{place}.dilations"] = np.array([convolution.dilation for convolution in member.convolutions], np.int64)
        for name, layer in layers.items():
            found = {"weight": layer.weight.astype(np.int8), "scale": layer.scale, "bias": layer.bias}
            arrays |= {f"{place}.{name}.{part}": array for part, array in found.items()}
    return arrays
