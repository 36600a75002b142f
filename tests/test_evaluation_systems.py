"""Systems, and the comparison that survives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from cleanfeed.evaluation import compare, markup, speed, systems
from cleanfeed.evaluation.metrics import Truth
from cleanfeed.evaluation.peers import simple, trained
from cleanfeed.evaluation.records import Document
from cleanfeed.evaluation.systems import Bench, Peer, System, Unavailable, Verdict

ARTICLE = Document(
    "article",
    ["The council met on Monday to vote on the new bridge.", "It was a long evening.", "You will not believe this"],
    ["body", "body", "teaser"],
    "en",
    traits=("tail", "tail"),
    source="one",
)
CLEAN = Document("clean", ["A single paragraph of text, with nothing behind it."], ["body"], "fr", source="two")
DOCUMENTS = [ARTICLE, CLEAN]


def keeping(keep: systems.Keep) -> System:
    """A system made of a plain function."""
    return Peer("mine", "", keep=lambda bench: keep).load(Bench())


def test_every_peer_is_named_once_and_says_what_it_does() -> None:
    """Each module of `peers/` brings a list, and names do not collide."""
    found = systems.peers()
    assert {"keep-all", "trailing-punctuation", "c4", "justext", "trafilatura", "fasttext", "sklearn"} <= set(found)
    assert all(peer.about and (peer.keep is None) != (peer.score is None) for peer in found.values())


def test_an_unknown_system_is_reported_with_the_nearest_name() -> None:
    """The others are loaded all the same."""
    ready, skipped = systems.load(["justexd", "keep-all"])
    assert ["keep-all"] == [system.name for system in ready]
    assert {"justexd": "unknown system, did you mean justext?"} == skipped


def test_a_tool_that_is_not_installed_or_breaks_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import error names the package; any other fault names itself."""

    def absent(bench: Bench) -> systems.Keep:
        import no_such_tool

        return no_such_tool.keep  # type: ignore[no-any-return]

    def broken(bench: Bench) -> systems.Keep:
        raise RuntimeError("no licence key")

    peers = {"absent": Peer("absent", "", "no-such-tool", keep=absent), "broken": Peer("broken", "", keep=broken)}
    monkeypatch.setattr(systems, "peers", lambda: peers)
    ready, skipped = systems.load(["absent", "broken", "cleanfeed"])
    assert ["cleanfeed"] == [system.name for system in ready]
    assert "no-such-tool cannot be imported: No module named 'no_such_tool'" == skipped["absent"]
    assert "fails to load: RuntimeError: no licence key" == skipped["broken"]


def test_cleanfeed_judges_as_explain_does_also_for_odd_documents() -> None:
    """One verdict a line, for documents that are empty or end in empty lines too."""
    odd = [
        Document("empty", [], []),
        Document("blank", ["", ""], [None, None]),
        Document("end", ["text", ""], ["body"] * 2),
    ]
    run = compare.run(systems.cleanfeed(), [*odd, *DOCUMENTS])
    assert [] == run.errors
    assert 0 + 2 + 2 + 3 + 1 == len(run.kept)
    assert run.scores is not None
    assert run.labels is not None


def test_a_system_that_raises_is_reported_and_its_document_counts_as_kept() -> None:
    """The run goes on with the next document."""

    def fussy(lines: list[str], lang: str | None) -> list[bool]:
        if lang == "en":
            raise KeyError("en")
        return [False] * len(lines)

    run = compare.run(keeping(fussy), DOCUMENTS)
    assert ["article: KeyError: 'en'"] == run.errors
    assert [True, True, True, False] == run.kept.tolist()


def test_a_system_that_returns_too_few_flags_is_reported() -> None:
    """A silent shift of lines would be worse than an error."""
    run = compare.run(keeping(lambda lines, lang: [True]), DOCUMENTS)
    assert ["article: ValueError: gave 1 kept for 3 lines"] == run.errors


def test_a_score_that_is_not_a_number_is_reported() -> None:
    """It has no place among thresholds."""
    system = Peer("mine", "", score=lambda bench: lambda lines, lang: [float("nan")] * len(lines)).load(Bench())
    run = compare.run(system, [CLEAN])
    assert ["clean: ValueError: gave a score that is not a number"] == run.errors
    assert run.scores is None


def test_a_block_that_fails_costs_only_the_document_that_fails() -> None:
    """The documents of the block are tried one by one."""

    def judge(documents: Sequence[Document]) -> Iterator[Verdict]:
        for document in documents:
            if document.id == "article":
                raise ValueError("no")
            yield Verdict([False] * len(document.lines), [0.75] * len(document.lines))

    run = compare.run(System("block", judge, block=10), DOCUMENTS)
    assert ["article: ValueError: no"] == run.errors
    assert [True, True, True, False] == run.kept.tolist()
    assert run.scores is not None
    assert [0.0, 0.0, 0.0, 0.75] == run.scores.tolist()


def test_the_difference_of_a_system_to_itself_is_nothing() -> None:
    """Both are measured on the same resamples, so the interval has no width."""
    documents = [Document(str(n), ARTICLE.lines, ARTICLE.labels) for n in range(5)] + [CLEAN] * 3
    runs = [compare.run(keeping(simple.trailing_punctuation), documents) for _ in range(2)]
    row = compare.table(compare.groups_by(documents)[0], Truth.of(documents), runs, resamples=50).rows[1]
    assert (0.0, 0.0, 0.0) == (row.against["f1"].value, row.against["f1"].low, row.against["f1"].high)


def test_two_runs_give_the_same_figures() -> None:
    """Values and intervals alike."""
    documents = [ARTICLE, CLEAN, ARTICLE]
    tables = [
        compare.table(group, Truth.of(documents), [compare.run(keeping(simple.punctuated_lines), documents)])
        for group in compare.groups_by(documents)[:1] * 2
    ]
    assert repr(tables[0].rows) == repr(tables[1].rows)


def test_a_group_of_strata_is_the_mean_of_its_strata() -> None:
    """Pooled, 3 lines of junk in 4 are found; by stratum all of one and none of the other."""
    found = Document("found", ["x", "x", "x"], ["junk"] * 3)
    missed = Document("missed", ["y."], ["junk"])
    truth = Truth.of([found, missed])
    runs = [compare.run(keeping(simple.punctuated_lines), [found, missed])]
    pooled = compare.Group("pooled", (np.array([0, 1]),))
    apart = compare.Group("apart", (np.array([0]), np.array([1])))
    recalls = [compare.table(g, truth, runs, resamples=5).rows[0].figures["recall"].value for g in (pooled, apart)]
    assert [0.75, 0.5] == recalls


def test_groups_are_all_files_and_what_is_asked_for() -> None:
    """Groups of fewer documents than an interval needs are left out."""
    documents = [ARTICLE] * 3 + [CLEAN] * 2
    groups = {group.name: group.n_documents for group in compare.groups_by(documents, "trait")}
    assert {"all": 5, "file one": 3, "trait tail": 3} == groups


def test_lines_are_found_in_what_a_tool_returns() -> None:
    """By their letters and digits; a repeated line as often as the output holds it; a merged one when it is long."""
    long = "A sentence that is long enough to be found inside a paragraph."
    lines = ["One, two!", "twice", "twice", "***", "---", long, "short"]
    output = f"One two\ntwice\n***\nBefore it. {long} And a short end."
    assert [True, True, False, True, False, True, False] == markup.kept_in(lines, output)
    assert [False] == markup.kept_in(["x"], None)


def test_a_line_is_found_in_another_normal_form() -> None:
    """A tool that composes letters and their marks has not lost the line."""
    apart = "\N{ARABIC LETTER ALEF}\N{ARABIC MADDAH ABOVE}"
    assert [True] == markup.kept_in([f"{apart} {apart}"], "\N{ARABIC LETTER ALEF WITH MADDA ABOVE} " * 2)


def test_a_page_holds_its_lines_escaped() -> None:
    """Markup in a line is text."""
    assert "<p>1 &lt; 2 &amp; 3</p>" in markup.as_page(["1 < 2 & 3"], "en")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Title", "Text.", "Other story", "More"], [True, True, False, False]),
        (["Text.", "Is it true?", "Other story"], [True, True, False]),
        (["نص المقال۔", "خبر آخر"], [True, False]),
        (["| a | b |", "headline"], [True, False]),
        (["no end", ""], [False, False]),
    ],
)
def test_the_trailing_rule(lines: list[str], expected: list[bool]) -> None:
    """It drops what stands behind the last punctuated line, in any script."""
    assert expected == simple.trailing_punctuation(lines, None)


@pytest.mark.parametrize("name", sorted(set(systems.peers()) - {"fasttext", "sklearn"}))
def test_each_installed_peer_keeps_the_body_of_a_plain_article(name: str) -> None:
    """Four long paragraphs of English prose are text to each, save that boilerpy3 doubts the last one."""
    ready, skipped = systems.load([name])
    if skipped:
        pytest.skip(skipped[name])
    prose = (
        "the members of the council, who had been in the hall since noon, voted for the bridge in the end, and it was "
        "late when they went home; the mayor said that this was what the people of the town had asked for, and that "
        "they would see the first of the work by the end of the year, if all that had been promised was done in time."
    )
    lines = [f"{start} {prose}" for start in ("On Monday,", "As it has been said since,", "After all of that,", "So")]
    odd = Document("odd", ["", "\x00", "<p>", "***"], [None] * 4, "xx")
    run = compare.run(ready[0], [Document("plain", lines, ["body"] * 4, "en"), odd])
    assert [True] * 3 == run.kept[:3].tolist()
    assert not [error for error in run.errors if error.startswith("plain")]


@pytest.mark.parametrize("name", ["fasttext", "sklearn"])
def test_trained_peers_learn_once_and_repeat_themselves(tmp_path: Path, name: str) -> None:
    """They are trained on first use, read from the cache afterwards, and score alike both times."""
    pytest.importorskip(name)
    train = tmp_path / "train.jsonl"
    train.write_text(
        "".join(
            f'{{"id": "{n}", "lines": ["the council voted on bridge {n}", "click here now {n}"], "labels": ["body", "junk"]}}\n'
            for n in range(200)
        )
    )
    bench = Bench((train,), tmp_path / "cache")
    document = Document("new", ["the council voted on a road", "click here again", ""], ["body", "junk", None])
    runs = []
    for _ in range(2):
        ready, skipped = systems.load([name], bench)
        assert {} == skipped
        runs.append(compare.run(ready[0], [document]))
    scores = [run.scores.tolist() for run in runs if run.scores is not None]
    assert scores[0] == scores[1]
    assert scores[0][0] < 0.5 < scores[0][1]
    assert 1 == len(list((tmp_path / "cache").iterdir()))


def test_trained_peers_without_training_data_say_what_they_need() -> None:
    """They are skipped, as a tool that is not installed."""
    with pytest.raises(Unavailable, match="name labelled files"):
        trained.cached(Bench(), "sklearn.npz")


def test_training_lines_are_drawn_evenly_and_without_meta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large view gives no more lines than a small one may."""
    monkeypatch.setattr(trained, "LINES_A_VIEW", 3)
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"id": "1", "lines": ["a", "b", "c", "d", "e", ""], "labels": ["body", "body", "junk", "junk", "meta", "body"]}'
    )
    lines, junk = trained.training_lines((path,))
    assert 3 == len(lines)
    assert {"c": True, "d": True}.items() >= {line: bad for line, bad in zip(lines, junk, strict=True) if bad}.items()
    assert "e" not in lines


def test_documents_of_a_size_repeat_real_lines() -> None:
    """At least as long as asked, at most one line longer."""
    document = speed.of_size(DOCUMENTS, 1000)
    length = sum(len(line) + 1 for line in document.lines)
    assert 1000 <= length < 1100
    assert ARTICLE.lines + CLEAN.lines + ARTICLE.lines[:1] == document.lines[:5]


def test_speed_ratios_are_positive() -> None:
    """A floor of nothing would hold nothing."""
    assert all(value > 0 for value in speed.ratios(DOCUMENTS).values())
