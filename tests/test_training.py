"""Training: alignment, composition, weights, and that networks and tables learn what they are shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

from cleanfeed import Cleaner
from cleanfeed.network import Network
from cleanfeed.segments import Segments
from cleanfeed.training.align import align, align_file
from cleanfeed.training.bank import read_banks
from cleanfeed.training.calibrate import calibrate
from cleanfeed.training.compose import STYLES, Composer
from cleanfeed.training.corpus import BODY, BOILERPLATE, JUNK, META, TEASER, UNKNOWN, Document, labelled, relabelled
from cleanfeed.training.dataset import fold_group, fold_of, fold_of_line, trusted_corpus
from cleanfeed.training.sources import Article, Pool, article_of, paragraphs_of, part_of, same_subject

ROOT = Path(__file__).parents[1]


def pool() -> Pool:
    """A small pool of made-up articles about bridges and gardens."""
    articles = [
        Article(
            "made-up", "en", f"Bridge number {n} is repaired",
            [f"The council of town {n} met, and after a long debate, it agreed to repair the bridge over the river. "
             f"Work begins in spring, says mayor {n}." for _ in range(6)],
        )
        for n in range(20)
    ]  # fmt: skip
    headlines = [f"Gardeners win prize {n}" for n in range(40)] + ["Bridge toll rises again", "Old bridge draws crowds"]
    return Pool(articles, headlines, ["Share", "Log in", "All rights reserved"], ["Related"], ["Read also:"], {"bridge": [40, 41]})


def test_align_by_hand() -> None:
    """A line in the truth is body, a foreign one junk, a half-and-half one neither, an empty one neither."""
    truth = "The council met on Monday and agreed to repair the bridge over the river."
    lines = ["The council met on Monday", "Ten cats that look like actors", "agreed to repair the old mill of the town", "***"]
    assert align(lines, truth) == ["body", "junk", None, None]


def test_align_short_and_unspaced_lines() -> None:
    """A line of two words is looked up as a pair, and ideographs are tokens of their own."""
    assert align(["the bridge", "bridge the"], "repair the bridge") == ["body", "junk"]
    assert align(["今天天气很好", "登录注册"], "他说今天天气很好。") == ["body", "junk"]


def test_align_file_reports_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record without its text is named and left out; the others are written."""
    sentence = "The council met on Monday and agreed to repair the old bridge over the river before the winter comes. "
    page = "<html><body><article>" + "".join(f"<p>{sentence * 3} Part {n}.</p>" for n in range(4)) + "</article></body></html>"
    good = {"id": "a", "html": page, "text": " ".join(f"{sentence * 3} Part {n}." for n in range(4))}
    pages = tmp_path / "pages.jsonl"
    pages.write_text(json.dumps(good) + "\n" + json.dumps({"id": "b", "html": page}) + "\n", encoding="utf-8")
    assert align_file(pages, tmp_path / "lines.jsonl") == 1
    (record,) = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text(encoding="utf-8").splitlines()]
    assert record["id"] == "a" and set(record["labels"]) == {"body"}
    assert re.search(r"pages\.jsonl:2: 'text' is not a string", capsys.readouterr().err)


def test_composition_repeats() -> None:
    """The same seed composes the same documents, another seed others."""
    first = [(d.lines, d.labels) for d in Composer(pool(), "en", 1).documents(50)]
    assert first == [(d.lines, d.labels) for d in Composer(pool(), "en", 1).documents(50)]
    assert first != [(d.lines, d.labels) for d in Composer(pool(), "en", 2).documents(50)]


def test_composition_shows_what_it_promises() -> None:
    """Clean documents are a good third, and every shape of junk and of article endings turns up."""
    documents = list(Composer(pool(), "en", 3).documents(600))
    assert all(len(d.lines) == len(d.labels) and all(line.strip() for line in d.lines) for d in documents)
    clean_ones = sum(not {TEASER, BOILERPLATE} & set(d.labels) for d in documents)
    assert 0.3 < clean_ones / len(documents) < 0.45
    shown = {trait for d in documents for trait in d.traits}
    assert {"clean", "tail", "same subject", "block inside", "inline", "before", "blurbs", "short ending", "no article", "listing"} <= shown
    assert {f"style: {name}" for name in STYLES} <= shown
    assert any(META in d.labels for d in documents)


def test_own_headline_is_never_a_teaser() -> None:
    """The article's own headline is not composed into its tail."""
    for document in Composer(pool(), "en", 4).documents(200):
        titles = {line for line, label in zip(document.lines, document.labels, strict=True) if label == BODY}
        teasers = {line for line, label in zip(document.lines, document.labels, strict=True) if label == TEASER}
        assert not {title for title in titles if title.startswith("Bridge number")} & teasers


def test_same_subject() -> None:
    """Headlines that share an uncommon word with the article are found, its own headline is not among them."""
    material = pool()
    assert set(same_subject(material.articles[0], material, 5, Random(0))) == {"Bridge toll rises again", "Old bridge draws crowds"}


def test_paragraphs_that_lost_their_breaks() -> None:
    """A long body on one line is cut at sentences, and nothing is lost."""
    body = " ".join(f"Sentence {n} says something of no great weight." for n in range(60))
    paragraphs = paragraphs_of(body, Random(0))
    assert len(paragraphs) > 10 and " ".join(paragraphs) == body


def test_parts_are_stable_and_even() -> None:
    """Hashing spreads texts over parts, the same way every time."""
    parts = [part_of(f"text {n}", 4) for n in range(4000)]
    assert np.bincount(parts).min() > 900
    assert fold_of("site", 4) == fold_of("site", 4)


def test_the_labelled_documents_hold_together() -> None:
    """The project's own documents have a label a line and unique ids, and no document stands on both sides."""
    sides = {side: list(labelled(ROOT / "benchmarks" / "labelled" / f"{side}.jsonl", "own")) for side in ("train", "test")}
    raw = [
        json.loads(line)
        for side in sides
        for line in (ROOT / "benchmarks" / "labelled" / f"{side}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len({record["id"] for record in raw}) == len(raw) == sum(map(len, sides.values()))
    assert all(set(document.labels) <= {BODY, META, TEASER, BOILERPLATE} for side in sides.values() for document in side)
    assert 0.28 < len(sides["test"]) / len(raw) < 0.4
    assert sum(document.lang == "ar" for side in sides.values() for document in side) >= 350


def test_the_line_banks_hold_together() -> None:
    """Banks of many languages: four labels each, no line twice, and folds that do not depend on the order."""
    lines = list(read_banks(ROOT / "benchmarks" / "labelled" / "lines"))
    languages = {line.lang for line in lines}
    assert len(languages) >= 50
    for lang in languages:
        own = [line for line in lines if line.lang == lang]
        assert {line.label for line in own} == {BODY, META, TEASER, BOILERPLATE}, lang
        assert len({line.text.casefold() for line in own}) == len(own), lang
        assert all(line.text == line.text.strip() for line in own), lang
    assert [fold_of_line(line, 4) for line in lines[:20]] == [fold_of_line(line, 4) for line in reversed(lines[:20])][::-1]


@pytest.mark.parametrize("row", ["body\tshort", "junk?\tshort\ttext", "body\tshort\t "])
def test_a_bad_row_of_a_bank_is_named(tmp_path: Path, row: str) -> None:
    """What cannot be read is told with its file and line."""
    (tmp_path / "en.tsv").write_text(f"body\tshort\tfine\n{row}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"en\.tsv:2: expected label, kind and text"):
        list(read_banks(tmp_path))


def test_pages_are_surrounded_anew() -> None:
    """The body of a labelled page becomes an article, its short first line the title; too little body is left alone."""
    body = ["A short title", "A paragraph of some length about a bridge. " * 3, "Another paragraph of it. " * 4, "The last of it."]
    page = Document("own", "own:1", "en", "", ["Menu", *body, "Read also"], [BOILERPLATE, *[BODY] * 4, TEASER])
    article = article_of(page)
    assert article and article.title == body[0] and article.paragraphs == body[1:]
    assert article_of(Document("own", "own:2", "en", "", ["One", "Two", "Three"], [BODY] * 3)) is None


def test_relabelled_holds_no_text() -> None:
    """Labels as read are letters and nothing else."""
    assert all(set(letters) <= set("bmtx?") for letters in relabelled().values())


def test_trust() -> None:
    """Labels given line by line or by composition are trusted, aligned ones only where they were read."""
    assert trusted_corpus(Document("own", "g", "en", "", [], [])) == "own"
    assert not trusted_corpus(Document("wcxb", "g", "en", "traf", [], []))
    assert trusted_corpus(Document("wcxb", "g", "en", "traf", [], [], traits=["read"])) == "read"


def test_a_series_of_one_writer_is_one_group() -> None:
    """Documents of a series share a group for the folds; pages of other corpora keep theirs."""
    assert fold_group("own:wvara-12") == fold_group("own:wvara-7") != fold_group("own:wvarb-7")
    assert fold_group("wcxb:example.org/2") == "wcxb:example.org/2"


def test_doubtful_labels_teach_nothing() -> None:
    """Of aligned lines, junk held for body and body held for junk become unknown; labels given line by line stay."""
    pytest.importorskip("scipy")
    from cleanfeed.training.fit import gather, without_doubtful

    labels = [BODY, TEASER, TEASER, BODY, UNKNOWN]
    pages = [Document(source, "g", "en", "", ["x"] * 5, labels) for source in ("wcxb", "own")]
    lines = gather(pages, [0, 0])
    drop = np.array([0.99, 0.1, 0.9, 0.9, 0.5] * 2)
    assert without_doubtful(lines, lines.labels, drop).tolist() == [UNKNOWN, UNKNOWN, TEASER, BODY, UNKNOWN, *labels]


def test_a_network_learns_from_the_lines_around() -> None:
    """Where the line before decides, a fitted network gets lines of other documents right, the same way every time."""
    pytest.importorskip("jax")
    from cleanfeed.training.networks import Sequences, fit_networks, score

    rng = np.random.default_rng(0)
    features = rng.integers(0, 4, 6000)
    labels = np.where(np.arange(6000) % 10 == 0, BODY, np.roll(features, 1))
    matrix = (np.eye(4)[features] + rng.normal(scale=0.1, size=(6000, 4))).astype(np.float32)
    lines = Sequences(matrix, labels, np.ones(6000), np.arange(0, 6001, 10))
    networks = fit_networks(lines, [np.arange(500)] * 2, seed=1, jobs=1, steps=60)
    scores = [score(network, lines, np.arange(500, 600)) for network in networks]
    assert (scores[0].argmax(axis=1) == labels[5000:]).mean() > 0.95
    assert (scores[0] == scores[1]).all()


def test_what_is_fitted_is_what_is_computed() -> None:
    """The network in whole numbers scores as the one that was fitted, but for halves rounded the other way."""
    jax = pytest.importorskip("jax")
    from cleanfeed.training import networks

    rng = np.random.default_rng(0)
    parameters = networks._initial(5, rng)
    inputs = np.rint(rng.normal(scale=32, size=(networks.LINES, 5))).astype(np.float32)
    owner = np.repeat(np.arange(networks.LINES // 32), 32).astype(np.int32)
    usual, networks._DROPOUT = networks._DROPOUT, 0.0
    try:
        fitted = networks._forward(parameters, inputs * networks.INPUT_STEP, owner, jax.random.key(0))
    finally:
        networks._DROPOUT = usual
    network = Network(np.zeros(5), np.ones(5), (networks._member(parameters),))
    assert np.abs(network.logits(inputs, Segments(owner)) - np.asarray(fitted)).max() < 0.1


def test_junk_of_unknown_class_follows_its_words() -> None:
    """A line known only to be junk becomes what its words say; other labels stay."""
    from cleanfeed.training.networks import four_labels

    labels = np.array([BODY, JUNK, JUNK, UNKNOWN])
    lexical = np.array([[0.0, 0.0], [50.0, -50.0], [-50.0, 50.0], [0.0, 0.0]])
    assert four_labels(labels, lexical, np.random.default_rng(0)).tolist() == [BODY, TEASER, BOILERPLATE, UNKNOWN]


def test_calibration_cools_what_is_too_sure() -> None:
    """Scores twice as large as the truth warrants are divided by about two."""
    from cleanfeed.network import Layer, Member, Network

    rng = np.random.default_rng(0)
    scores = rng.normal(scale=2, size=(20_000, 4))
    chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(4, p=row) for row in chance])
    layer = Layer(np.ones((1, 4), np.float32), np.full(4, 2, np.float32), np.full(4, 6, np.float32))
    before = Network(np.zeros(1), np.ones(1), (Member(layer, (), layer),))
    network, found = calibrate(before, scores * 1.9, labels, np.ones(len(labels)))
    assert 1.7 < found["temperature"] < 2.1
    assert network.members[0].head.scale * found["temperature"] == pytest.approx(layer.scale)


def test_languages_and_corpora_are_left_out_only_where_there_is_enough_to_measure() -> None:
    """Made-up documents and views of all blocks are left out of training with the rest, but not measured."""
    pytest.importorskip("scipy")
    from cleanfeed.training.leave_out import _choices

    def page(n: int, lang: str, view: str = "") -> Document:
        return Document("own", f"own:{n}", lang, view, ["a", "b", "c", "d"], [BODY, TEASER, TEASER, BOILERPLATE])

    documents = [page(n, "fa") for n in range(20)] + [page(n, "sw") for n in range(3)] + [page(99, "fa", "blocks")]
    documents.append(Document("composed:x", "x:1", "fa", "composed", ["a"], [BODY]))
    found = {name: (left.tolist(), measured.tolist()) for name, left, measured in _choices(documents)}
    assert list(found) == ["language fa", "corpus own"]
    assert found["language fa"] == ([True] * 20 + [False] * 3 + [True] * 2, [True] * 20 + [False] * 5)
    assert sum(found["corpus own"][0]) == 24 and sum(found["corpus own"][1]) == 23


def test_figures_of_what_was_left_out() -> None:
    """F1 by lines, body kept by characters, meta and unknown lines in neither."""
    pytest.importorskip("scipy")
    from cleanfeed.training.leave_out import _figures

    page = Document("own", "g", "en", "", ["x" * 30, "x" * 10, "junk", "junk", "meta", "?"], [BODY, BODY, TEASER, JUNK, META, UNKNOWN])
    assert _figures([page], np.array([False, True, True, False, True, True])) == (0.5, 0.75)


def test_what_is_left_out_is_judged_as_a_finished_model_judges() -> None:
    """With the bundled model's parts in place of fitted ones, scores are those that `explain` gives."""
    pytest.importorskip("scipy")
    from cleanfeed.training.leave_out import _judge

    own = list(labelled(ROOT / "benchmarks" / "labelled" / "test.jsonl", "own"))[:70]
    explained = list(Cleaner().explain_many("\n".join(document.lines) for document in own))
    usual = [len(lines) > 1 for lines in explained]  # the only line of a text is not scored there
    documents = [document for document, is_usual in zip(own, usual, strict=True) if is_usual]
    assert len(documents) > 60
    model = Cleaner().model
    owner = np.repeat(np.arange(len(documents)), [len(document.lines) for document in documents])
    fitting = SimpleNamespace(
        lines=SimpleNamespace(documents=documents, owner=owner), jobs=1, bank=SimpleNamespace(lang=np.array(["en"])),
        tables=lambda rows, bank: model.tables, networks=lambda chosen: [model.network],
    )  # fmt: skip
    scores = _judge(fitting, np.ones(len(documents), np.bool_), documents, temperature=1.0)  # type: ignore[arg-type]
    expected = [line.score for lines, is_usual in zip(explained, usual, strict=True) if is_usual for line in lines]
    assert scores == pytest.approx(expected, abs=1e-6)
