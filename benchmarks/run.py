"""Measure cleanfeed and its peers on all sets, and write results.md and figures/; or hold the floors.

    python benchmarks/run.py                    the whole benchmark; peers that are not installed are named and skipped
    python benchmarks/run.py --check            cleanfeed alone against floors.json; exit code 1 when a figure fell
    python benchmarks/run.py --update           raise the floors to what was measured

A checkout has the project's own documents. The other sets are measured when CLEANFEED_DATA names the folder of
third-party data (default: ../shared/data beside the checkout). Accuracy figures are the same on every run; times are not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cleanfeed.evaluation import compare, figures, floors, pages, report, sets, speed, systems
from cleanfeed.evaluation.metrics import Floats, Truth, reliability
from cleanfeed.evaluation.records import Document

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
FLOORS = HERE / "floors.json"

COMPOSED_LANGUAGES = {"ar", "fa", "tr", "id", "es", "en", "ur"}
"""Languages with news sources kept out of training."""
COMPOSED_SCALE = 0.1
"""Times the number composed for training: enough for intervals of half a point, and a minute's work."""
COMPOSED_SEED = 20_240_229
LANGUAGE_DOCUMENTS = 5
"""A language needs so many documents to be drawn."""
THROUGHPUT_SYSTEMS = (
    "cleanfeed",
    "trailing-punctuation",
    "justext",
    "trafilatura",
    "resiliparse",
    "fasttext",
    "sklearn",
)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="hold the floors instead of writing results")
    parser.add_argument("--update", action="store_true", help="raise the floors instead of writing results")
    parser.add_argument("--allow-regression", action="store_true", help="with --update: lower floors too")
    parser.add_argument("--systems", metavar="A,B,…", default=",".join(systems.names()), help="default: all")
    args = parser.parse_args()
    data = sets.data_folder(PROJECT)
    if data is None:
        tell("CLEANFEED_DATA names no folder: only the project's own documents are measured")
    else:
        compose(data, PROJECT / "build" / "composed_dev.jsonl")
    if args.check or args.update:
        return hold_floors(data, update=args.update, allow_regression=args.allow_regression)
    names = ["cleanfeed", *(name for name in args.systems.split(",") if name != "cleanfeed")]
    report_on(data, names)
    return 0


def report_on(data: Path | None, names: list[str]) -> None:
    """Run the systems on all sets and on HTML pages, and write tables and pictures."""
    bench = systems.Bench(sets.training_files(PROJECT, data), PROJECT / "build" / "peers")
    ready, skipped = systems.load(names, bench)
    for name, reason in skipped.items():
        tell(f"{name} is not run: {reason}")
    found = report.Report([], [], skipped, environment=report.environment())
    runs: list[compare.Run] = []
    calibration: dict[str, tuple[Floats, Floats]] = {}
    lines_of_speed: list[Document] = []
    for each in sets.standard(PROJECT, data):
        documents, problems = each.read()
        found.problems.extend(problems)
        if each.name == "own":
            lines_of_speed = documents
        section, own_runs = on_set(each, documents, ready)
        if own_runs[0].scores is not None:
            calibration[each.name] = reliability(Truth.of(documents), own_runs[0].scores)
        found.sections.append(section)
        runs += own_runs
    found.timings.extend(report.timings(runs))
    if data is not None and (data / "html").is_dir():
        on_pages(data / "html", found)
    pictures = draw(found, calibration, [system for system in ready if system.name in THROUGHPUT_SYSTEMS], lines_of_speed)
    text = report.to_markdown(report.blocks(found, pictures), "Results")
    (HERE / "results.md").write_text(text, "utf-8")
    whole = PROJECT / "build" / "results.json"
    whole.parent.mkdir(exist_ok=True)
    whole.write_text(json.dumps(report.to_json(found), ensure_ascii=False, indent=1) + "\n", "utf-8")
    tell(f"wrote {HERE / 'results.md'} and, with every figure of every system, {whole}")


def on_set(
    each: sets.Set, documents: list[Document], ready: list[systems.System]
) -> tuple[report.Section, list[compare.Run]]:
    """All systems on one set, and on its languages."""
    runs = []
    for system in ready:
        runs.append(compare.run(system, documents))
        tell(f"{each.name}: {system.name}, {runs[-1].seconds:.1f} s, {len(runs[-1].errors)} failures")
    truth = Truth.of(documents)
    table = compare.table(each.group(documents), truth, runs)
    parts = [
        compare.table(group, truth, runs)
        for group in compare.groups_by(documents, "lang")
        if group.name.startswith("lang ") and group.n_documents >= LANGUAGE_DOCUMENTS
    ]
    return report.Section(each.name, each.about, each.digest(), table, parts if len(parts) > 1 else []), runs


def on_pages(folder: Path, found: report.Report) -> None:
    """trafilatura alone and with cleanfeed on HTML pages."""
    tell("HTML pages")
    html, problems, outputs = pages.read(folder)
    found.problems.extend(problems)
    try:
        found.pages["html"] = pages.measure(html, outputs)
    except ImportError as error:
        found.skipped["HTML pages"] = str(error)


def draw(
    found: report.Report,
    calibration: dict[str, tuple[Floats, Floats]],
    ready: list[systems.System],
    documents: list[Document],
) -> dict[str, str]:
    """Draw and write the pictures; the address of each by what it shows."""
    try:
        drawn = {
            "threshold": ("Junk recall against body kept", figures.threshold_curves([s.table for s in found.sections])),
            "languages": (
                "Junk F1 by language",
                figures.by_language({s.title: s.parts for s in found.sections if s.parts}),
            ),
            "reliability": ("Calibration of the default model", figures.reliability(calibration)),
            "throughput": ("Throughput against document size", figures.speeds(speed.throughput(ready, documents))),
        }
    except ImportError as error:
        tell(f"no pictures: {error}")
        return {}
    for name, (_, figure) in drawn.items():
        figures.save(figure, HERE / "figures" / name)
    return {text: f"figures/{name}.svg" for name, (text, _) in drawn.items()}


def hold_floors(data: Path | None, *, update: bool, allow_regression: bool) -> int:
    """Measure cleanfeed, and check or raise the floors."""
    measured = floors.Floors()
    cleanfeed = systems.cleanfeed()
    for each in sets.standard(PROJECT, data):
        documents, _ = each.read()
        table = compare.table(
            each.group(documents), Truth.of(documents), [compare.run(cleanfeed, documents)], resamples=1
        )
        own = {name: table.rows[0].figures[name].value for name in floors.NOISE}
        measured.sets[each.name] = floors.SetFloor(each.digest(), len(documents), own)
        if each.name == "own":
            measured.speed.update(speed.ratios(documents))
    try:
        pinned = floors.load(FLOORS) if FLOORS.exists() or not update else floors.Floors()
        if update:
            floors.save(floors.update(pinned, measured, allow_regression=allow_regression), FLOORS)
            tell(f"wrote {FLOORS}")
            return 0
        failures, passed_over = floors.check(pinned, measured)
    except floors.FloorError as error:
        tell(str(error))
        return 1
    for line in (*passed_over, *failures):
        tell(line)
    tell(f"{len(failures)} floors fell" if failures else "all floors hold")
    return 1 if failures else 0


def compose(data: Path, path: Path) -> None:
    """Write the composed documents of news sources kept out of training."""
    from cleanfeed.training.corpus import NUMBER
    from cleanfeed.training.dataset import composed_documents

    tell("composing documents")
    label = {number: name for name, number in NUMBER.items()}

    def records() -> Iterator[dict[str, object]]:
        made = composed_documents(data, measuring=True, part=0, parts=1, scale=COMPOSED_SCALE, seed=COMPOSED_SEED)
        for number, document in enumerate(each for each in made if each.lang in COMPOSED_LANGUAGES):
            yield {
                "id": f"composed-{number}",
                "lang": document.lang,
                "view": "composed",
                "lines": document.lines,
                "labels": [label[code] for code in document.labels],
                "traits": document.traits,
            }

    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    fresh.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records()), "utf-8")
    os.replace(fresh, path)


def tell(line: str) -> None:
    """Say how far it is."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
