"""Standard input to standard output, or to a file: one text, one page, or JSON Lines as they come."""

from __future__ import annotations

import os
import sys
from typing import IO

from cleanfeed.batch.durable import flush, sync_folder
from cleanfeed.batch.formats import Kind, jsonl
from cleanfeed.batch.formats.base import Block
from cleanfeed.batch.formats.documents import read_text
from cleanfeed.batch.inputs import Input
from cleanfeed.batch.outcome import Outcome, Problem, json_line
from cleanfeed.batch.progress import Progress
from cleanfeed.batch.run import Options, StrictStopError
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.work import Document, clean_documents
from cleanfeed.extract import EncodingError

_NAME = "standard input"


def clean_stdin(
    family: str, output: str | None, dry_run: bool, settings: Settings, options: Options, progress: Progress
) -> int:
    """Clean standard input; returns the exit code.

    Args:
        family: ``text``, ``html`` or ``jsonl``.
        output: A file, or None for standard output.
        dry_run: Write nothing.
        settings: How to clean.
        options: How to go about it.
        progress: Where to report.
    """
    source = sys.stdin.buffer
    if dry_run:
        with open(os.devnull, "wb") as nowhere:
            return _clean(source, nowhere, family, settings, options, progress)
    if output is None:
        return _clean(source, sys.stdout.buffer, family, settings, options, progress)
    scratch = f"{output}.{os.getpid()}.tmp"
    try:
        with open(scratch, "wb") as file:
            code = _clean(source, file, family, settings, options, progress)
            flush(file)
        os.replace(scratch, output)
        sync_folder(os.path.dirname(output))
    except OSError as error:
        progress.fail(f"cannot write {output}: {error.strerror or error}")
        return 1
    finally:
        if os.path.exists(scratch):
            os.unlink(scratch)
    return code


def _clean(
    source: IO[bytes], target: IO[bytes], family: str, settings: Settings, options: Options, progress: Progress
) -> int:
    outcome = Outcome()
    try:
        if family == "jsonl":
            _records(source, target, settings, options, progress, outcome)
        else:
            _document(source.read(), target, family, settings, outcome)
            _tell(outcome, options, progress)
    except StrictStopError as error:
        progress.fail(str(error))
        return 1
    return 1 if outcome.counts.skipped else 0


def _document(data: bytes, target: IO[bytes], family: str, settings: Settings, outcome: Outcome) -> None:
    try:
        text, note = read_text(data, family, settings)
    except EncodingError as error:
        outcome.report(Problem("encoding", str(error)))
        return
    if note is not None:
        outcome.report(note)
    cleaned = clean_documents([Document(text)], settings, [outcome], [_NAME], None)[0]
    if cleaned is None:
        return
    if settings.to == "same":
        target.write(cleaned.encode("utf-8", "surrogateescape"))
    else:
        target.write(json_line({settings.field: cleaned.encode("utf-8", "surrogateescape").decode("utf-8", "replace")}))
    target.flush()


def _records(
    source: IO[bytes], target: IO[bytes], settings: Settings, options: Options, progress: Progress, outcome: Outcome
) -> None:
    item = Input("-", _NAME, "-", Kind("jsonl"), 0)
    for block in jsonl.read_blocks(source, "", settings.encoding):
        if isinstance(block, Block):
            data, found = jsonl.clean_block(block.payload, item, settings, None)
            target.write(data)
            target.flush()
        else:
            found = Outcome()
            for problem in block.problems:
                found.report(problem)
        outcome.counts.add(found.counts)
        _tell(found, options, progress)


def _tell(outcome: Outcome, options: Options, progress: Progress) -> None:
    for problem in outcome.problems:
        progress.problem(_NAME, problem.place, problem.cause, skipped=problem.skipped)
        if problem.skipped and options.strict:
            raise StrictStopError(f"stopped at the first problem: {problem.place or _NAME}")
