"""`cleanfeed bench`, its reports and its pictures."""

from __future__ import annotations

import argparse
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cleanfeed.evaluation import command

RECORD = {
    "lang": "ar",
    "lines": ["صوّت المجلس مساء الاثنين على الجسر الجديد.", "اقرأ أيضا", "لن تصدق ما حدث"],
    "labels": ["body", "teaser", "teaser"],
    "traits": ["ذيل | tail"],
}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A file with four good records."""
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), **RECORD}) + "\n" for n in range(4)), "utf-8")
    return path


def bench(*arguments: object) -> int:
    """Run the command as the command line does."""
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["bench", *map(str, arguments)]))


def test_figures_are_printed_and_all_is_well(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without options: cleanfeed and two baselines on the file."""
    assert 0 == bench(labelled, "--resamples", 20)
    out = capsys.readouterr().out
    assert "4 documents, 4 lines of body, 8 of junk" in out
    assert all(f"| {name} |" in out for name in ("cleanfeed", "keep-all", "trailing-punctuation"))


def test_what_is_wrong_is_reported_and_survived(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong record, an empty file, a missing file and an unknown system: figures are given, and the exit code is 1."""
    with labelled.open("a", encoding="utf-8") as stream:
        stream.write('{"id": "bad", "lines": ["x"], "labels": ["spam"]}\n')
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert 1 == bench(labelled, empty, tmp_path / "none.jsonl", "--systems", "keep-all,keepall", "--resamples", 20)
    captured = capsys.readouterr()
    for part in (f"{labelled}:5: line 1 has the unknown label", f"{empty}: holds no records", "none.jsonl: No such file",
                 "keepall is not run: unknown system, did you mean keep-all?"):  # fmt: skip
        assert part in captured.err
    assert "| keep-all | 0.000" in captured.out


def test_nothing_to_measure_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, no good record, no known system, a folder that holds no pages."""
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert 2 == bench()
    assert 2 == bench(empty)
    assert 2 == bench(empty, "--systems", "nonsense")
    assert 2 == bench("--pages", tmp_path)
    assert "nothing could be measured" in capsys.readouterr().err


def test_two_runs_give_identical_accuracy(labelled: Path, tmp_path: Path) -> None:
    """All of the JSON but times is the same, intervals included."""
    found = []
    for name in ("one.json", "two.json"):
        bench(labelled, "--by", "trait", "--json", tmp_path / name, "--resamples", 50)
        found.append(json.loads((tmp_path / name).read_text("utf-8"))["sections"])
    assert found[0] == found[1]
    assert "trait ذيل | tail" == found[0][0]["parts"][0]["group"]


def test_json_holds_null_where_a_figure_is_undefined(labelled: Path, tmp_path: Path) -> None:
    """NaN is not JSON."""
    bench(labelled, "--json", tmp_path / "out.json", "--resamples", 20)
    text = (tmp_path / "out.json").read_text("utf-8")
    assert "NaN" not in text
    rows = {row["system"]: row["figures"] for row in json.loads(text)["sections"][0]["table"]["rows"]}
    assert rows["keep-all"]["precision"]["value"] is None
    assert 0.0 == rows["keep-all"]["f1"]["value"]


def test_html_is_whole_and_gives_each_text_its_direction(labelled: Path, tmp_path: Path) -> None:
    """Every element is closed; cells have `dir="auto"`, so that Arabic names read from the right."""
    bench(labelled, "--by", "trait", "--html", tmp_path / "out.html", "--resamples", 20)
    text = (tmp_path / "out.html").read_text("utf-8")
    assert '<th scope="row" dir="auto">trait ذيل | tail</th>' in text
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "input"):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert tag == open_tags.pop()

    Balance().feed(text)
    assert [] == open_tags


def test_bench_writes_the_browser_and_every_wrong_line(labelled: Path, tmp_path: Path) -> None:
    """`--html` has the mistakes of each system, `--mistakes` each wrong line of each; the JSON has neither."""
    outs = [tmp_path / name for name in ("out.html", "out.jsonl", "out.json")]
    broken = {"id": "broken", "lang": "ar", "lines": ["\ud800 اقرأ"], "labels": ["teaser"]}
    with labelled.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(broken) + "\n")
    options = [word for pair in zip(("--html", "--mistakes", "--json"), outs, strict=True) for word in pair]
    assert 0 == bench(labelled, "--systems", "keep-all,trailing-punctuation", "--resamples", 20, *options)
    page = outs[0].read_text("utf-8")
    assert page.count('class="group cases"') == 2
    assert "Mistakes in 5 of 5 documents." in page
    records = [json.loads(line) for line in outs[1].read_text("utf-8").splitlines()]
    first = {"system": "keep-all", "source": "own", "id": "0", "lang": "ar", "line": 2, "error": "junk-kept",
             "label": "teaser", "given": None, "score": None, "text": "اقرأ أيضا"}  # fmt: skip
    assert records[0] == first
    assert 9 == sum(record["system"] == "keep-all" for record in records)
    assert "\ud800 اقرأ" in [record["text"] for record in records]
    assert "اقرأ أيضا" in outs[1].read_text("utf-8")
    assert "mistakes" not in json.loads(outs[2].read_text("utf-8"))


def test_markdown_tables_keep_their_columns_when_a_name_holds_a_bar(
    labelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A `|` in a trait is escaped."""
    bench(labelled, "--by", "trait", "--resamples", 20)
    assert "| trait ذيل \\| tail |" in capsys.readouterr().out


def test_the_systems_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, with what it does."""
    assert 0 == bench("--list")
    assert "keep-all                drop nothing" in capsys.readouterr().out


def test_measuring_on_training_data_is_told(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures are given, with the warning."""
    assert 1 == bench(labelled, "--train", labelled, "--resamples", 20)
    assert "both trained on and measured" in capsys.readouterr().err


def test_pictures_are_drawn_twice_alike(labelled: Path, tmp_path: Path) -> None:
    """SVG and PNG stand beside each other, and the SVG repeats itself byte for byte."""
    pytest.importorskip("matplotlib")
    from cleanfeed.evaluation import compare, figures, records, systems
    from cleanfeed.evaluation.metrics import Truth

    documents, _ = records.read(labelled)
    runs = [compare.run(system, documents) for system in systems.load(systems.DEFAULT)[0]]
    table = compare.table(compare.groups_by(documents, "lang")[1], Truth.of(documents), runs, resamples=20)
    for draw in (
        lambda: figures.threshold_curves([table]),
        lambda: figures.by_language({"own": [table]}),
        lambda: figures.speeds({"cleanfeed": [(1000, 1e6), (10_000, 2e6)], "other": [(1000, 1e5)]}),
    ):
        written = [figures.save(draw(), tmp_path / name) for name in ("one", "two")]
        assert [".svg", ".png"] == [path.suffix for path in written[0]]
        assert written[0][0].read_bytes() == written[1][0].read_bytes()


def test_a_language_is_called_by_its_name() -> None:
    """And by its code where it has none."""
    pytest.importorskip("babel")
    from cleanfeed.evaluation import figures

    assert ["Arabic", "xx-unknown", "unknown"] == [
        figures.language(f"lang {code}") for code in ("ar", "xx-unknown", "unknown")
    ]
