"""Systems that clean lines: cleanfeed, and every peer in `peers/`.

A peer is one small module in `peers/` with a list `PEERS`. What it does is one function of a document's lines and
language code; two shapes are known:

    keep(lines: list[str], lang: str | None) -> list[bool]     one flag a line: does it stay?
    score(lines: list[str], lang: str | None) -> list[float]   one P(junk) a line; it goes at 0.5 and above

The second can be measured along its threshold. `load` imports what it needs inside, so that a tool that is not
installed is skipped by name and the others run.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path

from cleanfeed import __version__
from cleanfeed.cleaner import Cleaner
from cleanfeed.evaluation.records import Document
from cleanfeed.lines import Line

Keep = Callable[[list[str], str | None], Sequence[bool]]
Score = Callable[[list[str], str | None], Sequence[float]]

SCORE_THRESHOLD = 0.5
DEFAULT = ("cleanfeed", "keep-all", "trailing-punctuation")
"""What `cleanfeed bench` runs unless told otherwise: needs nothing installed, and takes seconds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a system says of one document's lines; scores speak for dropping, 0 to 1, labels one of `records.LABELS`.

    `failed`: it raised, and all stays.
    """

    kept: Sequence[bool]
    scores: Sequence[float] | None = None
    labels: Sequence[str] | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class System:
    """A system ready to run: `judge` takes up to `block` documents at once and gives a verdict for each."""

    name: str
    judge: Callable[[Sequence[Document]], Iterable[Verdict]]
    version: str = ""
    block: int = 1


@dataclass(frozen=True, slots=True)
class Bench:
    """What a peer may need besides lines: labelled files to train on, and a folder where trained models are kept."""

    train: tuple[Path, ...] = ()
    cache: Path = field(default_factory=lambda: Path.home() / ".cache" / "cleanfeed" / "peers")


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool to compare with.

    Attributes:
        name: how tables call it.
        about: what it does, in a few words.
        package: the distribution it needs, for its version and for the reason when it is skipped.
        keep, score: exactly one of them, a function that loads the tool and returns the function described above.
    """

    name: str
    about: str
    package: str | None = None
    keep: Callable[[Bench], Keep] | None = None
    score: Callable[[Bench], Score] | None = None

    def load(self, bench: Bench) -> System:
        """Make the system ready.

        Raises:
            Unavailable: the tool is not installed, or needs something that this bench has not.
        """
        try:
            judge = partial(_keep_each, self.keep(bench)) if self.keep else partial(_score_each, self._score(bench))
        except ImportError as error:
            raise Unavailable(f"{self.package or self.name} cannot be imported: {error}") from error
        return System(self.name, judge, version_of(self.package))

    def _score(self, bench: Bench) -> Score:
        assert self.score is not None, f"{self.name} has neither keep nor score"
        return self.score(bench)


class Unavailable(Exception):
    """A system that cannot run here; the message says why."""


def peers() -> dict[str, Peer]:
    """All peers by name, in the order of their modules' names."""
    from cleanfeed.evaluation import peers as package

    found: dict[str, Peer] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        found.update({peer.name: peer for peer in importlib.import_module(module.name).PEERS})
    return found


def names() -> list[str]:
    """All names that `load` knows, cleanfeed first."""
    return ["cleanfeed", *peers()]


def load(wanted: Iterable[str], bench: Bench | None = None) -> tuple[list[System], dict[str, str]]:
    """Make systems ready.

    Returns:
        The systems that can run, in the order asked for, and the reason for each one that cannot.
    """
    known, bench = peers(), bench or Bench()
    systems: list[System] = []
    skipped: dict[str, str] = {}
    for name in dict.fromkeys(wanted):
        try:
            if name == "cleanfeed":
                systems.append(cleanfeed())
            elif name in known:
                systems.append(known[name].load(bench))
            else:
                close = difflib.get_close_matches(name, ["cleanfeed", *known], n=1)
                hint = f", did you mean {close[0]}?" if close else f"; known: cleanfeed, {', '.join(known)}"
                skipped[name] = f"unknown system{hint}"
        except Unavailable as reason:
            skipped[name] = str(reason)
        except Exception as error:
            skipped[name] = f"fails to load: {type(error).__name__}: {error}"
    return systems, skipped


def cleanfeed(cleaner: Cleaner | None = None, name: str = "cleanfeed") -> System:
    """cleanfeed itself, many documents at a time."""
    cleaner = cleaner or Cleaner()

    def judge(documents: Sequence[Document]) -> Iterator[Verdict]:
        texts = ("\n".join(document.lines) for document in documents)
        for document, lines in zip(documents, cleaner.explain_many(texts), strict=True):
            yield _verdict(lines, len(document.lines))

    return System(name, judge, f"{__version__}, model {cleaner.model.name}", block=256)


def version_of(package: str | None) -> str:
    """The installed version of a distribution as "name version", or nothing."""
    try:
        return f"{package} {metadata.version(package)}" if package else ""
    except metadata.PackageNotFoundError:
        return package or ""


def _verdict(lines: Sequence[Line], n_lines: int) -> Verdict:
    """Explained lines as a verdict. An empty last line of a document is no line of the joined text: it stays."""
    missing = n_lines - len(lines)
    return Verdict(
        [not line.dropped for line in lines] + [True] * missing,
        [line.score for line in lines] + [0.0] * missing,
        [line.label for line in lines] + ["blank"] * missing,
    )


def _keep_each(keep: Keep, documents: Sequence[Document]) -> Iterator[Verdict]:
    for document in documents:
        yield Verdict(keep(document.lines, document.lang))


def _score_each(score: Score, documents: Sequence[Document]) -> Iterator[Verdict]:
    for document in documents:
        scores = score(document.lines, document.lang)
        yield Verdict([value < SCORE_THRESHOLD for value in scores], scores)
