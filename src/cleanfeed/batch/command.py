"""``cleanfeed clean``: reads the command line and hands it to ``job``."""

from __future__ import annotations

import argparse
import codecs
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cleanfeed.batch import job, standard
from cleanfeed.batch.formats import TARGETS
from cleanfeed.batch.gather import Wanted
from cleanfeed.batch.inputs import UsageError, show
from cleanfeed.batch.progress import NORMAL, QUIET, VERBOSE, Progress
from cleanfeed.batch.repeats_pass import ENOUGH_DOCUMENTS, Choice
from cleanfeed.batch.run import Options
from cleanfeed.batch.settings import Settings
from cleanfeed.extract import MODES

_DESCRIPTION = (
    "Take the lines that are not the article out of texts, pages, records and crawls. Inputs are never changed. "
    "An interrupted run goes on where it was when the same command is given again."
)
_EPILOG = "Exit status: 0 all done, 1 something was skipped or failed, 2 wrong command line."


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the sub-command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "clean", help="clean files, directories or standard input", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="file or directory; - for standard input")
    parser.add_argument("-o", "--output", metavar="OUT", help="output directory, or file for a single input file")
    _add_cleaning(parser.add_argument_group("cleaning"))
    _add_repeats(parser.add_argument_group("lines that repeat over a site"))
    _add_formats(parser.add_argument_group("formats"))
    _add_seen(parser.add_argument_group("what went"))
    _add_going(parser.add_argument_group("how to go about it"))
    return parser


def _add_cleaning(group: Any) -> None:
    add = group.add_argument
    add("--threshold", type=float, help="score from which a line goes, 0 to 1 (default: the model's)")
    add("--drop", metavar="LABELS", help="labels to drop, with commas between (default: teaser,boilerplate)")
    add("--model", default="default", help="name of the model (default: default)")
    help_max = "list documents that would lose more than this share of their characters (default: 0.9)"
    add("--max-drop", type=float, default=0.9, metavar="SHARE", help=help_max)
    add("--keep-suspect", action="store_true", help="keep those documents whole")


def _add_repeats(group: Any) -> None:
    choice = group.add_mutually_exclusive_group()
    help_auto = f"(default: if a site has {ENOUGH_DOCUMENTS} documents; for HTML only if asked, it is extracted twice)"
    choice.add_argument(
        "--repeats", action="store_true", default=None, help=f"count lines per site first, as evidence {help_auto}"
    )
    choice.add_argument("--no-repeats", dest="repeats", action="store_false", help="never count lines first")
    group.add_argument(
        "--repeats-file", metavar="FILE.npz", help="load the counts from FILE, or save them if it is new"
    )
    help_memory = "most memory for the counts: 64 MiB are good for 8 million different lines (default: 64)"
    group.add_argument("--repeats-memory", type=int, default=64, metavar="MIB", help=help_memory)


def _add_formats(group: Any) -> None:
    add = group.add_argument
    add("--field", default="text", help="key or column of the text in JSONL and Parquet (default: text)")
    add("--html-field", metavar="FIELD", help="key or column that holds HTML; its text goes to --field")
    add("--url-field", default="url", metavar="FIELD", help="key or column of the address (default: url)")
    add("--to", choices=TARGETS, default="same", help="output format (default: that of the input)")
    help_from = "what standard input holds (default: one text)"
    add("--from", dest="stdin_format", choices=("text", "html", "jsonl"), default="text", help=help_from)
    add("--encoding", help="of text, HTML and JSONL files (default: detected for each)")
    help_mode = "how much of an HTML page trafilatura lets through before the cleaning (default: balanced)"
    add("--extraction", choices=MODES, default="balanced", help=help_mode)


def _add_seen(group: Any) -> None:
    add = group.add_argument
    add("--rejects", metavar="FILE", help="write the dropped lines, as JSON Lines")
    add("--stats", metavar="FILE", help="write lines and characters by label of each file, site and script")
    add("--report", metavar="FILE", help="write one HTML page that shows what went and why")


def _add_going(group: Any) -> None:
    add = group.add_argument
    add("-j", "--jobs", type=int, metavar="N", help="worker processes (default: one per core, one for small work)")
    add("--force", action="store_true", help="do everything again")
    add("--strict", action="store_true", help="stop at the first thing that cannot be cleaned")
    add("--dry-run", action="store_true", help="say what would go, write nothing")
    add("-q", "--quiet", action="store_true", help="only say what failed as a whole")
    add("-v", "--verbose", action="store_true", help="say something about every file")
    add("--log-json", action="store_true", help="log lines as JSON objects")


def run(args: argparse.Namespace) -> int:
    """Run the sub-command.

    Returns:
        0 when all was done, 1 when something was skipped or failed, 2 when the command line is wrong.
    """
    level = QUIET if args.quiet else VERBOSE if args.verbose else NORMAL
    log = Progress(level=level, as_json=args.log_json)
    with _terminated():
        try:
            settings, options = _settings(args), _options(args)
            if "-" not in args.inputs:
                request = job.Request(args.inputs, args.output, args.dry_run, _wanted(args), level, args.log_json)
                return job.clean_paths(request, settings, options, log)
            if len(args.inputs) > 1:
                raise UsageError("- stands for standard input and cannot be mixed with files")
            output = None if args.output == "-" else args.output
            return standard.clean_stdin(args.stdin_format, output, args.dry_run, settings, options, log)
        except UsageError as error:
            log.fail(str(error))
            return 2


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM)."""


@contextmanager
def _terminated() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does: orderly."""

    def handler(*_: object) -> None:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, handler)
    except ValueError:  # not in the main thread: whoever runs us has its own ways
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _settings(args: argparse.Namespace) -> Settings:
    """Settings from the command line.

    Raises:
        UsageError: A value makes no sense.
    """
    if args.encoding is not None:
        try:
            "".encode(args.encoding)
            codecs.getincrementaldecoder(args.encoding)
        except LookupError as error:
            raise UsageError(f"--encoding {args.encoding}: no such encoding") from error
    if not 0 <= args.max_drop <= 1:
        raise UsageError(f"--max-drop {args.max_drop}: give a share from 0 to 1")
    drop = None if args.drop is None else tuple(label.strip() for label in args.drop.split(",") if label.strip())
    settings = Settings(
        model=args.model,
        threshold=args.threshold,
        drop=drop,
        field=args.field,
        html_field=args.html_field,
        url_field=args.url_field,
        encoding=args.encoding,
        to=args.to,
        extraction=args.extraction,
        max_drop=args.max_drop,
        keep_suspect=args.keep_suspect,
        collect=_wanted(args).collect,
    )
    try:
        return settings.resolved()
    except ValueError as error:
        raise UsageError(str(error)) from error


def _options(args: argparse.Namespace) -> Options:
    """How to go about it, from the command line.

    Raises:
        UsageError: A value makes no sense.
    """
    if args.jobs is not None and args.jobs < 1:
        raise UsageError(f"--jobs {args.jobs}: give 1 or more")
    if args.repeats_file is not None and not args.repeats_file.endswith(".npz"):
        raise UsageError(f"--repeats-file {show(args.repeats_file)}: the name must end in .npz")
    if args.repeats_file is not None and args.repeats is False:
        raise UsageError("--no-repeats and --repeats-file cannot both be meant")
    if args.repeats_memory < 1:
        raise UsageError(f"--repeats-memory {args.repeats_memory}: give 1 MiB or more")
    # Eight bytes hold one counter in each of the four rows; the number of counters is a power of two.
    counters = (args.repeats_memory << 20) // 8
    choice = Choice(args.repeats, args.repeats_file, 1 << (counters.bit_length() - 1))
    return Options(jobs=args.jobs, strict=args.strict, force=args.force, repeats=choice)


def _wanted(args: argparse.Namespace) -> Wanted:
    return Wanted(args.rejects, args.stats, args.report)
