"""cleanfeed inside the engines that corpora are processed on: Spark, Ray Data, datatrove, Hugging Face datasets.

Each module is a few lines over :func:`clean_values`. They read, spread and write; what becomes of a text is decided as
:func:`cleanfeed.clean` decides it, so every engine gives the same bytes. None of them is imported by cleanfeed itself,
and none of them imports its engine before it is used.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from cleanfeed.cleaner import Cleaner
from cleanfeed.lines import Line, join_kept

Counts = Sequence[int] | None
"""How many documents of its site carry each line of a text; None: unknown."""

_BLOCK = 1 << 18
"""Characters put together before they are worked on, as the cleaner itself does."""

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Cleaned(NamedTuple):
    """What :func:`clean_values` made of some values, one entry for each."""

    values: list[Any]
    """Cleaned texts; what is not a text as it was."""
    bad: list[bool]
    """Whether the value is neither a text nor None, or could not be cleaned, and was passed through."""
    lines: list[list[Line]]
    """The lines of each text with label and decision if they were asked for, else empty."""


def clean_values(
    cleaner: Cleaner, values: Sequence[Any], *, repeats: Iterable[Counts] | None = None, explained: bool = False
) -> Cleaned:
    """Clean the texts among values, vectorised over all of them; one bad value does not stop the others.

    Args:
        cleaner: How.
        values: Texts, None and whatever else stands in a column.
        repeats: For each value its line counts, as for :meth:`cleanfeed.Cleaner.clean_many`.
        explained: Give the lines of each text too; takes about three times as long.

    Raises:
        Exception: Not one of several texts could be cleaned: the fault is not in the texts.
    """
    at = [place for place, value in enumerate(values) if isinstance(value, str)]
    texts = [values[place] for place in at]
    counts = None
    if repeats is not None:
        counts = [known for known, value in zip(repeats, values, strict=True) if isinstance(value, str)]
    results: list[Any]
    try:
        results = list(_judge(cleaner, texts, counts, explained))
    except Exception as error:  # whatever a text brings about must not cost the job
        lone = [None] * len(texts) if counts is None else [[known] for known in counts]
        results = [_alone(cleaner, text, known, explained) for text, known in zip(texts, lone, strict=True)]
        if len(results) > 1 and all(result is None for result in results):
            raise
        _LOG.warning("%d of %d texts stay as they are: %r", results.count(None), len(results), error)
    cleaned = Cleaned(list(values), [value is not None for value in values], [[] for _ in values])
    for place, result in zip(at, results, strict=True):
        if result is None:
            continue
        cleaned.bad[place] = False
        cleaned.values[place] = _join(values[place], result) if explained else result
        if explained:
            cleaned.lines[place] = result
    return cleaned


def in_blocks(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut a stream into lists of about 2^18 characters, so that memory stays bounded whatever comes."""
    block: list[T] = []
    held = 0
    for item in items:
        block.append(item)
        held += size(item)
        if held >= _BLOCK:
            yield block
            block, held = [], 0
    if block:
        yield block


def need(module: str, extra: str) -> Any:
    """Import an engine, or say how to install it.

    Raises:
        ImportError: It is not installed; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"cleanfeed.engines.{extra} needs {module.partition('.')[0]}: pip install 'cleanfeed[{extra}]'"
        raise ImportError(message, name=error.name) from error


def _judge(cleaner: Cleaner, texts: Sequence[str], counts: Sequence[Counts] | None, explained: bool) -> Iterator[Any]:
    return (cleaner.explain_many if explained else cleaner.clean_many)(texts, repeats=counts)


def _alone(cleaner: Cleaner, text: str, counts: Sequence[Counts] | None, explained: bool) -> Any:
    """The result for one text, equal to that among others; None where there is none."""
    try:
        return next(_judge(cleaner, [text], counts, explained))
    except Exception:
        return None


def _join(text: str, lines: Sequence[Line]) -> str:
    starts = np.fromiter((line.start for line in lines), np.int64, len(lines))
    return join_kept(text, starts, np.fromiter((not line.dropped for line in lines), np.bool_, len(lines)))
