"""The HTML route: pages in, main text out, scored as the public article-extraction benchmark scores it.

The measure is that of scrapinghub/article-extraction-benchmark (`evaluate.py`): precision and recall of runs of four
words, counted with their repetitions and made shares within each page, so that long pages do not outvote short ones;
their means over pages; F1 of the two means. Their tables and ours can be laid side by side. What differs is only the
bootstrap, here seeded.

Three layouts of a folder are read:

| truth                                  | pages                     | known from                                    |
|----------------------------------------|---------------------------|-----------------------------------------------|
| `ground-truth.json`: id -> articleBody | `html/<id>.html[.gz]`     | scrapinghub/article-extraction-benchmark      |
| `ground-truth/<id>.json`: main_content | `html/<id>.html[.gz]`     | Murrough-Foley/web-content-extraction-benchmark |
| `truth.jsonl`: id, body                | `pages/<id>.html[.gz]`    | this project                                  |

In the first, `output/<tool>.json`, the results that the benchmark publishes for other tools, stand in the same table.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cleanfeed.cleaner import Cleaner
from cleanfeed.evaluation import bootstrap
from cleanfeed.evaluation.bootstrap import Estimate
from cleanfeed.evaluation.metrics import Floats
from cleanfeed.extract import MODES, Mode, extract_text

SHINGLE_WORDS = 4
_WITH_CLEANFEED = " + cleanfeed"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its main text; `html` is raw, since guessing the encoding is the extractor's work."""

    id: str
    html: bytes
    truth: str


@dataclass(frozen=True, slots=True)
class PageRow:
    """A system's figures on the pages, with two differences of F1 taken on the same resamples.

    Attributes:
        against: the best row minus this one; None for the best.
        gain: what cleanfeed adds, this row minus the same mode without it; None where it has no part.
    """

    system: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    against: Estimate | None
    gain: Estimate | None
    milliseconds: float | None
    errors: list[str]


def read(folder: Path) -> tuple[list[Page], list[str], dict[str, dict[str, str]]]:
    """Read a folder in one of the layouts above.

    Returns:
        The pages in the order of their ids; a sentence for each entry that cannot be read; and the texts of other
        tools found in `output/`, by tool and page id.

    Raises:
        FileNotFoundError: the folder has none of the layouts.
    """
    if not any((folder / name).exists() for name in ("ground-truth.json", "ground-truth", "truth.jsonl")):
        raise FileNotFoundError(f"{folder} holds no ground-truth.json, ground-truth/ or truth.jsonl")
    pages, problems = [], []
    for name, entry in _entries(folder):
        try:
            page_id, truth = entry()
            pages.append(Page(page_id, _html(folder, page_id), truth))
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            problems.append(f"{name}: {type(error).__name__}: {error}")
    outputs = {}
    for path in sorted((folder / "output").glob("*.json")):
        try:
            found = json.loads(path.read_text("utf-8"))
            outputs[path.stem] = {page.id: found[page.id].get("articleBody") or "" for page in pages}
        except (OSError, ValueError, KeyError, AttributeError) as error:
            problems.append(f"{path.name}: {type(error).__name__}: {error}")
    return sorted(pages, key=lambda page: page.id), problems, outputs


def measure(
    pages: Sequence[Page],
    outputs: dict[str, dict[str, str]] | None = None,
    *,
    cleaner: Cleaner | None = None,
    resamples: int = bootstrap.RESAMPLES,
    seed: int = bootstrap.SEED,
) -> list[PageRow]:
    """Score trafilatura in each mode, alone and with cleanfeed behind it, and the outputs of other tools.

    Rows come best F1 first; `against` tells how sure each distance to the best is.
    """
    rows: list[tuple[str, list[str], float | None, list[str]]] = [
        (name, [texts[page.id] for page in pages], None, []) for name, texts in (outputs or {}).items()
    ]
    cleaner = cleaner or Cleaner()
    for mode in MODES:
        name = "trafilatura" if mode == "balanced" else f"trafilatura {mode}"
        extracted, seconds, errors = _extract(pages, mode)
        rows.append((name, extracted, seconds, errors))
        started = time.perf_counter()
        cleaned = list(cleaner.clean_many(extracted))
        rows.append((f"{name}{_WITH_CLEANFEED}", cleaned, seconds + time.perf_counter() - started, errors))
    weights = bootstrap.weights(len(pages), resamples, seed)
    truths = [page.truth for page in pages]
    scored = [(shingle_figures(truths, texts, weights), name, seconds, errors) for name, texts, seconds, errors in rows]
    scored.sort(key=lambda row: (-row[0]["f1"][0], row[1]))
    best = scored[0][0]["f1"]
    alone = {name + _WITH_CLEANFEED: found["f1"] for found, name, _, _ in scored}
    return [
        PageRow(
            system=name,
            precision=Estimate.of(found["precision"]),
            recall=Estimate.of(found["recall"]),
            f1=Estimate.of(found["f1"]),
            against=None if found["f1"] is best else Estimate.of(best - found["f1"]),
            gain=Estimate.of(found["f1"] - alone[name]) if name in alone else None,
            milliseconds=None if seconds is None else 1000 * seconds / max(1, len(pages)),
            errors=errors,
        )
        for found, name, seconds, errors in scored
    ]


def shingle_figures(truths: Sequence[str], texts: Sequence[str], weights: Floats) -> dict[str, Floats]:
    """Precision, recall and F1 of texts against truths, for each row of document weights.

    A page with an empty text has no precision, one with an empty truth no recall; they are left out of those means,
    as the public benchmark leaves them out.
    """
    shares = np.array([shingle_shares(truth, text) for truth, text in zip(truths, texts, strict=True)]).reshape(-1, 3)
    hit, false, missed = shares.T
    means = {}
    for figure, other in (("precision", false), ("recall", missed)):
        counted = hit + other > 0
        value = np.divide(hit, hit + other, out=np.zeros_like(hit), where=counted)
        means[figure] = (weights @ value) / np.maximum(weights @ counted, 1e-12)
    both = means["precision"] + means["recall"]
    return {**means, "f1": 2 * means["precision"] * means["recall"] / np.maximum(both, 1e-12)}


def shingle_shares(truth: str, text: str) -> tuple[float, float, float]:
    """Shingles right, false and missed, as shares of the three together; all 0 where both sides are empty."""
    true, found = Counter(_shingles(truth)), Counter(_shingles(text))
    hit, false, missed = (true & found).total(), (found - true).total(), (true - found).total()
    whole = max(1, hit + false + missed)
    return hit / whole, false / whole, missed / whole


def _shingles(text: str) -> Iterator[tuple[str, ...]]:
    """Runs of four words; a text of fewer words is one run."""
    words = _WORD.findall(text)
    for start in range(max(1, len(words) - SHINGLE_WORDS + 1) if words else 0):
        yield tuple(words[start : start + SHINGLE_WORDS])


def _extract(pages: Iterable[Page], mode: Mode) -> tuple[list[str], float, list[str]]:
    """Texts of the pages by trafilatura, the seconds it took, and a sentence for each page on which it failed."""
    texts, errors = [], []
    started = time.perf_counter()
    for page in pages:
        try:
            texts.append(extract_text(page.html, mode=mode))
        except Exception as error:
            texts.append("")
            errors.append(f"{page.id}: {type(error).__name__}: {error}")
    return texts, time.perf_counter() - started, errors


def _entries(folder: Path) -> Iterator[tuple[str, Callable[[], tuple[str, str]]]]:
    """The entries of a folder's truth: a name for messages, and a function that gives page id and main text."""
    if (folder / "ground-truth.json").exists():
        for page_id, entry in json.loads((folder / "ground-truth.json").read_text("utf-8")).items():
            yield page_id, partial(_article_body, page_id, entry)
    elif (folder / "ground-truth").is_dir():
        for path in sorted((folder / "ground-truth").glob("*.json")):
            yield path.name, partial(_main_content, path)
    else:
        for number, line in enumerate((folder / "truth.jsonl").read_text("utf-8").split("\n"), start=1):
            if line.strip():
                yield f"truth.jsonl:{number}", partial(_id_and_body, line)


def _article_body(page_id: str, entry: dict[str, str]) -> tuple[str, str]:
    return page_id, entry["articleBody"]


def _main_content(path: Path) -> tuple[str, str]:
    return path.stem, json.loads(path.read_text("utf-8"))["ground_truth"]["main_content"]


def _id_and_body(line: str) -> tuple[str, str]:
    entry = json.loads(line)
    return entry["id"], entry["body"]


def _html(folder: Path, page_id: str) -> bytes:
    base = (folder / "pages" if (folder / "pages").is_dir() else folder / "html") / f"{page_id}.html"
    packed = base.with_name(f"{base.name}.gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else base.read_bytes()
