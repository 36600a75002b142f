"""Statistics and the report: right figures, sampled within bounds, inert, readable in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import batch_browser
from batch_support import clean, lines_of, marked  # noqa: F401 - marked is a fixture
from cleanfeed.batch import report
from page_support import HOSTILE, assert_stands_alone, contrasts

pytestmark = pytest.mark.usefixtures("marked")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An Arabic, an English and a hostile document."""
    (tmp_path / "in" / "site").mkdir(parents=True)
    (tmp_path / "in" / "site" / "ar.txt").write_text("عنوان المقال\nفقرة من المقال.\nJUNK اقرأ أيضا\n", "utf-8")
    (tmp_path / "in" / "site" / "en.txt").write_text("A headline\nA paragraph.\nJUNK Most read\n\n", "utf-8")
    (tmp_path / "in" / "hostile.txt").write_text("\n".join([*HOSTILE, *(f"JUNK {line}" for line in HOSTILE)]), "utf-8")
    return tmp_path / "in"


@pytest.fixture
def page(tree: Path, tmp_path: Path) -> Path:
    """The report on them."""
    clean(tree, "-o", tmp_path / "out", "--report", tmp_path / "report.html")
    return tmp_path / "report.html"


def test_statistics_add_up(tree: Path, tmp_path: Path) -> None:
    """--stats counts lines and characters by label for each file, site and script, and for all together."""
    clean(tree, "-o", tmp_path / "out", "--stats", tmp_path / "stats.jsonl")
    records = {(record["group"], record["name"]): record["labels"] for record in lines_of(tmp_path / "stats.jsonl")}
    english = records["file", "site/en.txt"]
    assert english["teaser"] == {"lines_in": 1, "characters_in": 14, "lines_out": 0, "characters_out": 0}
    assert english["body"] == {"lines_in": 2, "characters_in": 22, "lines_out": 2, "characters_out": 22}
    assert records["script", "Arabic"]["body"]["lines_in"] == 2
    assert records["site", "site"]["teaser"]["lines_in"] == 2
    assert records["all", ""]["teaser"]["lines_in"] == 8
    for label in ("body", "teaser"):
        for field in ("lines_in", "characters_out"):
            files = [labels[label][field] for (group, _), labels in records.items() if group == "file"]
            assert sum(files) == records["all", ""][label][field]


def test_dry_run_gives_the_same_report(tree: Path, tmp_path: Path, page: Path) -> None:
    """What would go is what goes."""
    clean(tree, "--dry-run", "--report", tmp_path / "dry.html")
    assert (tmp_path / "dry.html").read_bytes() == page.read_bytes()


def test_report_of_a_finished_run(tree: Path, tmp_path: Path, page: Path) -> None:
    """A report can be made again when there is nothing left to do, and is the same."""
    clean(tree, "-o", tmp_path / "out", "--report", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_page_stands_alone_and_text_is_inert(page: Path) -> None:
    """One script, ours; no image, frame, handler or address that leads out; documents make no elements."""
    assert_stands_alone(page.read_text("utf-8"))


def test_many_documents_are_sampled() -> None:
    """Of ten thousand documents a few are shown whole, those that lost most among them; the page stays small."""

    def sample(number: int) -> dict[str, Any]:
        lost = number if number < 9990 else 10**6
        lines = [[f"line {number}", "body", 0.1, "", False], ["gone", "teaser", 0.9, "why", True]]
        return {
            "file": f"{number}.txt", "place": "", "site": "s", "order": f"{number * 7919 % 65536:016x}",
            "characters_in": 10**6 + 1, "characters_out": 10**6 + 1 - lost, "lines_in": 2, "lines": lines,
        }  # fmt: skip

    counts = dict.fromkeys(
        ("documents", "lines_in", "lines_out", "characters_in", "characters_out", "changed", "suspect", "skipped"),
        10**4,
    )
    rejects = ({"label": "teaser", "text": text} for text in ["often"] * 500 + [str(n) for n in range(10_000)])
    text = "".join(
        report.page(
            about={"title": "t", "counts": counts, "settings": {}},
            tables={},
            rejects=rejects,
            samples=map(sample, range(10_000)),
            errors=[],
        )
    )
    assert 100 < text.count("<details") <= 200
    assert text.index("9999.txt") < text.index('id="documents"')
    assert len(text) < 500_000
    assert re.search(r"<td>500</td>.*?often", text)


def test_most_frequent_lines_are_counted_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that come again and again survive when rare ones are forgotten."""
    monkeypatch.setattr(report, "_COUNTED_LINES", 100)
    rejects = [{"label": "teaser", "text": text} for number in range(1000) for text in (f"rare {number}", "Follow us")]
    assert "Follow us" in report._frequent(rejects)


@pytest.mark.skipif(batch_browser.BINARY is None, reason="no chromium is installed")
class TestInBrowser:
    """The page in headless Chromium."""

    def test_loads_without_complaint_and_text_is_inert(self, page: Path) -> None:
        """Nothing is logged, nothing of the documents runs, and they show as they are."""
        with batch_browser.page() as tab:
            tab.open(page)
            assert tab.complaints == []
            assert tab.run("document.title").startswith("cleanfeed: ")
            assert tab.run("document.querySelectorAll('h1').length") == 1
            shown = tab.run("document.getElementById('documents').textContent")
            assert HOSTILE[0] in shown
            assert HOSTILE[5] in shown

    def test_filter(self, page: Path) -> None:
        """Typing words, or choosing a label, leaves the documents that fit."""
        visible = "[...document.querySelectorAll('details')].filter(item => item.checkVisibility()).length"
        with batch_browser.page() as tab:
            tab.open(page)
            assert tab.run(visible) == 3
            tab.run("words.value = 'أيضا'; words.dispatchEvent(new Event('input'))")
            assert tab.run(visible) == 1
            assert tab.run("shown.textContent") == "1 of 3 shown"
            tab.run("words.value = ''; label.value = 'meta'; label.dispatchEvent(new Event('change'))")
            assert tab.run(visible) == 0
            tab.run("label.value = 'teaser'; label.dispatchEvent(new Event('change'))")
            assert tab.run(visible) == 3
            assert tab.complaints == []

    def test_keyboard_shows_the_reason(self, page: Path) -> None:
        """The Tab key reaches a dropped line, and then its reason shows."""
        with batch_browser.page() as tab:
            tab.open(page)
            for _ in range(40):
                tab.press_tab()
                if tab.run("document.activeElement.classList.contains('gone')"):
                    break
            assert tab.run("document.activeElement.querySelector('.why').checkVisibility()")
            assert "marked" in tab.run("document.activeElement.querySelector('.why').textContent")

    def test_direction_follows_the_text(self, page: Path) -> None:
        """Arabic lines run from the right, English ones from the left, dropped ones too."""
        script = """[...document.querySelectorAll('.lines p:not(.blank)')]
            .filter(line => /^(JUNK )?(عنوان|فقرة|A )/.test(line.textContent))
            .map(line => [/[ء-ي]/.test(line.textContent[0]), getComputedStyle(line).direction])"""
        with batch_browser.page() as tab:
            tab.open(page)
            found = tab.run(script)
            assert [True, "rtl"] in found
            assert [False, "ltr"] in found
            assert all(direction == ("rtl" if arabic else "ltr") for arabic, direction in found)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_legible_in_light_and_dark(self, page: Path, scheme: str) -> None:
        """Text and ground differ by at least 4.5 to 1 (WCAG AA) in either scheme."""
        contrast = contrasts("h1, .note, .tag, a, .tiles li, .gone del")
        with batch_browser.page() as tab:
            tab.prefer(scheme)
            tab.open(page)
            assert min(tab.run(contrast)) >= 4.5
            dark = tab.run("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
            assert dark == (scheme == "dark")
