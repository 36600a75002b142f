"""Hugging Face datasets: a function for ``Dataset.map(…, batched=True)``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cleanfeed.cleaner import Cleaner
from cleanfeed.engines import clean_values
from cleanfeed.engines.arrow import chunks_of, clean_array, with_column


class CleanBatch:
    """Cleans a column of texts, of batches as dicts of lists or (``with_format("arrow")``) as Arrow tables.

    datasets keeps results under a fingerprint of the function. This one's is made of its settings and of the digest of
    the model: the same in every process, and another one when the model is.

    Args:
        column: The texts.
        into: Where the cleaned texts go; None: in their place.
        bad: Also add a column of this name that tells which values could not be cleaned and stayed as they were.
        model: As for :class:`cleanfeed.Cleaner`.
        threshold: As there.
        drop: As there.
    """

    def __init__(
        self,
        column: str = "text",
        into: str | None = None,
        *,
        bad: str | None = None,
        model: str = "default",
        threshold: float | None = None,
        drop: Collection[str] | None = None,
    ) -> None:
        self._column, self._into, self._bad = column, into or column, bad
        self._settings: dict[str, Any] = {"model": model, "threshold": threshold, "drop": drop}
        if drop is not None:
            # The order in which a set is pickled differs from process to process.
            self._settings["drop"] = sorted([drop] if isinstance(drop, str) else drop)
        self._cleaner = Cleaner(**self._settings)

    def __call__(self, batch: Any) -> Any:
        """The new columns of a batch; nulls stay null."""
        if hasattr(batch, "schema"):
            return self._of_table(batch)
        cleaned = clean_values(self._cleaner, batch[self._column])
        return {self._into: cleaned.values} | ({} if self._bad is None else {self._bad: cleaned.bad})

    def __getstate__(self) -> dict[str, Any]:
        """Settings, and the digest of the model for the sake of the fingerprint."""
        return {**self.__dict__, "_cleaner": self._cleaner.model.digest}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set up again, with the model of this process."""
        self.__dict__.update(state, _cleaner=Cleaner(**state["_settings"]))

    def _of_table(self, table: Any) -> Any:
        import pyarrow as pa

        done = [clean_array(self._cleaner, chunk) for chunk in chunks_of(table.column(self._column))]
        table = with_column(table, self._into, pa.chunked_array([array for array, _ in done]))
        if self._bad is None:
            return table
        flags = [pa.array(cleaned.bad, pa.bool_()) for _, cleaned in done]
        return with_column(table, self._bad, pa.chunked_array(flags))


clean_batch = CleanBatch()
"""``dataset.map(clean_batch, batched=True)`` cleans the column ``text`` as :func:`cleanfeed.clean` does."""
