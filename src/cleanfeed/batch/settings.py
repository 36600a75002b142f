"""What the user asked for, as far as the cleaning itself goes: frozen, and small enough to send to every worker."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cleanfeed import __version__
from cleanfeed.extract import Mode

if TYPE_CHECKING:
    from cleanfeed.cleaner import Cleaner

LABELLED = "labels"
"""In ``Settings.collect``: count lines and characters by label, site and script."""
REJECTS = "rejects"
"""In ``Settings.collect``: keep every dropped line with its label, score and reason."""
SAMPLES = "samples"
"""In ``Settings.collect``: keep some documents whole for the report."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a run that decide what comes out of a document."""

    model: str = "default"
    model_digest: str = ""
    """sha256 of the weights, in hexadecimal."""
    threshold: float | None = None
    drop: tuple[str, ...] | None = None
    field: str = "text"
    """Key or column of the text in records."""
    html_field: str | None = None
    """Key or column that holds HTML; its text goes to ``field``."""
    url_field: str = "url"
    """Key or column that names the page's address, and so its site."""
    encoding: str | None = None
    """Of text, HTML and JSONL files; None detects it."""
    to: str = "same"
    """Output format: ``same`` or one of ``formats.TARGETS``."""
    extraction: Mode = "balanced"
    """How much trafilatura lets through."""
    max_drop: float = 0.9
    """A document that would lose more than this share of its characters is suspect."""
    keep_suspect: bool = False
    """Suspect documents stay whole."""
    repeats: str | None = None
    """Digest of the line counts that serve as evidence; None when there are none."""
    collect: frozenset[str] = frozenset()
    """What to gather beside the cleaned text: ``LABELLED``, ``REJECTS``, ``SAMPLES``."""
    sample_share: float = 1.0
    """Share of the files with one document each that are kept for the report."""

    def resolved(self) -> Settings:
        """The same with the model's own name, digest, threshold and labels in place of defaults.

        Raises:
            ValueError: The threshold is not within 0-1, a label is unknown, or the model cannot be loaded.
        """
        cleaner = cleaner_for(self)
        return replace(
            self,
            model_digest=cleaner.model.digest,
            threshold=float(cleaner.threshold),
            drop=tuple(sorted(cleaner.drop)),
        )

    def identity(self) -> dict[str, Any]:
        """All that decides the bytes of the output, as JSON can hold it; what is gathered beside it does not."""
        values = asdict(self)
        del values["collect"], values["sample_share"]
        values["cleanfeed"] = __version__  # another version may decide otherwise with the same weights
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@lru_cache(maxsize=1)
def _cleaner(model: str, threshold: float | None, drop: tuple[str, ...] | None) -> Cleaner:
    from cleanfeed.cleaner import Cleaner

    return Cleaner(model, threshold=threshold, drop=drop)


def cleaner_for(settings: Settings) -> Cleaner:
    """The cleaner of these settings, built once in each process."""
    return _cleaner(settings.model, settings.threshold, settings.drop)
