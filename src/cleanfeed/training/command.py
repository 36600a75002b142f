"""`cleanfeed train`: the default model from raw data, or labelled lines from pages with their true text."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_EXAMPLES = """examples:
  cleanfeed train --data corpora -o models                       the default model, from the folders lines/, news/, headlines/ ...
  cleanfeed train --align pages.jsonl -o lines.jsonl             labelled lines from {"id", "html", "text"} records
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train", help="train a model, or make labelled lines from HTML and its true text",
        description="Train the default model from raw data, or align HTML pages with their true text to get labelled lines.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    default = Path(os.environ.get("CLEANFEED_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of corpora (default: $CLEANFEED_DATA or %(default)s)")
    parser.add_argument("--own", type=Path, default=Path("benchmarks/labelled/train.jsonl"), help="more labelled lines (%(default)s)")
    parser.add_argument("--banks", type=Path, default=Path("benchmarks/labelled/lines"), help="folder of line banks (%(default)s)")
    parser.add_argument("--align", type=Path, metavar="PAGES", help="JSONL of id, html, text (and lang, url): write labelled lines instead")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of models, or the file of labelled lines")
    parser.add_argument(
        "--leave-out", type=Path, metavar="TABLE", help="then leave out each language and corpus in turn, and write this Markdown table"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="share of composed documents to draw (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything drawn (default %(default)s)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    if args.align:
        from cleanfeed.training.align import align_file

        return align_file(args.align, args.out)
    # Told before half an hour of work; looked for and not imported, since JAX reads the environment that a fit sets when it starts.
    missing = [name for name in ("sklearn", "jax", "optax") if find_spec(name) is None]
    if missing:
        print(f'cleanfeed: training needs {", ".join(missing)}: pip install "cleanfeed[train]"', file=sys.stderr)
        return 2
    folders = [args.leave_out.parent] if args.leave_out else []
    for needed in (args.data / "lines" / "train", args.own, args.banks, *folders):
        if not needed.exists():
            print(f"cleanfeed: {needed} is not there; see --data (or CLEANFEED_DATA), --own, --banks and --leave-out", file=sys.stderr)
            return 2
    from cleanfeed.training.fit import fit

    fitting, unseen = fit(args.data, args.own, args.banks, args.out, scale=args.scale, jobs=args.jobs, seed=args.seed)
    if args.leave_out:
        from cleanfeed.model import DEFAULT, load
        from cleanfeed.training.leave_out import table

        model = load(args.out / DEFAULT)
        temperature = model.about["calibration"]["temperature"]
        rows = table(fitting, unseen, temperature=temperature, threshold=model.threshold)
        with args.leave_out.open("w", encoding="utf-8") as stream:
            for row in rows:
                print(row, file=stream, flush=True)
    return 0
