"""The mistakes browser of the HTML report: what each system got wrong, in the documents.

The page is bounded: of each system it shows the `WORST` documents and a sample of `PICKED` others, of each document up
to `MOST_ERRORS` errors of either kind, the longest lines, with `CONTEXT` lines around them. What is left out is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from cleanfeed.evaluation.mistakes import BODY_LOST, JUNK_KEPT, Case, Decision, Mistakes, choose
from cleanfeed.reporting.page import MAX_SHOWN_CHARACTERS, Choice, filter_form, share, shortened, table, text

WORST, PICKED = 20, 20
MOST_ERRORS = 6
CONTEXT = 2
CONTEXT_CHARACTERS, NAME_CHARACTERS = 120, 80

_KINDS = ((BODY_LOST, "body lost"), (JUNK_KEPT, "junk kept"))


def browser(found: Sequence[Mistakes]) -> str:
    """The section with the filter and, for each system, its documents."""
    shown = [(mistakes, choose(mistakes.cases, WORST, PICKED)) for mistakes in found]
    languages = sorted({_language(case) for _, cases in shown for case in cases})
    form = filter_form(
        [
            Choice("system", ("that", "any system"), [(each.system, each.system) for each in found]),
            Choice("kind", ("got wrong:", "body lost or junk kept"), _KINDS),
            Choice("lang", ("in", "any language"), [(language, language) for language in languages]),
        ]
    )
    number = count()
    groups = "".join(_system(mistakes, cases, number) for mistakes, cases in shown)
    return f'<section id="documents" tabindex="-1">\n<h2>Mistakes</h2>\n<p class="note">{_ABOUT}</p>\n{form}{groups}</section>'


_ABOUT = (
    "The documents in which a line of body was dropped or a line of junk kept, those that lost most characters of body "
    f"first, then those with most junk left. Each error stands between {CONTEXT} lines before and {CONTEXT} behind it; "
    "dropped lines are struck out. Lines labelled meta or null are not scored and cannot be errors."
)


def _system(mistakes: Mistakes, cases: Sequence[Case], number: Iterable[int]) -> str:
    wrong = len(mistakes.cases)
    words = f"Mistakes in {wrong:,} of {mistakes.n_documents:,} documents."
    if left_out := wrong - len(cases):
        words += f" Shown are the {WORST} worst and a sample of {PICKED} others; {left_out:,} are left out."
    documents = "".join(_document(mistakes.system, case, place) for case, place in zip(cases, number, strict=False))
    return (
        f'<section class="group cases" data-system="{text(mistakes.system)}">\n'
        f'<h3><bdi>{text(mistakes.system)}</bdi></h3>\n<p class="note">{words}</p>\n{documents}</section>\n'
    )


def _document(system: str, case: Case, place: int) -> str:
    document = case.document
    errors = _longest(case)
    scored = case.scores is not None and not case.failed
    heads = ("line", "error", "labelled", "decision", *(["score"] if scored else []), "text")
    bodies = "".join(_excerpt(case, lines, errors, scored) for lines in _excerpts(document.lines, errors))
    notes = []
    if case.failed:
        notes.append("The system failed on this document, so that all of it stayed.")
    if more := len(case.errors) - len(errors):
        notes.append(f"{more:,} more lines were wrong; the longest are shown.")
    remark = f'<p class="note">{" ".join(notes)}</p>' if notes else ""
    names = [shortened(part or "", NAME_CHARACTERS) for part in (document.source, document.view, _language(case))]
    about = "".join(f"<bdi>{text(name)}</bdi>, " for name in names if name)
    return (
        f'<details id="document-{place}" data-system="{text(system)}" data-lang="{text(_language(case))}" '
        f'data-kind="{_kinds(errors.values())}"{"" if place else " open"}>'
        f'<summary><bdi>{text(shortened(document.id, NAME_CHARACTERS))}</bdi> <span class="note">{about}{_sums(case)}</span></summary>\n'
        f"{remark}{table(heads, bodies)}</details>\n"
    )


def _sums(case: Case) -> str:
    parts = []
    if case.characters_lost:
        lost = f"{case.characters_lost:,} characters of body lost"
        parts.append(f"{lost} ({share(case.characters_lost, case.characters)})")
    if case.junk_kept:
        parts.append(f"{case.junk_kept:,} {'line' if case.junk_kept == 1 else 'lines'} of junk kept")
    return ", ".join(parts)


def _longest(case: Case) -> dict[int, str]:
    """The errors to show, in the order of the lines."""
    chosen: set[int] = set()
    for kind, _ in _KINDS:
        own = [line for line, error in case.errors.items() if error == kind]
        chosen.update(sorted(own, key=lambda line: -len(case.document.lines[line]))[:MOST_ERRORS])
    return {line: error for line, error in case.errors.items() if line in chosen}


def _excerpts(lines: Sequence[str], errors: Iterable[int]) -> list[list[int]]:
    """Errors with the lines around them, blank ones not counted; what overlaps or touches is one excerpt."""
    full = [index for index, line in enumerate(lines) if line.strip()]
    place = {index: where for where, index in enumerate(full)}
    found: list[list[int]] = []
    end = -1
    for error in errors:
        start, stop = max(0, place[error] - CONTEXT), place[error] + CONTEXT + 1
        if start > end or not found:
            found.append([])
            end = start
        found[-1] += full[end:stop]
        end = min(stop, len(full))
    return found


def _excerpt(case: Case, lines: Sequence[int], errors: dict[int, str], scored: bool) -> str:
    rows = "".join(_row(case, line, errors.get(line), scored) for line in lines)
    return f'<tbody data-kind="{_kinds(errors[line] for line in lines if line in errors)}">{rows}</tbody>'


def _row(case: Case, index: int, error: str | None, scored: bool) -> str:
    line, label, decision = case.document.lines[index], case.document.labels[index], case.decision(index)
    content = text(shortened(line, MAX_SHOWN_CHARACTERS if error else CONTEXT_CHARACTERS))
    row = f' class="wrong {error}"' if error else ""
    mark = f"<b>{dict(_KINDS)[error]}</b>" if error else ""
    score = f"<td>{'' if decision.score is None else f'{decision.score:.2f}'}</td>" if scored else ""
    tag = f'<span class="tag {label}">{label}</span>' if label else '<span class="tag">null</span>'
    # A paragraph takes its direction from its first letter; a <bdi> within would hide that letter from it.
    return (
        f'<tr{row}><th scope="row">{index + 1}</th><td class="word">{mark}</td>'
        f'<td class="word">{tag}</td><td class="word">{_did(decision)}</td>{score}<td class="text">'
        f'<p dir="auto" lang="{text(_language(case) if case.document.lang else "")}">'
        f"{content if decision.kept else f'<del>{content}</del>'}</p></td></tr>"
    )


def _did(decision: Decision) -> str:
    return ("kept" if decision.kept else "dropped") + (f" as {decision.label}" if decision.label else "")


def _kinds(errors: Iterable[str]) -> str:
    return " ".join(sorted(set(errors)))


def _language(case: Case) -> str:
    return shortened(case.document.lang or "unknown", NAME_CHARACTERS)
