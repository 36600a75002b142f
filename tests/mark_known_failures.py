"""Write anew which cases of `tests/cases` fail, after a new model: `python tests/mark_known_failures.py`.

A case that the model has got right loses its mark, one that it now gets wrong is given one that says what went wrong. Read the
difference before you commit it: it is what the new model gained and lost.
"""

from __future__ import annotations

import json
from pathlib import Path

from case_support import wrong_lines

CASES = Path(__file__).parent / "cases"
_SHOWN, _CHARACTERS = 3, 50


def failure(case: dict[str, object]) -> str:
    """What the model gets wrong of a case, or an empty string."""
    wrong = [f"{'lost' if label == 'body' else 'kept'}: {text[:_CHARACTERS]}" for label, _, text in wrong_lines(case)]
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return "; ".join([*wrong[:_SHOWN], *more])


def main() -> None:
    """Mark every case of every file."""
    gained = lost = failing = 0
    for path in sorted(CASES.glob("*.json")):
        cases = json.loads(path.read_text(encoding="utf-8"))
        for number, case in enumerate(cases):
            before = case.pop("known_failure", "")
            if wrong := failure(case):
                head = {name: case[name] for name in ("id", "lang", "comment")}
                cases[number] = head | {"known_failure": wrong} | case
            gained, lost, failing = gained + bool(before and not wrong), lost + bool(wrong and not before), failing + bool(wrong)
        path.write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{gained} cases that failed are right, {lost} that were right fail; {failing} fail in all")


if __name__ == "__main__":
    main()
