"""A run: find what is still to do, do it in order, remember each step, and say what came of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from cleanfeed.batch import pool
from cleanfeed.batch.durable import replace_durably
from cleanfeed.batch.inputs import STATE_FOLDER, Input, Plan, show
from cleanfeed.batch.journal import Entry, Journal
from cleanfeed.batch.outcome import Counts, Outcome, Problem, json_lines
from cleanfeed.batch.progress import Progress
from cleanfeed.batch.repeats_pass import Choice, prepare
from cleanfeed.batch.settings import Settings
from cleanfeed.batch.sinks import FolderSink, Sink, digest_of
from cleanfeed.batch.tasks import BlockDone, BlockTask, Common, EndTask, FileDone, FilesTask, Task, cut, perform

# A process pool takes about a second to start. Work that one process does in less is not handed out.
_SMALL_WORK_BYTES = 8 << 20
_HTML_FACTOR = 30  # extraction costs about that many times more than cleaning the same bytes as text
# Files whose digests are compared in one go.
_CHECK_FILES, _CHECK_BYTES = 64, 1 << 28


class StrictStopError(RuntimeError):
    """Something was wrong with the input, and the user asked to stop at that."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes about it; nothing here changes the bytes of the output."""

    jobs: int | None = None
    """Worker processes; None for as many as there are cores, or one where the work is small."""
    strict: bool = False
    force: bool = False
    repeats: Choice = field(default_factory=Choice)


@dataclass(slots=True)
class Summary:
    """What came of a run."""

    counts: Counts
    files: int = 0
    files_done_before: int = 0


class Run:
    """Does the tasks of a plan and hands the results to a sink.

    Args:
        settings: How to clean.
        options: How to go about it.
        progress: Where to report.
    """

    def __init__(self, settings: Settings, options: Options, progress: Progress) -> None:
        self.settings = settings
        self.options = options
        self.progress = progress
        self.counts = Counts()
        """Of this run alone."""
        self._position = 0
        self._repeats_file: str | None = None

    def prepare_repeats(self, items: Sequence[Input], folder: str) -> None:
        """The first pass, if there is to be one: its counts become part of the settings."""
        jobs = self.jobs_for(items)
        self.settings, self._repeats_file = prepare(items, self.settings, self.options.repeats, folder, jobs)

    def work(
        self, items: Sequence[Input], sink: Sink, temporary: str | None = None, partial: Entry | None = None
    ) -> None:
        """Clean the items into the sink.

        Raises:
            StrictStopError: A problem, when ``strict`` was asked for; what came before it is kept.
            OutputError: The output cannot be written.
        """
        common = Common(self.settings, temporary, self._repeats_file)
        jobs = self.jobs_for(items)
        try:
            for task, result in pool.in_order(cut(items, common, partial), perform, jobs):
                self._take(task, result, sink)
        finally:
            sink.abandon()

    def jobs_for(self, items: Sequence[Input]) -> int:
        """Number of worker processes."""
        if self.options.jobs is not None:
            return self.options.jobs
        effort = sum(item.size * (_HTML_FACTOR if item.kind.family in ("html", "warc") else 1) for item in items)
        if effort <= _SMALL_WORK_BYTES:
            return 1
        from joblib import cpu_count

        return int(cpu_count())

    def _take(self, task: Task, result: object, sink: Sink) -> None:
        problems: list[tuple[str, Problem]] = []
        if isinstance(task, FilesTask):
            results = result if isinstance(result, list) else list(self._one_by_one(task))
            sink.files(results)
            for done in results:
                name, outcome = done.finished.item.name, done.finished.outcome
                problems += [(name, problem) for problem in outcome.problems]
                self._advance(done.finished.item.size, outcome.counts)
                self.progress.file_done(name, outcome.counts.as_dict())
        elif isinstance(task, BlockTask):
            done = result if isinstance(result, BlockDone) else _lost_block(task)
            sink.block(task, done)
            problems += [(task.item.name, problem) for problem in done.outcome.problems]
            self._advance(task.block.position - self._position, done.outcome.counts)
            self._position = task.block.position
        elif isinstance(task, EndTask):
            outcome = Outcome()
            for problem in task.end.problems:
                outcome.report(problem)
            counts = sink.end(task, outcome)
            problems += [(task.item.name, problem) for problem in outcome.problems]
            self._advance(max(task.item.size - self._position, 0), outcome.counts)
            self._position = 0
            self.progress.file_done(task.item.name, counts.as_dict())
        self.note(problems)

    def _one_by_one(self, task: FilesTask) -> Iterator[FileDone]:
        """A worker died on a group of files: find out on which, and do the others."""
        from cleanfeed.batch.formats.documents import Finished

        for item in task.items:
            for _, result in pool.in_order([FilesTask(task.common, (item,))], perform, jobs=2):
                if isinstance(result, list):
                    yield from result
                else:
                    finished = Finished(item)
                    finished.outcome.report(Problem("worker-died", "the worker process died on this file"))
                    yield FileDone(finished)

    def _advance(self, size: int, counts: Counts) -> None:
        self.counts.add(counts)
        self.progress.advance(size, counts.documents, counts.skipped)

    def note(self, problems: Sequence[tuple[str, Problem]]) -> None:
        """Tell the user of problems.

        Raises:
            StrictStopError: If that is what the user wants.
        """
        for name, problem in problems:
            self.progress.problem(show(name), problem.place, problem.cause, skipped=problem.skipped)
            if problem.skipped and self.options.strict:
                where = f"{show(name)}, {problem.place}" if problem.place else show(name)
                raise StrictStopError(f"stopped at the first problem: {where}")


def to_stream(plan: Plan, sink: Sink, settings: Settings, options: Options, progress: Progress) -> Summary:
    """Clean a plan into a sink that keeps no journal: the standard output, or nowhere."""
    run = Run(settings, options, progress)
    run.counts.skipped += len(plan.problems)
    run.note(plan.problems)
    with tempfile.TemporaryDirectory() as folder:
        run.prepare_repeats(plan.inputs, folder)
        run.work(plan.inputs, sink)
    return Summary(run.counts, len(plan.inputs))


def to_folder(
    plan: Plan,
    journal: Journal,
    place: Callable[[Input], str],
    settings: Settings,
    options: Options,
    progress: Progress,
) -> Summary:
    """Clean a plan into files, leaving out what the journal says is done.

    Args:
        plan: What to clean.
        journal: Of the output, entered.
        place: Where the output of an input goes.
        settings: How to clean.
        options: How to go about it.
        progress: Where to report.
    """
    run = Run(settings, options, progress)
    run.prepare_repeats(plan.inputs, journal.folder)
    settings = run.settings
    if options.force:
        journal.forget([item.name for item in plan.inputs])
        journal.drop_partial()
    done = _done_before(plan.inputs, journal, place, run)
    todo = [item for item in plan.inputs if item.name not in done]
    todo = _partial_first(todo, journal, settings)
    progress.advance(sum(item.size for item in plan.inputs if item.name in done), 0, 0)
    order = [item.name for item in plan.inputs]
    try:
        run.note(plan.problems)
        run.work(todo, FolderSink(journal, place, settings), journal.temporary, journal.partial)
    finally:
        _write_errors(plan, journal, order)
    journal.compact(order)
    counts = Counts(skipped=len(plan.problems))
    for name in order:
        counts.add(Counts(**journal.entries[name].counts))
    return Summary(counts, len(plan.inputs), len(done))


def _write_errors(plan: Plan, journal: Journal, order: Sequence[str]) -> None:
    lines = json_lines(problem.record(name) for name, problem in plan.problems)
    replace_durably(journal.path("errors.jsonl"), chain([lines], journal.read("errors", order)))


def _partial_first(todo: list[Input], journal: Journal, settings: Settings) -> list[Input]:
    """Begin with the file that a run was interrupted in: its share of the spools must stay in one piece."""
    partial = journal.partial
    if partial is None:
        return todo
    item = next((item for item in todo if item.name == partial.input), None)
    if item is None or not _same_settings(partial, settings):
        journal.drop_partial()
        return todo
    return [item, *(other for other in todo if other is not item)]


def _same_settings(entry: Entry, settings: Settings) -> bool:
    return entry.settings == settings.identity() and set(entry.collected) >= settings.collect


def _done_before(inputs: Sequence[Input], journal: Journal, place: Callable[[Input], str], run: Run) -> set[str]:
    """Names of the inputs that need no work: same bytes, same settings, and their output stands as it was left."""
    checks: list[list[tuple[str, str, str | None, Entry]]] = [[]]
    size = 0
    for item in inputs:
        entry = journal.entries.get(item.name)
        if entry is None or not entry.digest or entry.size != item.size or not _same_settings(entry, run.settings):
            continue
        if entry.output is not None and entry.output != item.output:
            continue
        checks[-1].append((item.name, item.path, place(item) if entry.output is not None else None, entry))
        size += item.size + entry.output_size
        if len(checks[-1]) >= _CHECK_FILES or size >= _CHECK_BYTES:
            checks.append([])
            size = 0
    total = sum(entry.size for group in checks for *_, entry in group)
    # Reading and hashing runs at some 50 times the speed of cleaning.
    jobs = run.options.jobs or (1 if total < 50 * _SMALL_WORK_BYTES else None)
    if jobs is None:
        from joblib import cpu_count

        jobs = int(cpu_count())
    done: set[str] = set()
    for _, names in pool.in_order(checks, _unchanged, jobs):
        done.update(names if isinstance(names, list) else [])
    return done


def _unchanged(group: list[tuple[str, str, str | None, Entry]]) -> list[str]:
    names = []
    for name, path, output, entry in group:
        try:
            if digest_of(path) == entry.digest and (output is None or digest_of(output) == entry.output_digest):
                names.append(name)
        except OSError:
            continue
    return names


def _lost_block(task: BlockTask) -> BlockDone:
    cause = f"the worker process died on block {task.index + 1}: its records are left out"
    done = BlockDone(b"")
    done.outcome.report(Problem("worker-died", cause, f"block {task.index + 1}"))
    return done


def state_folder(output: str, *, single: bool) -> str:
    """Where the journal of an output lives: inside a folder, beside a single file."""
    if not single:
        return os.path.join(output, STATE_FOLDER)
    folder, name = os.path.split(os.path.abspath(output))
    return os.path.join(folder, f".{name}.cleanfeed")
