"""The network: convolutions over the lines of a document, whose arithmetic is exact.

Every line's features pass a dense layer. Then convolutions, each adding to what is known of the line (He et al. 2015), read a
short summary of it, of the lines a certain way before and behind (dilated convolution, Yu and Koltun 2016; over sequences,
Bai et al. 2018), and the means over all lines before it, behind it and of the document: junk comes in runs and a body ends
once, but blocks in the middle exist, and what a page is shows in all of it. There is no pass over the lines one after
the other.

A matrix product in floating point depends on the order of its additions, and the order on the number of rows, the
processor and the BLAS at hand: the same line could score differently alone and in a batch. Here inputs, weights and
activations are small whole numbers (Jacob et al. 2018), so that every product and every partial sum fits the 24 bits of
a float32. No order of additions can change the result; what follows a product is done number by number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.segments import Segments, portions

Array = npt.NDArray[Any]

#: Inputs are standardised features in steps of 1/32, up to 4 standard deviations: clipping at 2 moved no figure.
INPUT_STEP, INPUT_LIMIT = 2.0**-5, 128
#: Activations are multiples of 1/64, of a line up to 16 and of its summary up to 8.
STEP = 2.0**-6
STATE_LIMIT, SUMMARY_LIMIT = 1023, 512
#: Summaries that a convolution reads: of the line before, the line, the line behind, and three means.
PARTS = 6
#: Weights are whole numbers, by a scale for each column. Sums over up to 128 states of 1,023, or 192 summaries of 512, by 127 stay
#: below the 2^24 up to which float32 holds every whole number; :func:`cleanfeed.model.load` refuses wider ones.
WEIGHT_LIMIT = 127
#: Whole numbers up to this are exact in float32.
EXACT = 1 << 24
#: So many summaries can be added up.
LINES_AT_MOST = EXACT // SUMMARY_LIMIT
#: Lines that pass through the network together, if their documents are no longer. With 512 two threads wait for each other at more calls
#: (news 1.21 times one thread, with 4,096 1.44 to 1.53); with 8,192 short-lined documents take a fifth longer.
_LINES_AT_ONCE = 4096
#: Multiplications of one product up to which OpenBLAS keeps to the calling thread (65,536 times its threshold of 4). A
#: second thread shortens products as small as ours by little and spins between them: twice the CPU time for 20 % less
#: on the clock, and cores taken from the threads or processes beside.
_ONE_THREAD = 1 << 18
#: Rows that the kernels of OpenBLAS work on at once.
_TILE = 4


class Layer(NamedTuple):
    """A dense layer in whole numbers: ``(values @ weight) * scale + bias``."""

    weight: Array
    """Whole numbers within ±:data:`WEIGHT_LIMIT`. Shape (n_in, n_out), float32."""
    scale: Array
    """Steps of the result that one unit of the product is worth. Shape (n_out,), float32."""
    bias: Array
    """In steps of the result. Shape (n_out,), float32."""

    def __call__(self, values: Array) -> Array:
        """Whole numbers of shape (n_lines, n_in) → steps, not rounded, of shape (n_lines, n_out), float32."""
        result = _product(values, self.weight)
        result *= self.scale
        result += self.bias
        return result


class Convolution(NamedTuple):
    """One convolution: a summary of every line, and what the summaries around a line add to it."""

    summary: Layer
    """From a line's state. Shape (width, n)."""
    context: Layer
    """From the summaries around a line. Shape (:data:`PARTS` * n, width)."""
    dilation: int
    """How many lines away the lines before and behind are read."""


class Member(NamedTuple):
    """A dense layer with ReLU, residual convolutions, and scores of the labels."""

    encoder: Layer
    """From features to a line's state. Shape (n_features, width)."""
    convolutions: tuple[Convolution, ...]
    head: Layer
    """From states to scores. Shape (width, n_labels)."""


class Network(NamedTuple):
    """Standardisation, and the mean of a few members' scores."""

    centre: Array
    """Subtracted from each feature. Shape (n_features,), float32."""
    scale: Array
    """Then multiplied. Shape (n_features,), float32."""
    members: tuple[Member, ...]
    """Alike in their shapes and dilations, so that they take their steps together."""

    def inputs(self, matrix: Array) -> Array:
        """Features standardised, in whole steps. Shape (n_features, n_lines) → (n_lines, n_features), float32 in and out."""
        return np.ascontiguousarray(standardised(matrix, self.centre[:, None], self.scale[:, None]).T)

    def logits(self, inputs: Array, segments: Segments) -> Array:
        """Exact scores before the softmax.

        Args:
            inputs: From :meth:`inputs`. Shape (n_lines, n_features).
            segments: The documents that the lines stand in.

        Returns:
            Shape (n_lines, n_labels), float64.

        Raises:
            ValueError: A document has more than :data:`LINES_AT_MOST` lines.
        """
        if segments.counts.max(initial=0) > LINES_AT_MOST:
            raise ValueError(f"a document of {segments.counts.max():,} lines: sums over more than {LINES_AT_MOST:,} are not exact")
        scores = np.empty((segments.n_lines, len(self.members[0].head.bias)))
        for piece in portions(segments.segment, _LINES_AT_ONCE):
            scores[piece] = self._logits(inputs[piece], Surroundings(Segments(segments.segment[piece])))
        return scores

    def _logits(self, inputs: Array, around: Surroundings) -> Array:
        states = _settled(np.stack([member.encoder(inputs) for member in self.members]), STATE_LIMIT)
        for layers in zip(*(member.convolutions for member in self.members), strict=True):
            summaries = np.stack([layer.summary(state) for layer, state in zip(layers, states, strict=True)])
            found = around(_settled(summaries, SUMMARY_LIMIT), layers[0].dilation)
            for layer, state, read in zip(layers, states, found, strict=True):
                added = layer.context(read)
                state += np.maximum(added, 0, out=added)
            _settled(states, STATE_LIMIT)
        heads = np.stack([member.head(state) for member, state in zip(self.members, states, strict=True)])
        return heads.astype(np.float64).mean(axis=0)

    def probabilities(self, matrix: Array, segments: Segments) -> Array:
        """P(label) of every line. Shape (n_features, n_lines), float32 → (n_labels, n_lines), float64."""
        return np.ascontiguousarray(softmax(self.logits(self.inputs(matrix), segments)).T)


def standardised(features: Array, centre: Array, scale: Array) -> Array:
    """Features in whole steps of :data:`INPUT_STEP`. Shapes that fit each other, float32 in and out."""
    steps = features - centre
    steps *= scale
    steps *= 1 / INPUT_STEP
    np.clip(steps, -INPUT_LIMIT, INPUT_LIMIT, out=steps)
    return np.rint(steps, out=steps)


class Surroundings:
    """What stands around each line.

    :class:`Segments` shifts and adds up along the last axis, which here would be turned for each convolution and back for each product:
    1.1 microseconds a line for 32 numbers instead of 0.5.

    Args:
        segments: The documents that the lines stand in, no more than :data:`LINES_AT_MOST` lines in all.
    """

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        counts = (segments.counts, np.maximum(segments.rank, 1), np.maximum(segments.rank_from_end, 1))
        self._per_text, self._per_before, self._per_behind = ((np.float32(1) / n.astype(np.float32))[:, None] for n in counts)

    def __call__(self, summary: Array, dilation: int) -> Array:
        """Summaries side by side: of the line before, the line, the line behind, and the means of the document, before and behind.

        Args:
            summary: Whole numbers up to :data:`SUMMARY_LIMIT`, of each member. Shape (n_members, n_lines, n), float32.
            dilation: How many lines away the lines before and behind are; past the ends of a document are zeros.

        Returns:
            Whole numbers. Shape (n_members, n_lines, PARTS * n), float32.
        """
        segments, (n_members, n_lines, width) = self._segments, summary.shape
        parts = np.empty((n_members, n_lines, PARTS, width), np.float32)
        parts[:, dilation:, 0] = summary[:, :-dilation]
        parts[:, segments.rank < dilation, 0] = 0
        parts[:, :, 1] = summary
        parts[:, :-dilation, 2] = summary[:, dilation:]
        parts[:, segments.rank_from_end < dilation, 2] = 0
        total = np.add.reduceat(summary, segments.begin, axis=1)
        before = np.cumsum(summary, axis=1)  # exact: no more lines pass together than can be added up
        before -= summary
        before -= before[:, segments.begin].repeat(segments.counts, axis=1)
        behind = total.repeat(segments.counts, axis=1)
        behind -= before
        behind -= summary
        parts[:, :, 3] = np.rint(total * self._per_text).repeat(segments.counts, axis=1)
        before *= self._per_before
        np.rint(before, out=parts[:, :, 4])
        behind *= self._per_behind
        np.rint(behind, out=parts[:, :, 5])
        return parts.reshape(n_members, n_lines, PARTS * width)


def _settled(values: Array, limit: int) -> Array:
    """ReLU and the nearest whole step, in place."""
    np.clip(values, 0, limit, out=values)
    return np.rint(values, out=values)


def _product(values: Array, weight: Array) -> Array:
    """``values @ weight`` in stacks of so few rows that BLAS stays on the calling thread."""
    rows = max(_ONE_THREAD // weight.size, 1)
    if rows >= _TILE:
        rows -= rows % _TILE
    whole = len(values) // rows * rows
    product = np.empty((len(values), weight.shape[1]), np.float32)
    stacks = values[:whole].reshape(-1, rows, len(weight))
    np.matmul(stacks, weight, out=product[:whole].reshape(-1, rows, weight.shape[1]))
    np.matmul(values[whole:], weight, out=product[whole:])
    return product


def whole_numbers(weight: Array, bias: Array, *, step_in: float, step_out: float) -> Layer:
    """A fitted layer put on the grid, each column by its own greatest weight.

    Args:
        weight: Shape (n_in, n_out).
        bias: Shape (n_out,).
        step_in: Step of the values that the layer reads.
        step_out: Step of the values that it gives.

    Returns:
        Arrays of float32.
    """
    step = np.maximum(np.abs(weight).max(axis=0), 1e-6) / WEIGHT_LIMIT
    return Layer(
        np.rint(weight / step).astype(np.float32),
        (step * step_in / step_out).astype(np.float32),
        (bias / step_out).astype(np.float32),
    )


def softmax(logits: Array) -> Array:
    """Row-wise softmax. Shape (n_lines, n_labels)."""
    columns = np.ascontiguousarray(logits.T)  # four passes over columns, where NumPy would loop over rows of four
    raised = np.exp(columns - columns.max(axis=0))
    raised /= raised.sum(axis=0)
    return raised.T
