"""The sets that the project reports: which files, which views of them, and what is averaged.

A checkout brings the project's own documents. What else there is lies in a folder of third-party data that is not part
of the project, named by the environment variable `CLEANFEED_DATA` (`../shared/data` beside the checkout, unless it is
set); sets whose files are absent are left out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cleanfeed.evaluation.compare import Group
from cleanfeed.evaluation.records import Document, digest, read_all, source_name

NEWS_CORPORA = ("daniel", "l3s_gn1", "fundus", "fundus_eval", "magic_html_article", "zh_elwin", "dragnet")


@dataclass(frozen=True, slots=True)
class Set:
    """One set to measure on.

    Attributes:
        name, about: how reports call it and what it is.
        paths: its files.
        view: the only view to measure, where files hold several of one page.
        by_corpus: whether figures are means over its files, instead of pooled over all lines.
    """

    name: str
    about: str
    paths: tuple[Path, ...]
    view: str | None = None
    by_corpus: bool = False

    def read(self) -> tuple[list[Document], list[str]]:
        """The documents, and a sentence for each record that is not one."""
        documents, problems = read_all(self.paths)
        return [each for each in documents if self.view in (None, each.view)], [str(problem) for problem in problems]

    def group(self, documents: Sequence[Document]) -> Group:
        """All documents of the set as one group."""
        sources = np.array([document.source for document in documents])
        if not self.by_corpus:
            return Group(self.name, (np.arange(len(documents)),))
        return Group(self.name, tuple(np.flatnonzero(sources == source) for source in np.unique(sources)))

    def digest(self) -> str:
        """One sha256 over the contents of the files, in the order of their names, and the view."""
        parts = [f"{source_name(path)} {digest(path)}" for path in sorted(self.paths)]
        return hashlib.sha256("\n".join([*parts, str(self.view)]).encode()).hexdigest()


def standard(project: Path, data: Path | None = None) -> list[Set]:
    """The sets of the project's reports, those that are there.

    Args:
        project: the root of a checkout.
        data: the folder of third-party data, if there is one.
    """
    lines = (data or project / "no data") / "lines" / "dev"
    sets = [
        Set("own", "written for this project in 88 languages, hard on purpose", (_file(own(project), "test"),)),
        Set("annotated", "web pages of all kinds, labelled line by line", (_file(lines, "annotated"),)),
        Set("news", "seven corpora of news pages as trafilatura extracts them, labels by alignment, mean over corpora",
            tuple(_file(lines, name) for name in NEWS_CORPORA), view="traf", by_corpus=True),
        Set("turku", "web text under a stricter idea of quality, labelled by hand", (_file(lines, "turku_linequality"),)),
        Set("composed", "articles with furniture and other stories' headlines put in",
            (_file(project / "build" if data else lines, "composed_dev"),)),
        Set("broadcaster", "a broadcaster's pages in six languages, none of them in the training data",
            (_file(lines, "broadcaster"),)),
    ]  # fmt: skip
    return [each for each in sets if all(path.exists() for path in each.paths)]


def training_files(project: Path, data: Path | None = None) -> tuple[Path, ...]:
    """The files of the training split, for peers that learn."""
    outside: Iterable[Path] = (data / "lines" / "train").glob("*.jsonl.gz") if data else ()
    inside = _file(own(project), "train")
    return tuple(sorted([*outside, *([inside] if inside.exists() else [])]))


def data_folder(project: Path) -> Path | None:
    """The folder of third-party data, if it is there."""
    folder = Path(os.environ.get("CLEANFEED_DATA") or project.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def own(project: Path) -> Path:
    """Where a checkout keeps its own labelled documents."""
    return project / "benchmarks" / "labelled"


def _file(folder: Path, name: str) -> Path:
    """The file of a name, packed or not."""
    packed = folder / f"{name}.jsonl.gz"
    return packed if packed.exists() else folder / f"{name}.jsonl"
