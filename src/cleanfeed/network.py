"""Small dense networks whose arithmetic is exact.

A matrix product in floating point depends on the order of its additions, and the order on the number of rows, the
processor and the BLAS at hand: the same line could score differently alone and in a batch. Here inputs, weights and
activations are multiples of fixed powers of two, small enough that every product and every partial sum fits the 53 bits of
a float64. No order of additions can change the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Steps of the grids. Inputs lie within ±INPUT_LIMIT. With 11 bits of input, 19 of weight and 512 addends a sum takes
#: 11 + 19 + 9 = 39 bits; hidden activations take 23 bits and their sums 51.
INPUT_STEP, INPUT_LIMIT = 2.0**-7, 8.0
WEIGHT_STEP, WEIGHT_LIMIT = 2.0**-14, 16.0
HIDDEN_STEP, HIDDEN_LIMIT = 2.0**-10, 4096.0
#: Added to a float64 and taken away again it leaves the nearest multiple of HIDDEN_STEP: the bits below fall off the
#: 52 of the fraction. Halves go to the even multiple, as with `rint`.
_ROUNDER = 1.5 * 2.0**52 * HIDDEN_STEP
#: Lines that pass through a network together: their activations then fit the second-level cache (1 MB).
_LINES_AT_ONCE = 512
#: Multiplications of one product up to which OpenBLAS keeps to the calling thread (65,536 times its threshold of 4). A
#: second thread shortens products as small as ours by little and spins between them: twice the CPU time for 20 % less
#: on the clock, and cores taken from the threads or processes beside.
_ONE_THREAD = 1 << 18
#: Rows that the kernels of OpenBLAS work on at once: with 271 inputs and 192 units a product in stacks of four runs at 101
#: billion operations a second, in stacks of five at 69.
_TILE = 4


class Network(NamedTuple):
    """Standardisation, hidden layers with ReLU, and a softmax."""

    centre: Array
    """Subtracted from each feature. Shape (n_features,), float32."""
    scale: Array
    """Then multiplied. Shape (n_features,), float32."""
    weights: Sequence[Array]
    """Of each layer, on the grid. Shape (n_in, n_out), float64."""
    biases: Sequence[Array]
    """Of each layer, on the grid. Shape (n_out,), float64."""

    def inputs(self, matrix: Array) -> Array:
        """Features standardised and put on the grid. Shape (n_features, n_lines) → (n_lines, n_features), float64."""
        scaled = matrix - self.centre[:, None]
        scaled *= self.scale[:, None]
        np.clip(scaled, -INPUT_LIMIT, INPUT_LIMIT, out=scaled)
        scaled *= 1 / INPUT_STEP  # powers of two: exact in float32 as well
        np.rint(scaled, out=scaled)
        scaled *= INPUT_STEP
        # Line by line in memory: products of columns that lie apart take 2.0 microseconds a line instead of 1.2.
        return scaled.T.astype(np.float64, order="C")

    def logits(self, inputs: Array) -> Array:
        """Exact scores before the softmax. Shape (n_lines, n_features) → (n_lines, n_labels), float64."""
        values = inputs
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = _product(values, weight)
            values += bias
            if layer < len(self.weights) - 1:
                np.clip(values, 0, HIDDEN_LIMIT, out=values)
                values += _ROUNDER
                values -= _ROUNDER
        return values

    def probabilities(self, matrix: Array) -> Array:
        """P(label) of every line. Shape (n_features, n_lines) → (n_labels, n_lines), float64."""
        n_lines = matrix.shape[1]
        result = np.empty((len(self.biases[-1]), n_lines))
        for first in range(0, n_lines, _LINES_AT_ONCE):
            piece = slice(first, min(first + _LINES_AT_ONCE, n_lines))
            result[:, piece] = softmax(self.logits(self.inputs(matrix[:, piece]))).T
        return result


def _product(values: Array, weight: Array) -> Array:
    """``values @ weight`` in stacks of so few rows that BLAS stays on the calling thread."""
    rows = max(_ONE_THREAD // weight.size, 1)
    if rows >= _TILE:
        rows -= rows % _TILE
    whole = len(values) // rows * rows
    product = np.empty((len(values), weight.shape[1]))
    stacks = values[:whole].reshape(-1, rows, len(weight))
    np.matmul(stacks, weight, out=product[:whole].reshape(-1, rows, weight.shape[1]))
    np.matmul(values[whole:], weight, out=product[whole:])
    return product


def on_grid(values: Array, step: float) -> Array:
    """The nearest multiples of ``step``, a power of two, as float64."""
    return np.rint(values.astype(np.float64) * (1 / step)) * step


def softmax(logits: Array) -> Array:
    """Row-wise softmax. Shape (n_lines, n_labels)."""
    columns = np.ascontiguousarray(logits.T)  # four passes over columns, where NumPy would loop over rows of four
    raised = np.exp(columns - columns.max(axis=0))
    raised /= raised.sum(axis=0)
    return raised.T


def settle(weights: Sequence[Array], biases: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Put fitted weights and biases on the grid."""
    return (
        [on_grid(np.clip(weight, -WEIGHT_LIMIT, WEIGHT_LIMIT), WEIGHT_STEP) for weight in weights],
        [on_grid(np.clip(bias, -WEIGHT_LIMIT, WEIGHT_LIMIT), WEIGHT_STEP) for bias in biases],
    )
