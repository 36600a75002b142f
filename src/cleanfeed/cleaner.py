"""`Cleaner` and the two functions over it: split, score, decide, join."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleanfeed.lines import Block, Line, block_of, join_kept, keep_blanks
from cleanfeed.model import LABELS, Model, Scored, find, weighted_by_length, with_repeats
from cleanfeed.reading import inked_lines
from cleanfeed.segments import documents_of, portions

DROP = frozenset({"teaser", "boilerplate"})
#: Characters of text put together before they are scored: enough that calls into NumPy cost little beside the work and two
#: threads seldom wait for each other (with numba 1.55 times one on news; 1.41 with half as many), few enough that a stream of short-lined
#: documents stays at 102 MB resident, or 223 MB with numba, which takes half of that itself.
_BLOCK = 1 << 19

Array = npt.NDArray[Any]


class Cleaner:
    """Settings held and the model loaded once; :func:`clean` and :func:`explain` are shorthand for it.

    Args:
        model: ``"default"``, the name of a bundled model, or the path of a model folder.
        threshold: Score (:attr:`cleanfeed.Line.score`) from which a line goes, 0 to 1; None: the model's own, chosen so that
            99.5 % of body characters stay.
        drop: Labels to drop; None: ``teaser`` and ``boilerplate``.

    Raises:
        ValueError: The threshold is outside 0-1, or a label is unknown.
        ModelError: There is no such model, or its files are damaged.
    """

    def __init__(
        self, model: str = "default", *, threshold: float | None = None, drop: Collection[str] | None = None
    ) -> None:
        self.drop = frozenset(DROP if drop is None else [drop] if isinstance(drop, str) else drop)
        unknown = sorted(map(str, self.drop - set(LABELS)))
        if unknown:
            raise ValueError(f"unknown label {', '.join(unknown)}: labels are {', '.join(LABELS)}")
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"threshold {threshold} is not a probability: give a number from 0 to 1")
        self._source = model
        self.threshold = self.model.threshold if threshold is None else float(threshold)
        self._drops = np.array([label in self.drop for label in LABELS])

    @property
    def model(self) -> Model:
        """The model; loaded once per process, so that a pickled Cleaner is a few bytes."""
        return find(self._source)

    def clean(self, text: str) -> str:
        """The lines of ``text`` that are to stay, verbatim and in order.

        Raises:
            TypeError: ``text`` is not a str.
        """
        return self._clean_block([_checked(text)], None)[0]

    def explain(self, text: str) -> list[Line]:
        """Every line of ``text`` with its label, score, reason and decision.

        Raises:
            TypeError: ``text`` is not a str.
        """
        return self._explain_block([_checked(text)], None)[0]

    def clean_many(
        self, texts: Iterable[str], *, repeats: Iterable[Sequence[int] | None] | None = None
    ) -> Iterator[str]:
        """Clean texts in order, equal to :meth:`clean` one by one, many at once inside.

        Args:
            texts: Any number of texts; no more than a block of them is held.
            repeats: For each text, in how many documents of its site each of its lines stands (as split by
                :func:`cleanfeed.lines.split`), or None where that is not known.
        """
        for block, counts in _blocks(texts, repeats):
            yield from self._clean_block(block, counts)

    def explain_many(
        self, texts: Iterable[str], *, repeats: Iterable[Sequence[int] | None] | None = None
    ) -> Iterator[list[Line]]:
        """Explain texts in order, equal to :meth:`explain` one by one; arguments as for :meth:`clean_many`."""
        for block, counts in _blocks(texts, repeats):
            yield from self._explain_block(block, counts)

    # --- one block ---

    def _decisions(self, block: Block, inked: Array, repeats: Array | None) -> Iterator[tuple[Array, Decision]]:
        """Decide on the lines of a block that are not blank, whole documents of them at a time."""
        document = documents_of(block.text_of_line[inked])
        for portion in portions(document):
            yield inked[portion], self._decide(block, inked[portion], document[portion], repeats)

    def _decide(self, block: Block, lines: Array, document: Array, repeats: Array | None) -> Decision:
        scored = self.model.score(block, lines, document)
        probabilities = scored.probabilities
        if repeats is not None:
            probabilities = with_repeats(probabilities, repeats[lines], self.model.repeat_weight)
        segments, columns = scored.described.segments, scored.described.columns
        drop = np.minimum(probabilities[self._drops].sum(axis=0), 1.0) if not self._drops.all() else np.ones(segments.n_lines)
        drop_score = weighted_by_length(drop, columns["effective length"])
        alone = segments.spread(segments.counts) == 1
        # With nothing beside it a line cannot be told from an article of one line; it stays.
        drop_score[alone] = 0.0
        return Decision(scored, probabilities, drop, drop_score, (drop_score >= self.threshold) & (drop_score > 0), alone)

    def _clean_block(self, texts: list[str], repeats: list[Sequence[int] | None] | None) -> list[str]:
        block = block_of(texts)
        inked = inked_lines(block)
        if not self.drop or not len(inked):
            return texts
        goes = np.concatenate([found.goes for _, found in self._decisions(block, inked, _counts(block, repeats))])
        if not goes.any():
            return texts
        kept = _kept(block, inked, goes)
        bounds = np.searchsorted(block.text_of_line, np.arange(len(texts) + 1))
        cleaned = list(texts)
        for text in np.unique(block.text_of_line[~kept]).tolist():
            lines = slice(bounds[text], bounds[text + 1])
            cleaned[text] = join_kept(texts[text], block.starts[lines] - block.text_starts[text], kept[lines])
        return cleaned

    def _explain_block(self, texts: list[str], repeats: list[Sequence[int] | None] | None) -> list[list[Line]]:
        from cleanfeed.reasons import reasons

        block = block_of(texts)
        inked = inked_lines(block)
        n_lines = len(block.starts)
        labels, scores = np.full(n_lines, len(LABELS)), np.zeros(n_lines)
        said = np.full(n_lines, "", dtype=object)
        goes = np.zeros(n_lines, np.bool_)
        counts = _counts(block, repeats)
        for lines, decision in self._decisions(block, inked, counts):
            goes[lines] = decision.goes
            labels[lines] = decision.probabilities.argmax(axis=0)
            scores[lines] = decision.drop_score
            said[lines] = reasons(self.model, decision.scored.described, decision.goes, self._drops)
            said[lines[~decision.goes & (decision.drop >= self.threshold)]] = "is long: losing it would lose much"
            if counts is not None:
                _tell_repeats(said, counts, lines[decision.goes])
            said[lines[decision.alone]] = "is the only line"
        kept = _kept(block, inked, goes[inked])
        offset = block.text_starts[block.text_of_line]
        names = (*LABELS, "blank")
        explained: list[list[Line]] = [[] for _ in texts]
        for text, start, end, label, score, reason, stays in zip(
            block.text_of_line.tolist(), (block.starts - offset).tolist(), (block.ends - offset).tolist(),
            labels.tolist(), scores.tolist(), said.tolist(), kept.tolist(), strict=True,
        ):  # fmt: skip
            explained[text].append(Line(start, end, names[label], score, reason, not stays))
        return explained


class Decision(NamedTuple):
    """What becomes of some lines that are not blank; arrays of shape (n_lines,)."""

    scored: Scored
    probabilities: Array
    """P(label), repeats considered. Shape (4, n_lines)."""
    drop: Array
    """P(drop)."""
    drop_score: Array
    """P(drop), a line counting by its length."""
    goes: Array
    alone: Array
    """Whether the line is the only one of its text that is not blank."""


def _kept(block: Block, inked: Array, goes: Array) -> Array:
    """Whether each line of the block stays, blank ones included. Shape (n_lines,)."""
    kept = np.ones(len(block.starts), np.bool_)
    blank = kept.copy()
    kept[inked], blank[inked] = ~goes, False
    return keep_blanks(kept, blank, block.text_of_line)


def _tell_repeats(said: Array, counts: Array, dropped: Array) -> None:
    """Name the repetition among what a dropped line was dropped for."""
    for line in dropped[counts[dropped] > 1].tolist():
        said[line] = f"seen on {counts[line]} pages of this site, and {said[line]}"


def _counts(block: Block, repeats: list[Sequence[int] | None] | None) -> Array | None:
    """Repeats of every line of the block, 1 where unknown; None where nothing is known. Shape (n_lines,)."""
    if repeats is None:
        return None
    counts = np.ones(len(block.starts), np.int64)
    lines_of_text = np.bincount(block.text_of_line, minlength=len(repeats))
    first = 0
    for text, known in enumerate(repeats):
        if known is not None:
            if len(known) != lines_of_text[text]:
                raise ValueError(f"repeats has {len(known)} counts for a text of {lines_of_text[text]} lines")
            counts[first : first + len(known)] = known
        first += int(lines_of_text[text])
    return counts


def _checked(text: object) -> str:
    if isinstance(text, str):
        return text
    if isinstance(text, bytes | bytearray):
        raise TypeError(
            "cleanfeed cleans str, not bytes: decode them first, as data.decode('utf-8'); "
            "for HTML, call cleanfeed.extract.extract(data)"
        )
    raise TypeError(f"cleanfeed cleans str, not {type(text).__name__}")


def _blocks(
    texts: Iterable[str], repeats: Iterable[Sequence[int] | None] | None
) -> Iterator[tuple[list[str], list[Sequence[int] | None] | None]]:
    """Cut a stream of texts into blocks of about :data:`_BLOCK` characters."""
    if isinstance(texts, str):
        raise TypeError("clean_many takes several texts, not one str: call clean, or pass [text]")
    pairs = zip(texts, repeat(None)) if repeats is None else zip(texts, repeats, strict=True)
    block: list[str] = []
    counts: list[Sequence[int] | None] = []
    size = 0
    for text, known in pairs:
        block.append(_checked(text))
        counts.append(known)
        size += len(text)
        if size >= _BLOCK:
            yield block, counts if repeats is not None else None
            block, counts, size = [], [], 0
    if block:
        yield block, counts if repeats is not None else None


@lru_cache(maxsize=16)
def _cleaner(threshold: float | None, drop: frozenset[str] | None) -> Cleaner:
    return Cleaner(threshold=threshold, drop=drop)


def clean(text: str, *, threshold: float | None = None, drop: Collection[str] | None = None) -> str:
    """Take the lines that are not the article out of a text.

    The result is made of lines of ``text``, verbatim, in order, terminators included. In doubt a line stays.

    Args:
        text: The text of a web page, one block per line, as an extractor or a crawl gives it.
        threshold: Score from which a line goes, 0 to 1; None: the model's own.
        drop: Labels to drop; None: ``teaser`` and ``boilerplate``.

    Raises:
        TypeError: ``text`` is not a str.
        ValueError: The threshold is outside 0-1, or a label is unknown.

    >>> clean("Nothing but one line.")
    'Nothing but one line.'
    """
    return _settings(threshold, drop).clean(text)


def explain(text: str, *, threshold: float | None = None, drop: Collection[str] | None = None) -> list[Line]:
    """Say of every line of a text what it is, how surely, why, and whether :func:`clean` drops it.

    Arguments and errors as for :func:`clean`.

    >>> [(line.label, line.dropped) for line in explain("Nothing but one line.\\n\\n")][1]
    ('blank', False)
    """
    return _settings(threshold, drop).explain(text)


def _settings(threshold: float | None, drop: Collection[str] | None) -> Cleaner:
    if isinstance(drop, str):
        drop = {drop}
    return _cleaner(threshold, None if drop is None else frozenset(drop))
