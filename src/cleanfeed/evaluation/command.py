"""`cleanfeed bench`: measure systems on labelled lines and on HTML pages."""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanfeed.evaluation.report import Report


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the sub-command and its options."""
    parser = subparsers.add_parser(
        "bench",
        help="measure on labelled lines, beside other tools",
        description="Measure cleanfeed and other tools on labelled lines: figures with intervals over documents.",
        epilog="Exit code: 0 all ran; 1 figures were printed, but something was left out, as reported on standard "
        "error; 2 nothing could be measured.",
    )
    parser.add_argument("labelled", nargs="*", type=Path, help="files of labelled documents, .jsonl or .jsonl.gz")
    parser.add_argument("--systems", metavar="A,B,…", help="what to run, or 'all'; the first is compared with the rest")
    parser.add_argument("--list", action="store_true", help="list the systems and stop")
    parser.add_argument("--by", choices=("lang", "trait", "view"), help="give figures for each of these too")
    parser.add_argument("--pages", metavar="FOLDER", type=Path, help="HTML pages with their main text, measured too")
    parser.add_argument("--train", metavar="FILE", nargs="+", type=Path, default=[],
                        help="labelled files to train the systems that learn")  # fmt: skip
    parser.add_argument("--json", metavar="OUT", type=Path, help="write all figures as JSON")
    parser.add_argument("--html", metavar="OUT", type=Path,
                        help="write the report as one HTML page, with a browser of the mistakes")  # fmt: skip
    parser.add_argument("--mistakes", metavar="OUT", type=Path,
                        help="write each line that a system got wrong, as JSON Lines")  # fmt: skip
    parser.add_argument("--resamples", type=int, default=1000, help="resamples for the intervals (default: 1000)")
    parser.add_argument("--seed", type=int, default=20_240_229, help="seed of the resamples (default: 20240229)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Measure, print the report as Markdown, write what was asked for."""
    from cleanfeed.evaluation import mistakes, report_html, systems
    from cleanfeed.evaluation import report as reports

    if args.list:
        for peer in (systems.Peer("cleanfeed", "this project"), *systems.peers().values()):
            print(f"{peer.name:24}{peer.about}")
        return 0
    if not args.labelled and args.pages is None:
        return _stop("name files of labelled documents, or a folder with --pages")
    complaints: list[str] = []
    report = reports.Report([], [], environment=reports.environment())
    if args.labelled:
        _measure_lines(args, report, complaints)
    if args.pages is not None:
        _measure_pages(args, report, complaints)
    for complaint in complaints:
        print(f"cleanfeed bench: {complaint}", file=sys.stderr)
    if not report.sections and not report.pages:
        return _stop("nothing could be measured")

    found = reports.blocks(report)
    print(reports.to_markdown(found, "cleanfeed bench"), end="")
    if args.json:
        args.json.write_text(json.dumps(reports.to_json(report), ensure_ascii=False, indent=1) + "\n", "utf-8")
    if args.html:
        found = reports.blocks(report, _pictures(report))
        args.html.write_text(report_html.to_html(found, "cleanfeed bench", report.mistakes), "utf-8")
    if args.mistakes:
        # Half of a surrogate pair is written as the escape that it is in JSON.
        with args.mistakes.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in mistakes.records(report.mistakes))
    return 1 if complaints else 0


def _measure_lines(args: argparse.Namespace, report: Report, complaints: list[str]) -> None:
    """Add the labelled files to the report."""
    from cleanfeed.evaluation import compare, mistakes, records, sets, systems
    from cleanfeed.evaluation import report as reports
    from cleanfeed.evaluation.metrics import Truth

    if seen := {path.resolve() for path in args.labelled} & {path.resolve() for path in args.train}:
        complaints.append(f"{', '.join(path.name for path in seen)}: both trained on and measured, figures mean little")
    documents, problems = records.read_all(args.labelled)
    report.problems.extend(map(str, problems))
    complaints.extend(report.problems)
    wanted = (args.systems or ",".join(systems.DEFAULT)).split(",")
    names = systems.names() if wanted == ["all"] else [name.strip() for name in wanted if name.strip()]
    ready, skipped = systems.load(names, systems.Bench(tuple(args.train)))
    report.skipped.update(skipped)
    complaints.extend(f"{name} is not run: {reason}" for name, reason in skipped.items())
    if not documents or not ready:
        return
    runs = []
    for system in ready:
        runs.append(compare.run(system, documents))
        print(f"ran {system.name}: {runs[-1].seconds:.1f} s, {len(runs[-1].errors)} failures", file=sys.stderr)
    complaints.extend(f"{run.system.name} failed on {error}" for run in runs for error in run.errors[:3])
    truth = Truth.of(documents)
    first, *parts = [
        compare.table(group, truth, runs, resamples=args.resamples, seed=args.seed)
        for group in compare.groups_by(documents, args.by)
    ]
    try:
        digest = sets.Set("all", "", tuple(path for path in args.labelled if path.is_file())).digest()
    except (OSError, EOFError, zlib.error):  # a file that breaks off; its good part was measured
        digest = "unknown"
    report.sections.append(reports.Section("All documents", "", digest, first, parts))
    report.timings.extend(reports.timings(runs))
    if args.html or args.mistakes:
        report.mistakes.extend(mistakes.find(documents, truth, each) for each in runs)


def _measure_pages(args: argparse.Namespace, report: Report, complaints: list[str]) -> None:
    """Add a folder of HTML pages to the report."""
    from cleanfeed.evaluation import pages

    try:
        found, problems, outputs = pages.read(args.pages)
    except (OSError, ValueError) as error:
        complaints.append(str(error))
        return
    report.problems.extend(problems)
    complaints.extend(problems)
    if not found:
        complaints.append(f"{args.pages}: no page has both a truth and HTML")
        return
    try:
        report.pages[args.pages.name] = pages.measure(found, outputs, resamples=args.resamples, seed=args.seed)
    except ImportError as error:
        complaints.append(f"{args.pages} is not measured: {error}")


def _pictures(report: Report) -> dict[str, str]:
    """The threshold curves as SVG text, where matplotlib is installed."""
    tables = [section.table for section in report.sections]
    if not any(table.rows for table in tables):
        return {}
    try:
        from cleanfeed.evaluation import figures

        return {"Junk recall against body kept, along the threshold": figures.svg(figures.threshold_curves(tables))}
    except ImportError:
        return {}


def _stop(message: str) -> int:
    print(f"cleanfeed bench: {message}", file=sys.stderr)
    return 2
