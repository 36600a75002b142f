"""The mistakes browser of `cleanfeed bench --html`: the right errors in their documents, bounded, inert, readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import batch_browser
from cleanfeed.evaluation import compare, mistakes, mistakes_html, report_html, systems
from cleanfeed.evaluation.metrics import Truth
from cleanfeed.evaluation.mistakes import Mistakes
from cleanfeed.evaluation.records import Document
from cleanfeed.evaluation.systems import Bench, Peer
from page_support import HOSTILE, assert_stands_alone, contrasts

ARABIC = Document(
    "ar-1",
    [
        "عنوان المقال عن الجسر",
        "فقرة أولى من المقال.",
        "DROP فقرة ثانية ضاعت كلها",
        "",
        "فقرة ثالثة.",
        "اقرأ أيضا",
        "DROP تابعنا",
    ],
    ["body", "body", "body", None, "body", "teaser", "boilerplate"],
    "ar",
    source="one",
)
ENGLISH = Document(
    "en-1", ["A paragraph.", "Most read", "Follow us"], ["body", "teaser", "boilerplate"], "en", source="one"
)
UNSCORED = Document(
    "meta", ["A paragraph.", "DROP By a person", "Who knows"], ["body", "meta", None], "en", source="one"
)
RIGHT = Document("right", ["A paragraph.", "DROP Most read"], ["body", "teaser"], "en", source="two")
EVIL = Document(
    HOSTILE[2],
    [*HOSTILE, *(f"DROP {line}" for line in HOSTILE)],
    ["junk", *["body"] * 11],
    HOSTILE[1],
    source=HOSTILE[0],
)


def found_by(documents: list[Document], name: str = "mine") -> Mistakes:
    """What a system gets wrong that drops the lines with DROP in front."""

    def score(lines: list[str], lang: str | None) -> list[float]:
        if "RAISE" in lines:
            raise RuntimeError("a bug")
        return [0.75 if line.startswith("DROP") else 0.25 for line in lines]

    run = compare.run(Peer(name, "", score=lambda bench: score).load(Bench()), documents)
    return mistakes.find(documents, Truth.of(documents), run)


def page_of(documents: list[Document], *names: str) -> str:
    """The HTML report with nothing in it but the mistakes."""
    return report_html.to_html([], "bench", [found_by(documents, name) for name in names or ("mine",)])


def test_worst_documents_come_first() -> None:
    """Most characters of body lost, then most junk kept; documents without a mistake are not there."""
    documents = [
        RIGHT,
        ENGLISH,
        Document("less", ["Most read", "Text."], ["teaser", "body"]),
        Document("short", ["DROP text", "x"], ["body"] * 2),
        ARABIC,
    ]
    found = found_by(documents)
    assert ["ar-1", "short", "en-1", "less"] == [case.document.id for case in found.cases]
    assert 5 == found.n_documents
    first = found.cases[0]
    assert {2: "body-lost", 5: "junk-kept"} == first.errors
    assert (len(ARABIC.lines[2]), 1) == (first.characters_lost, first.junk_kept)


def test_only_scored_lines_can_be_wrong() -> None:
    """Whatever happens to lines labelled meta or null, it is no mistake, and the page says that there was none."""
    assert [] == found_by([UNSCORED, RIGHT]).cases
    page = page_of([UNSCORED, RIGHT])
    assert "Mistakes in 0 of 2 documents." in page
    assert "<details" not in page


def test_an_error_stands_among_its_neighbours() -> None:
    """Two lines before and two behind, blank ones not counted; errors that lie close share one excerpt."""
    lines = [f"line {number}" for number in range(30)]
    lines[9], lines[10], lines[13], lines[25] = "", "DROP ten", "DROP thirteen", "DROP twenty-five"
    page = page_of([Document("d", lines, ["body"] * 30)])
    excerpts = [part.split("</tbody>")[0] for part in page.split("<tbody")[1:]]
    shown = [[number for number in range(30) if f'<th scope="row">{number + 1}</th>' in part] for part in excerpts]
    assert [[7, 8, 10, 11, 12, 13, 14, 15], [23, 24, 25, 26, 27]] == shown


def test_each_line_says_label_decision_and_score() -> None:
    """Also the system's own label where it has one, and no score where it has none."""
    assert '<span class="tag teaser">teaser</span></td><td class="word">kept</td><td>0.25</td>' in page_of([ENGLISH])

    def judge(documents: object) -> list[systems.Verdict]:
        return [systems.Verdict([True, False, True], labels=["body", "teaser", "meta"])]

    run = compare.run(systems.System("labelling", judge), [ENGLISH])
    page = report_html.to_html([], "bench", [mistakes.find([ENGLISH], Truth.of([ENGLISH]), run)])
    assert '<td class="word">kept as meta</td><td class="text">' in page
    assert "dropped as teaser" in page
    assert ">score<" not in page


def test_a_document_on_which_the_system_failed_is_told_apart() -> None:
    """Its lines have no score, though the system has."""
    page = page_of([ENGLISH, Document("bad", ["RAISE", "Most read"], [None, "teaser"], "en")])
    bad = page.split("<details")[2]
    assert "The system failed on this document" in bad
    assert ">score<" not in bad
    assert ">score<" in page.split("<details")[1]


def test_many_documents_are_sampled() -> None:
    """Of five hundred documents forty are shown, the worst among them, the same each time; the rest are counted."""
    documents = [Document(f"d{n}", ["DROP " + "long " * n, "Most read"], ["body", "teaser"], "en") for n in range(500)]
    page = page_of(documents)
    assert page.count("<details") == mistakes_html.WORST + mistakes_html.PICKED == 40
    assert (
        "Mistakes in 500 of 500 documents. Shown are the 20 worst and a sample of 20 others; 460 are left out." in page
    )
    assert all(f"<bdi>d{number}</bdi>" in page for number in range(480, 500))
    assert page == page_of(documents)
    assert len(page) < 150_000


def test_systems_are_sampled_alike() -> None:
    """Documents that two systems got wrong are picked for both or for neither, in whatever order they come."""
    cases = found_by([Document(str(n), ["Most read"], ["teaser"]) for n in range(100)]).cases
    picked = {case.document.id for case in mistakes.choose(cases, 0, 10)}
    assert 10 == len(picked)
    assert picked == {case.document.id for case in mistakes.choose(cases[::-1], 0, 10)}


def test_long_documents_and_long_lines_are_cut() -> None:
    """Of a document the longest errors of each kind are shown, of a line its beginning, and it says what is left out."""
    lines = [f"DROP {'x' * number}" for number in range(1000)] + ["y" * 5000]
    page = page_of([Document("d", lines, ["body"] * 1000 + ["teaser"])])
    assert page.count('class="wrong body-lost"') == mistakes_html.MOST_ERRORS
    assert page.count('class="wrong junk-kept"') == 1
    assert "994 more lines were wrong; the longest are shown." in page
    assert "y" * 301 not in page
    assert len(page) < 30_000


def test_page_stands_alone_and_text_is_inert() -> None:
    """Lines, names, sources and languages of documents make no elements, and nothing leads out."""
    page = page_of([ARABIC, EVIL], "mine", HOSTILE[0])
    assert_stands_alone(page)
    assert '<p dir="auto" lang="ar">' in page


def test_without_mistakes_there_is_no_script() -> None:
    """A report on pages alone has no browser, and needs none."""
    assert "<script" not in report_html.to_html([], "bench")


@pytest.mark.skipif(batch_browser.BINARY is None, reason="no chromium is installed")
class TestInBrowser:
    """The page in headless Chromium."""

    @pytest.fixture
    def page(self, tmp_path: Path) -> Path:
        """Two systems with the same mistakes in an Arabic, an English and a hostile document."""
        path = tmp_path / "bench.html"
        path.write_text(page_of([ARABIC, ENGLISH, EVIL], "mine", "yours"), "utf-8")
        return path

    def test_loads_without_complaint_and_text_is_inert(self, page: Path) -> None:
        """Nothing is logged, nothing of the documents runs, and they show as they are."""
        with batch_browser.page() as tab:
            tab.open(page)
            assert tab.complaints == []
            assert tab.run("document.title") == "bench"
            assert tab.run("document.querySelectorAll('h1').length") == 1
            shown = tab.run("document.getElementById('documents').textContent")
            assert all(HOSTILE[number] in shown for number in (0, 1, 2, 3, 5))

    def test_filter(self, page: Path) -> None:
        """By kind of error, language and system, together; excerpts of other kinds go, and so do empty systems."""
        visible = "[...document.querySelectorAll('details')].filter(item => item.checkVisibility()).length"
        parts = "[...document.querySelectorAll('tbody')].filter(item => !item.hidden).length"

        def choose(name: str, value: str) -> str:
            event = f"{name}.dispatchEvent(new Event('{'input' if name == 'words' else 'change'}'))"
            return f"{name}.value = {json.dumps(value)}; {event}"

        with batch_browser.page() as tab:
            tab.open(page)
            assert tab.run(visible) == 6
            tab.run(choose("kind", "body-lost"))
            assert tab.run(visible) == 4
            tab.run(choose("system", "yours"))
            assert tab.run(visible) == 2
            assert tab.run("[...document.querySelectorAll('h3')].map(item => item.checkVisibility())") == [False, True]
            tab.run(choose("lang", "ar"))
            assert tab.run(visible) == 1
            assert tab.run("shown.textContent") == "1 of 6 shown"
            tab.run(choose("lang", HOSTILE[1]))
            assert tab.run(visible) == 1
            tab.run(choose("words", "no such word"))
            assert tab.run(visible) == 0
            tab.run(choose("words", "") + ";" + choose("lang", "") + ";" + choose("kind", "junk-kept"))
            assert tab.run(visible) == 3
            assert tab.run(parts) < tab.run("document.querySelectorAll('tbody').length")
            assert tab.complaints == []

    def test_keyboard_reaches_filter_and_documents(self, page: Path) -> None:
        """The Tab key goes to the documents at once, or through the filter to each of them."""
        with batch_browser.page() as tab:
            tab.open(page)
            tab.press_tab()
            assert tab.run("document.activeElement.getAttribute('href')") == "#documents"
            reached = set()
            for _ in range(30):
                tab.press_tab()
                reached.add(tab.run("document.activeElement.id || document.activeElement.parentElement.id"))
            assert {"words", "system", "kind", "lang", *(f"document-{number}" for number in range(6))} <= reached

    def test_direction_follows_the_text(self, page: Path) -> None:
        """Arabic lines run from the right and are marked as Arabic, English ones from the left."""
        script = """[...document.querySelectorAll('td.text p')].map(line =>
            [line.lang, getComputedStyle(line).direction, /^(DROP |[ء-ي])/.test(line.textContent)])"""
        with batch_browser.page() as tab:
            tab.open(page)
            found = tab.run(script)
            assert ["ar", "rtl", True] in found
            assert {"ltr"} == {direction for lang, direction, _ in found if lang == "en"}

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_legible_in_light_and_dark(self, page: Path, scheme: str) -> None:
        """Text and the ground under it, tinted or not, differ by at least 4.5 to 1 (WCAG AA) in either scheme."""
        with batch_browser.page() as tab:
            tab.prefer(scheme)
            tab.open(page)
            assert min(tab.run(contrasts("h1, h3 bdi, .note, .tag, th, td.word, td.word b, td.text p, del"))) >= 4.5
            dark = tab.run("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
            assert dark == (scheme == "dark")
