"""Two line classifiers that see one line at a time, trained on the data that cleanfeed was trained on.

They are the honest stand-in for published line classifiers, and what they lack shows what a line's context is worth.
Each is trained on first use, in minutes, and kept in the bench's cache under the digest of the training data.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np

from cleanfeed.evaluation.records import JUNK, digest, read_all
from cleanfeed.evaluation.systems import Bench, Peer, Score, Unavailable

LINES_A_VIEW = 20_000
"""At most so many lines of each corpus and view, so that views of whole pages do not drown the rest."""
LINE_CHARACTERS = 1000
SEED = 7
RECIPE = 1
"""Raise it when training changes, so that a cached model of the old recipe is not used."""


def training_lines(paths: tuple[Path, ...]) -> tuple[list[str], list[bool]]:
    """Lines and whether each is junk, drawn evenly from corpora and views; `meta` and null lines are left out."""
    by_view: dict[tuple[str, str | None], list[tuple[str, bool]]] = defaultdict(list)
    for document in read_all(paths)[0]:
        for line, label in zip(document.lines, document.labels, strict=True):
            if line.strip() and (label == "body" or label in JUNK):
                by_view[document.source, document.view].append(
                    (" ".join(line[:LINE_CHARACTERS].split()), label in JUNK)
                )
    draw = random.Random(SEED)
    drawn = [pair for pairs in by_view.values() for pair in draw.sample(pairs, min(len(pairs), LINES_A_VIEW))]
    draw.shuffle(drawn)
    return [line for line, _ in drawn], [junk for _, junk in drawn]


def cached(bench: Bench, name: str) -> Path:
    """Where the model trained on this bench's data is kept.

    Raises:
        Unavailable: there is nothing to train on.
    """
    if not bench.train:
        raise Unavailable("is trained on first use: name labelled files to train it on")
    data = hashlib.sha256("".join(sorted(map(digest, bench.train))).encode()).hexdigest()
    bench.cache.mkdir(parents=True, exist_ok=True)
    stem, ending = name.split(".")
    return bench.cache / f"{stem}-{RECIPE}-{data[:16]}.{ending}"


def load_fasttext(bench: Bench) -> Score:
    """fastText, supervised: words, pairs of words and character 2-4-grams, 16 dimensions; one thread, so repeatable."""
    import fasttext

    path = cached(bench, "fasttext.bin")
    if not path.exists():
        lines, junk = training_lines(bench.train)
        text = path.with_suffix(".txt")
        pairs = zip(lines, junk, strict=True)
        text.write_text("".join(f"__label__{'junk' if bad else 'body'} {line}\n" for line, bad in pairs), "utf-8")
        options: dict[str, float] = {"dim": 16, "minn": 2, "maxn": 4, "wordNgrams": 2, "bucket": 500_000}
        options |= {"lr": 0.5, "epoch": 5, "seed": SEED}
        fresh = path.with_suffix(".part")
        fasttext.train_supervised(str(text), thread=1, verbose=0, **options).save_model(str(fresh))
        fresh.replace(path)  # a run that is stopped half-way leaves no half model
        text.unlink()
    with redirect_stderr(StringIO()):  # it warns on every load that what it returns was of another type once
        model = fasttext.load_model(str(path)).f  # the wrapper's own `predict` fails with NumPy 2

    def score(lines: list[str], lang: str | None) -> list[float]:
        found = [dict(map(reversed, model.predict(" ".join(line.split()) + "\n", 2, 0.0, "replace"))) for line in lines]
        return [min(1.0, labels.get("__label__junk", 0.0)) for labels in found]

    return score


def load_sklearn(bench: Bench) -> Score:
    """Logistic regression by SGD on hashed character 2-4-grams; its weights are kept as arrays, not as a pickle."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    hashed = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=2**20, dtype=np.float32)

    path = cached(bench, "sklearn.npz")
    if not path.exists():
        lines, junk = training_lines(bench.train)
        model = SGDClassifier(loss="log_loss", alpha=1e-6, random_state=SEED).fit(hashed.transform(lines), junk)
        fresh = path.with_suffix(".part.npz")
        np.savez_compressed(fresh, weights=model.coef_[0].astype(np.float32), bias=model.intercept_)
        fresh.replace(path)
    with np.load(path, allow_pickle=False) as stored:
        weights, bias = stored["weights"], stored["bias"]

    def score(lines: list[str], lang: str | None) -> list[float]:
        if not lines:
            return []
        logits = hashed.transform(line[:LINE_CHARACTERS] for line in lines) @ weights + bias
        found: list[float] = (1 / (1 + np.exp(-logits.astype(np.float64)))).tolist()
        return found

    return score


PEERS = [
    Peer("fasttext", "each line alone, same training data", "fasttext-wheel", score=load_fasttext),
    Peer("sklearn", "each line alone, same training data", "scikit-learn", score=load_sklearn),
]
