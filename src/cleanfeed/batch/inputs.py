"""Finding what there is to clean, and where each result goes, before anything is read or written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cleanfeed.batch.formats import Kind, known_suffixes, output_name, recognise
from cleanfeed.batch.outcome import Problem

STATE_FOLDER = ".cleanfeed"
"""Holds the journal of a run inside its output; never taken for input."""


class UsageError(ValueError):
    """The command line asks for something that cannot be: nothing was read or written."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file to clean."""

    path: str
    """As the system opens it; bytes of the name that are not UTF-8 stand as lone surrogates (``os.fsdecode``)."""
    name: str
    """Path inside the tree of inputs, with ``/``: unique in a run, the same on every machine."""
    output: str
    """Path inside the output folder, with ``/``."""
    kind: Kind
    size: int
    """In bytes when it was found."""

    @property
    def site(self) -> str:
        """The top folder: what a file without an address of its own is grouped by."""
        folder, slash, _ = self.name.partition("/")
        return folder if slash else ""


@dataclass(slots=True)
class Plan:
    """All inputs of a run in their order, and what was wrong while looking for them."""

    inputs: list[Input] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    """Name of a path, and why nothing is done with it."""
    ignored: int = 0
    """Files in directories whose suffix is not known."""


def find_inputs(paths: Sequence[str], to: str) -> Plan:
    """Look through files and directories, in the order given and by name within directories.

    One directory, or one file, is mirrored as it is; several inputs each under their own name.

    Raises:
        UsageError: Two inputs would be written to the same place.
    """
    plan = Plan()
    for path in paths:
        prefix = "" if len(paths) == 1 and os.path.isdir(path) else _base_name(path)
        if os.path.isdir(path):
            _walk(path, prefix, plan, to, ancestors=())
        else:
            _add_file(path, prefix, plan, to, explicit=True)
    _refuse_collisions(plan.inputs)
    return plan


def check_output(paths: Sequence[str], output: str) -> None:
    """Refuse an output that would write into the inputs, or inputs that lie in the output.

    Raises:
        UsageError: With what to do instead.
    """
    target = os.path.realpath(output)
    for path in paths:
        source = os.path.realpath(path)
        if source == target:
            raise UsageError(f"{show(output)} is an input too: inputs are never changed, give another output")
        if _within(target, source):
            raise UsageError(f"the output {show(output)} lies inside the input {show(path)}: give one outside it")
        if _within(source, target):
            raise UsageError(f"the input {show(path)} lies inside the output {show(output)}: give another output")


def show(path: str) -> str:
    """A path as one line that any terminal can show: control characters and broken bytes as escapes."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in path)


def _within(inner: str, outer: str) -> bool:
    return os.path.commonpath([inner, outer]) == outer


def _base_name(path: str) -> str:
    return os.path.basename(os.path.abspath(path))


def _refuse_collisions(inputs: Sequence[Input]) -> None:
    seen: dict[str, Input] = {}
    for item in inputs:
        other = seen.setdefault(item.output, item)
        if other is not item:
            raise UsageError(
                f"{show(other.path)} and {show(item.path)} would both be written to {show(item.output)}: "
                "clean them in two runs with two outputs"
            )


def _walk(folder: str, prefix: str, plan: Plan, to: str, ancestors: tuple[tuple[int, int], ...]) -> None:
    """Add the files below ``folder``. Links to directories are followed, except back into a directory above."""
    try:
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in ancestors:
            plan.problems.append((prefix, Problem("symlink-loop", "a link that leads back to a directory above it")))
            return
        entries = sorted(_entries(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        plan.problems.append((prefix or folder, Problem("unreadable", explain_os_error(error))))
        return
    for entry in entries:
        name = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.name == STATE_FOLDER:
            continue
        try:
            is_folder = entry.is_dir()
        except OSError as error:
            plan.problems.append((name, Problem("unreadable", explain_os_error(error))))
            continue
        if is_folder:
            _walk(entry.path, name, plan, to, (*ancestors, identity))
        else:
            _add_file(entry.path, name, plan, to, explicit=False)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries


def _add_file(path: str, name: str, plan: Plan, to: str, *, explicit: bool) -> None:
    kind = recognise(name)
    if kind is None:
        if not explicit:
            plan.ignored += 1
            return
        kind = Kind("text")  # A file that the user names is taken at its word.
    try:
        status = os.stat(path)
    except OSError as error:
        plan.problems.append((name, Problem("unreadable", explain_os_error(error))))
        return
    if not stat.S_ISREG(status.st_mode):
        plan.problems.append((name, Problem("unreadable", "neither a file nor a directory")))
        return
    plan.inputs.append(Input(path, name, output_name(name, kind, to), kind, status.st_size))


def explain_os_error(error: OSError) -> str:
    """The cause of a failed system call, without the path that stands beside it anyway."""
    return error.strerror or str(error)


def nothing_to_clean(paths: Sequence[str]) -> str:
    """The message for inputs in which there is nothing that can be cleaned."""
    return f"nothing to clean in {', '.join(map(show, paths))}: no file with {known_suffixes()}"
