"""What the user sees while a run goes on, all on stderr: a bar when somebody watches, log lines, a line at the end."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

QUIET, NORMAL, VERBOSE = 0, 1, 2
# A dump with a million broken lines must not fill the terminal; errors.jsonl has them all.
_MAX_PROBLEMS_SHOWN = 20


class Progress:
    """Reports on a run; use it as a context manager.

    Args:
        total: Bytes of input.
        level: ``QUIET`` says only what failed as a whole, ``NORMAL`` adds problems, ``VERBOSE`` each file.
        as_json: Log lines as JSON objects, and no bar.
    """

    def __init__(self, total: int = 0, level: int = NORMAL, *, as_json: bool = False) -> None:
        self._total = total
        self._level = level
        self._as_json = as_json
        self._bar: Any = None
        self._documents = 0
        self._errors = 0
        self._shown = 0

    def __enter__(self) -> Progress:
        """Show the bar, if stderr is a terminal."""
        if self._level > QUIET and not self._as_json and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=self._total, unit="B", unit_scale=True, unit_divisor=1000, dynamic_ncols=True, file=sys.stderr
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def advance(self, size: int, documents: int, errors: int) -> None:
        """So many bytes of input, documents and errors more are done."""
        self._documents += documents
        self._errors += errors
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._documents} documents, {self._errors} errors", refresh=False)
            self._bar.update(size)

    def problem(self, file: str, place: str, cause: str, *, skipped: bool) -> None:
        """Something in the input is wrong (``skipped``) or worth a look."""
        if self._level >= (NORMAL if skipped else VERBOSE):
            self._shown += 1
            if self._level == NORMAL and self._shown > _MAX_PROBLEMS_SHOWN:
                if self._shown == _MAX_PROBLEMS_SHOWN + 1:
                    self._say("info", "more problems follow; they are listed, not shown")
                return
            where = f"{file}, {place}" if place else file
            self._say("error" if skipped else "note", f"{where}: {cause}", file=file, place=place, cause=cause)

    def file_done(self, file: str, counts: dict[str, int]) -> None:
        """A file is finished."""
        if self._level >= VERBOSE:
            lost = counts["lines_in"] - counts["lines_out"]
            message = f"{file}: {counts['documents']} documents, {lost} of {counts['lines_in']} lines taken out"
            self._say("file", message, file=file, **counts)

    def say(self, message: str, **values: Any) -> None:
        """Something about the run as a whole."""
        if self._level > QUIET:
            self._say("info", message, **values)

    def fail(self, message: str) -> None:
        """The run cannot go on; said even when quiet."""
        self._say("fatal", message)

    def _say(self, event: str, message: str, **values: Any) -> None:
        if self._as_json:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            line = json.dumps({"time": stamp, "event": event, "message": message, **values})
        else:
            line = f"cleanfeed: {message}".encode(errors="backslashreplace").decode()
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)
