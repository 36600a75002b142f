"""The command line: names the sub-commands and hands over to the room that each one lives in."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from cleanfeed import __version__

# Each module gives add_parser(subparsers) and run(args) -> exit code. A module that an installation lacks is left out.
_COMMANDS = (
    "cleanfeed.batch.command",
    "cleanfeed.explain_command",
    "cleanfeed.evaluation.command",
    "cleanfeed.training.command",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; those of the process if None.

    Returns:
        0 when all went well, 1 when something was skipped or failed, 2 for a wrong command line, 130 when interrupted.
    """
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        print("cleanfeed: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough. Python would complain once more while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cleanfeed", description="Take the lines that are not the article out of scraped text."
    )
    parser.add_argument("--version", action="version", version=f"cleanfeed {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in _COMMANDS:
        module = importlib.import_module(name)
        command = module.add_parser(subparsers)
        command.set_defaults(run=module.run)
    return parser
