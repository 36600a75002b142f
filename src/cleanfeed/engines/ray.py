"""Ray Data: a column cleaned by a pool of actors, each of which loads the model once."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from cleanfeed.cleaner import Cleaner
from cleanfeed.engines import need
from cleanfeed.engines.arrow import chunks_of, clean_array, rejects_of, values_of, with_column

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset


class CleanBatch:
    """What an actor does with a batch; for :func:`clean_column` or for ``map_batches(…, batch_format="pyarrow")``.

    Args:
        column: The texts.
        into: Where the cleaned texts go; None: in their place.
        rejects: Also add a column of this name with the dropped lines; takes about three times as long.
        bad: Also add a column of this name that tells which values could not be cleaned and stayed as they were.
        model: As for :class:`cleanfeed.Cleaner`; a path must exist on every node.
        threshold: As there.
        drop: As there.
    """

    def __init__(
        self,
        column: str = "text",
        into: str | None = None,
        rejects: str | None = None,
        *,
        bad: str | None = None,
        model: str = "default",
        threshold: float | None = None,
        drop: Collection[str] | None = None,
    ) -> None:
        self._column, self._into, self._rejects, self._bad = column, into or column, rejects, bad
        self._cleaner = Cleaner(model, threshold=threshold, drop=drop)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch with its texts cleaned; nulls stay null."""
        pa = need("pyarrow", "ray")
        chunks = chunks_of(batch.column(self._column))
        done = [clean_array(self._cleaner, chunk, explained=self._rejects is not None) for chunk in chunks]
        result = with_column(batch, self._into, pa.chunked_array([array for array, _ in done]))
        if self._rejects is not None:
            rejects = [rejects_of(values_of(chunk), cleaned) for chunk, (_, cleaned) in zip(chunks, done, strict=True)]
            result = with_column(result, self._rejects, pa.chunked_array(rejects))
        if self._bad is not None:
            flags = [pa.array(cleaned.bad, pa.bool_()) for _, cleaned in done]
            result = with_column(result, self._bad, pa.chunked_array(flags))
        return result


def clean_column(
    dataset: Dataset,
    column: str = "text",
    *,
    workers: int | tuple[int, int] | None = None,
    num_cpus: float = 1,
    batch_size: int = 1024,
    **settings: Any,
) -> Dataset:
    """Clean a column of texts; nulls stay null, and what cannot be cleaned stays as it is.

    Args:
        dataset: Any dataset; its other columns are passed through.
        column: The texts.
        workers: Actors: a number, or the least and the most; None: as many as Ray finds room for.
        num_cpus: Cores that an actor is reckoned with. If a fixed number of actors reckons up to all cores of the
            cluster, Ray has none to read files with, and waits for ever.
        batch_size: Documents in a batch.
        settings: As for :class:`CleanBatch`.

    Raises:
        ImportError: ray or pyarrow is not installed.
        ValueError: A setting is wrong.
    """
    data = need("ray.data", "ray")
    # Made here too, so that a wrong setting stops the caller and not the actors.
    CleanBatch(column, **settings)
    if isinstance(workers, int):
        pool = data.ActorPoolStrategy(size=workers)
    else:
        pool = data.ActorPoolStrategy(min_size=workers[0], max_size=workers[1]) if workers else None
    return dataset.map_batches(
        CleanBatch,
        fn_constructor_kwargs={"column": column, **settings},
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=pool,
        num_cpus=num_cpus,
    )
