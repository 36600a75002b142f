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
#: Lines whose inputs are widened to float64 at a time.
_LINES_AT_ONCE = 8192


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
        scaled = (matrix - self.centre[:, None]) * self.scale[:, None]
        np.clip(scaled, -INPUT_LIMIT, INPUT_LIMIT, out=scaled)
        return on_grid(scaled.T, INPUT_STEP)

    def logits(self, inputs: Array) -> Array:
        """Exact scores before the softmax. Shape (n_lines, n_features) → (n_lines, n_labels), float64."""
        values = inputs
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = values @ weight + bias
            if layer < len(self.weights) - 1:
                np.clip(values, 0, HIDDEN_LIMIT, out=values)
                values = on_grid(values, HIDDEN_STEP)
        return values

    def probabilities(self, matrix: Array) -> Array:
        """P(label) of every line. Shape (n_features, n_lines) → (n_labels, n_lines), float64."""
        n_lines = matrix.shape[1]
        result = np.empty((len(self.biases[-1]), n_lines))
        for first in range(0, n_lines, _LINES_AT_ONCE):
            piece = slice(first, min(first + _LINES_AT_ONCE, n_lines))
            result[:, piece] = softmax(self.logits(self.inputs(matrix[:, piece]))).T
        return result


def on_grid(values: Array, step: float) -> Array:
    """The nearest multiples of ``step``, a power of two, as float64."""
    return np.rint(values.astype(np.float64) * (1 / step)) * step


def softmax(logits: Array) -> Array:
    """Row-wise softmax. Shape (n_lines, n_labels)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def settle(weights: Sequence[Array], biases: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Put fitted weights and biases on the grid."""
    return (
        [on_grid(np.clip(weight, -WEIGHT_LIMIT, WEIGHT_LIMIT), WEIGHT_STEP) for weight in weights],
        [on_grid(np.clip(bias, -WEIGHT_LIMIT, WEIGHT_LIMIT), WEIGHT_STEP) for bias in biases],
    )
