"""One call of ``cleanfeed clean`` on files: find them, check the places, run, say what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from cleanfeed.batch import gather, inputs, run
from cleanfeed.batch.formats import recognise
from cleanfeed.batch.formats.compression import MissingLibraryError
from cleanfeed.batch.inputs import Input, Plan, UsageError, show
from cleanfeed.batch.journal import Journal, OutputBusyError
from cleanfeed.batch.progress import Progress
from cleanfeed.batch.settings import Settings, cleaner_for
from cleanfeed.batch.sinks import NowhereSink, Sink, StreamSink
from cleanfeed.batch.tasks import OutputError, require


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, apart from how to clean and how to go about it."""

    paths: Sequence[str]
    output: str | None
    """None or ``-`` for standard output."""
    dry_run: bool
    wanted: gather.Wanted
    level: int
    log_json: bool

    @property
    def to_stream(self) -> bool:
        """Whether nothing goes to files."""
        return self.output in (None, "-") or self.dry_run

    @property
    def single(self) -> bool:
        """Whether the output is one file: one input that is no directory, and an output that does not look like one."""
        if self.output in (None, "-") or len(self.paths) != 1 or os.path.isdir(self.paths[0]):
            return False
        return not os.path.isdir(str(self.output)) and not str(self.output).endswith(("/", os.sep))


def clean_paths(request: Request, settings: Settings, options: run.Options, log: Progress) -> int:
    """Clean files and directories; returns the exit code.

    Raises:
        UsageError: The request cannot be; nothing was read or written.
    """
    settings = replace(settings, to=_target(request, settings.to))
    plan = inputs.find_inputs(request.paths, settings.to)
    if not plan.inputs and not plan.problems:
        log.fail(inputs.nothing_to_clean(request.paths))
        return 1
    if request.single:
        plan.inputs = [replace(item, output=os.path.basename(str(request.output))) for item in plan.inputs]
    elif request.to_stream and settings.to == "same":
        plan.inputs = [replace(item, output="-") for item in plan.inputs]  # not compressed
    _check_places(plan, request, settings)
    documents = sum(item.kind.is_document for item in plan.inputs)
    settings = replace(settings, sample_share=min(1.0, gather.SHOWN_DOCUMENTS / max(documents, 1)))
    folder = None if request.to_stream else run.state_folder(str(request.output), single=request.single)
    try:
        for kind in {item.kind for item in plan.inputs}:
            require(kind, settings.to)
        with Progress(sum(item.size for item in plan.inputs), request.level, as_json=request.log_json) as progress:
            if folder is None:
                summary = _to_stream(plan, request, settings, options, progress)
            else:
                summary = _to_folder(plan, folder, request, settings, options, progress)
    except (OutputBusyError, OutputError, run.StrictStopError, MissingLibraryError) as error:
        log.fail(str(error))
        return 1
    except OSError as error:
        log.fail(f"cannot write {error.filename or request.output}: {error.strerror or error}")
        return 1
    errors = os.path.join(folder, "errors.jsonl") if folder is not None and os.path.isdir(folder) else None
    log.say(_in_words(summary, errors, dry=request.dry_run), **summary.counts.as_dict())
    return 1 if summary.counts.skipped else 0


def _to_stream(
    plan: Plan, request: Request, settings: Settings, options: run.Options, progress: Progress
) -> run.Summary:
    with closing(gather.Scratch()) as scratch:
        sink: Sink = StreamSink(sys.stdout.buffer, scratch.add)
        if request.dry_run:
            sink = NowhereSink(sys.stdout, scratch.add)
        summary = run.to_stream(plan, sink, settings, options, progress)
        gather.write(request.wanted, scratch.read, _about(request, settings, summary))
    return summary


def _to_folder(
    plan: Plan, folder: str, request: Request, settings: Settings, options: run.Options, progress: Progress
) -> run.Summary:
    order = [item.name for item in plan.inputs]
    with Journal(folder) as journal:
        summary = run.to_folder(plan, journal, _place(request), settings, options, progress)
        gather.write(request.wanted, lambda spool: journal.read(spool, order), _about(request, settings, summary))
        if request.single and plan.inputs and plan.inputs[0].kind.is_document and not summary.counts.skipped:
            journal.vanish()  # one document is quickly done again: leave nothing beside it
    return summary


def _place(request: Request) -> Callable[[Input], str]:
    output = str(request.output)
    if request.single:
        return lambda _: output
    return lambda item: os.path.join(output, *item.output.split("/"))


def _target(request: Request, target: str) -> str:
    """The output format: what ``--to`` says, else what the name of a single output file says.

    Raises:
        UsageError: That format cannot be made of the input.
    """
    if not request.single or target != "same":
        return target
    source, wanted = recognise(request.paths[0]), recognise(str(request.output))
    if wanted is None or source is None or wanted.family == source.family:
        return target
    if wanted.family == "jsonl":
        return f"jsonl.{wanted.compression}" if wanted.compression else "jsonl"
    if wanted.family == "text" and source.is_document:
        return target
    raise UsageError(
        f"{show(str(request.output))}: cannot make {wanted.family} of {source.family}; JSONL can be made of anything"
    )


def _check_places(plan: Plan, request: Request, settings: Settings) -> None:
    """Refuse outputs that lie in the way of inputs, or that cannot hold what is to go there.

    Raises:
        UsageError: Says what to do instead.
    """
    for path in request.wanted.paths:
        if os.path.exists(path) and any(os.path.samefile(path, item.path) for item in plan.inputs):
            raise UsageError(f"{show(path)} is an input: inputs are never changed, give another file")
    if request.output not in (None, "-"):
        inputs.check_output([path for path in request.paths if os.path.exists(path)], str(request.output))
    elif not request.dry_run:
        if len(plan.inputs) > 1 and settings.to != "jsonl":
            raise UsageError(
                "several files need an output directory (-o OUT), or --to jsonl to print them one after another"
            )
        if settings.to == "same" and any(item.kind.family == "parquet" for item in plan.inputs):
            raise UsageError("Parquet cannot go to standard output: give -o OUT, or --to jsonl")


def _about(request: Request, settings: Settings, summary: run.Summary) -> dict[str, Any]:
    return {
        "title": ", ".join(map(show, request.paths)),
        "counts": summary.counts.as_dict(),
        "settings": {
            "model": cleaner_for(settings).model.name,
            "threshold": f"{settings.threshold:g}",
            "dropped labels": ", ".join(settings.drop or ()),
            "files": summary.files,
        },
    }


def _in_words(summary: run.Summary, errors: str | None, *, dry: bool) -> str:
    counts = summary.counts
    lines = counts.lines_in - counts.lines_out
    characters = counts.characters_in - counts.characters_out
    parts = [
        f"{'would clean' if dry else 'cleaned'} {_number(counts.documents, 'document')} "
        f"in {_number(summary.files, 'file')}: "
        f"{lines} of {counts.lines_in} lines and {characters} of {counts.characters_in} characters taken out"
    ]
    if summary.files_done_before:
        parts.append(f"{_number(summary.files_done_before, 'file')} done before")
    if counts.suspect:
        parts.append(f"{counts.suspect} would lose so much that you should look at them")
    if counts.skipped:
        parts.append(f"{counts.skipped} skipped")
    if errors is not None and (counts.skipped or counts.notes):
        parts.append(f"see {show(errors)}")
    return "; ".join(parts)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
