"""The training set: real pages, composed documents and the project's own, weighed against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from cleanfeed.training.bank import BankLine
from cleanfeed.training.compose import LISTINGS, Composer
from cleanfeed.training.corpus import Document, labelled
from cleanfeed.training.sources import PAGE, article_of, load_pools, part_of

#: Views that show every block of a page are nearly all junk and ten times as long; a sample of them is enough.
BLOCKS_SHARE = 0.25
#: Composed documents for each language: so many, or fewer where it has few articles.
COMPOSED_ARABIC, COMPOSED_OTHER = 5000, 1000
#: Weight of a whole corpus, as a share of what its number of documents would give (square root of it, so that 2,000
#: pages weigh four times as much as 125, not sixteen). Labels given line by line count more than aligned ones. Own documents
#: at 12 and composed ones at 0.7, where they stood at 6 and 0.4, raised junk F1 at 99.5 % of body from 0.721 to 0.768 and from
#: 0.917 to 0.925 and cost pages read 0.005; heavier still, pages read lost 0.01 (models/EXPERIMENTS.md).
CORPUS_WEIGHT = {"annotated": 6.0, "read": 6.0, "broadcaster": 8.0, "own": 12.0, "composed": 0.7, "turku_linequality": 0.5}

#: Labelled pages whose bodies are surrounded anew with lines of banks.
_SURROUNDED_ANEW = {"annotated", "read", "own"}
_TRUSTED = {"annotated", "read", "broadcaster", "own", "composed"}


def real_documents(data: Path, split: str) -> list[Document]:
    """Labelled pages of ``lines/train`` or ``lines/dev``."""
    documents: list[Document] = []
    for path in sorted((data / "lines" / split).glob("*.jsonl.gz")):
        source = path.name.removesuffix(".jsonl.gz")
        for document in labelled(path, source):
            if source == "broadcaster":
                # Its lists repeat over the pages of one language: no language on two sides of a split.
                document.group = f"broadcaster:{document.lang}"
            documents.append(document)
    return documents


def own_documents(path: Path) -> list[Document]:
    """The project's own documents."""
    return list(labelled(path, "own"))


def composed_documents(
    data: Path, *, measuring: bool, part: int, parts: int, scale: float, seed: int,
    pages: Iterable[Document] = (), bank: Iterable[BankLine] = (),
) -> list[Document]:  # fmt: skip
    """Composed documents of every language there is, ``scale`` times the usual number, for one part of the folds.

    Args:
        data: Folder of the data.
        measuring: Of articles and headlines kept out of training, or of the others.
        part: Number of the part.
        parts: Number of parts.
        scale: Share of the usual number of documents.
        seed: Seed of everything drawn.
        pages: Labelled pages of this part, whose bodies are surrounded anew.
        bank: Lines of banks of this part.
    """
    documents: list[Document] = []
    articles = [article for document in pages if (article := article_of(document))]
    pools = load_pools(data, measuring=measuring, seed=seed, part=part, parts=parts, pages=articles, bank=bank)
    for lang, pool in sorted(pools.items()):
        if len(pool.articles) < 5 or not pool.headlines:
            continue
        most = COMPOSED_ARABIC if lang == "ar" else COMPOSED_OTHER
        count = int(min(most * scale, len(pool.articles) * 3 * scale * parts) / parts)
        # The set that is measured stays the one of earlier results, without listings; general pages have real ones.
        composer = Composer(pool, lang, seed * 100 + part, listings=0.0 if measuring else LISTINGS)
        documents += composer.documents(max(count, 1))
    return documents


def fold_of(group: str, folds: int) -> int:
    """Fold of a group of documents."""
    return part_of("fold " + group, folds)


def fold_group(group: str) -> str:
    """By what a document is put into a fold: its series if it is one of the project's own, else its site.

    A series (`wvara-12`, `wvara-13` ...) has one writer, whose habits a network learns. With series on both sides of the folds,
    the threshold that kept 99.5 % of body kept 97.5 % of new writers'.
    """
    return group.rstrip("0123456789") if group.startswith("own:") else group


def fold_of_line(line: BankLine, folds: int) -> int:
    """Fold of a line of a bank."""
    return part_of("bank " + line.text, folds)


def training_documents(
    data: Path, own: Path, bank: Sequence[BankLine], *, folds: int, scale: float, seed: int
) -> tuple[list[Document], list[int]]:
    """All documents to train on, and the fold of each; a bank's lines stand in documents of their own fold."""
    rng = Random(seed)
    documents: list[Document] = []
    assigned: list[int] = []
    for document in real_documents(data, "train") + own_documents(own):
        if document.view == "blocks" and rng.random() > BLOCKS_SHARE:
            continue
        documents.append(document)
        assigned.append(fold_of(fold_group(document.group), folds))
    chosen = [trusted_corpus(document) in _SURROUNDED_ANEW and document.view != "blocks" for document in documents]
    for part in range(folds):
        composed = composed_documents(
            data, measuring=False, part=part, parts=folds, scale=scale, seed=seed,
            pages=[page for page, fold, taken in zip(documents, assigned, chosen, strict=False) if taken and fold == part],
            bank=[line for line in bank if fold_of_line(line, folds) == part],
        )  # fmt: skip
        documents += composed
        assigned += [part] * len(composed)
    _weigh(documents)
    return documents, assigned


def _weigh(documents: list[Document]) -> None:
    """Give each document its weight: corpora by the square root of their size, views of a page shared among them."""
    sizes: dict[str, int] = {}
    for document in documents:
        key = _corpus(document)
        sizes[key] = sizes.get(key, 0) + 1
    for document in documents:
        corpus = _corpus(document)
        name = corpus.split(":")[0]
        document.weight = CORPUS_WEIGHT.get(name, 1.0) / sizes[corpus] ** 0.5
        if document.view == "blocks":
            document.weight *= 0.5


def trusted_corpus(document: Document) -> str:
    """Corpus of a document whose lines were labelled one by one, or composed so that the labels are certain; else "".

    Aligned labels are neither.
    """
    name = _corpus(document).split(":")[0]
    return name if name in _TRUSTED else ""


def surrounded(document: Document) -> bool:
    """Whether a document was composed around the body of a labelled page."""
    return document.source == f"composed:{PAGE}"


def _corpus(document: Document) -> str:
    if "read" in document.traits:
        return "read"
    return f"composed:{document.lang}" if document.view == "composed" else document.source
