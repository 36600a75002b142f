"""Intervals over documents: resample the documents, measure again, look at the spread.

Lines of one document err together, so lines are never resampled, only whole documents. The weights depend on the
seed and the number of documents alone: two systems are measured on the same resamples, and the interval of their
difference is much narrower than their two intervals suggest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cleanfeed.evaluation.metrics import Floats

RESAMPLES = 1000
SEED = 20_240_229


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval that holds 95 % of its resamples."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, figure: Floats) -> Estimate:
        """Summarise a figure measured with each row of `weights`; resamples where it is undefined are left out."""
        value, resampled = float(figure[0]), figure[1:][~np.isnan(figure[1:])]
        if np.isnan(value) or not len(resampled):
            return cls(value, np.nan, np.nan)
        low, high = np.percentile(resampled, (2.5, 97.5))
        return cls(value, float(low), float(high))

    @property
    def half_width(self) -> float:
        """Half the interval, for a table's `±`."""
        return (self.high - self.low) / 2


def weights(n_documents: int, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """How often each document counts: once each in row 0, as drawn with replacement in the rows after it.

    Returns:
        Shape (1 + resamples, n_documents); each row sums to n_documents.
    """
    once = np.ones((1, n_documents))
    if not n_documents:
        return np.repeat(once, 1 + resamples, axis=0)
    generator = np.random.default_rng([seed, n_documents])
    drawn = generator.multinomial(n_documents, np.full(n_documents, 1 / n_documents), resamples)
    return np.concatenate((once, drawn))
