"""The report: one page that shows what went, in plain HTML with everything it needs inside."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cleanfeed.batch import stats
from cleanfeed.batch.inputs import show
from cleanfeed.reporting.page import Choice, closing, filter_form, opening, section, share, shortened, text

_MOST_LOST, _PICKED = 100, 100  # documents shown whole: those that lost most, and a sample of the rest
_LINES, _SITES, _ERRORS = 50, 30, 100  # rows of the tables
# Distinct dropped lines are counted in bounded memory: past this many the rarer half is forgotten.
_COUNTED_LINES = 200_000
_LABELS = ("body", "meta", "teaser", "boilerplate")


def page(
    *,
    about: Mapping[str, Any],
    tables: stats.Tables,
    rejects: Iterable[Mapping[str, Any]],
    samples: Iterable[Mapping[str, Any]],
    errors: Iterable[Mapping[str, Any]],
) -> Iterator[str]:
    """Write the page in parts.

    Args:
        about: ``title``, ``counts`` and ``settings`` of the run.
        tables: Lines and characters by label of each site and script.
        rejects: The dropped lines.
        samples: Documents with all their lines.
        errors: What was skipped or noted.
    """
    documents = _choose(samples)
    yield opening(f"cleanfeed: {about['title']}", skip_to="To the documents")
    yield _head(about)
    yield _labels(tables)
    yield _groups(tables)
    yield _frequent(rejects)
    yield _most_removed(documents)
    yield _errors(errors)
    yield _filter(documents, about)
    for number, document in enumerate(documents):
        yield _document(number, document)
    yield f"</section>\n</main>\n{closing(filtered=True)}"


def _choose(samples: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The documents that lost most first, then those that a hash picks."""
    most: list[tuple[int, str, int, Mapping[str, Any]]] = []
    picked: list[tuple[int, int, Mapping[str, Any]]] = []
    for number, sample in enumerate(samples):
        lost = sample["characters_in"] - sample["characters_out"]
        heapq.heappush(most, (lost, sample["order"], -number, sample))
        if len(most) > _MOST_LOST:
            heapq.heappop(most)
        heapq.heappush(picked, (-int(sample["order"], 16), -number, sample))
        if len(picked) > _MOST_LOST + _PICKED:
            heapq.heappop(picked)
    chosen = [sample for *_, sample in sorted(most, key=lambda entry: entry[:3], reverse=True)]
    shown = {(sample["file"], sample["place"]) for sample in chosen}
    rest = [sample for *_, sample in sorted(picked, key=lambda entry: entry[:2], reverse=True)]
    return chosen + [sample for sample in rest if (sample["file"], sample["place"]) not in shown][:_PICKED]


def _head(about: Mapping[str, Any]) -> str:
    counts = about["counts"]
    tiles = [
        (f"{counts['documents']:,}", "documents"),
        (share(counts["lines_in"] - counts["lines_out"], counts["lines_in"]), "of the lines taken out"),
        (
            share(counts["characters_in"] - counts["characters_out"], counts["characters_in"]),
            "of the characters taken out",
        ),
        (f"{counts['changed']:,}", "documents changed"),
        (f"{counts['suspect']:,}", "lost so much that they need a look"),
        (f"{counts['skipped']:,}", "skipped"),
    ]
    settings = "".join(
        f"<div><dt>{text(name)}</dt><dd><bdi>{text(str(value))}</bdi></dd></div>"
        for name, value in about["settings"].items()
    )
    figures = "".join(f"<li><b>{number}</b> {words}</li>" for number, words in tiles)
    return (
        f"<header>\n<h1>What cleanfeed took out of <bdi>{text(about['title'])}</bdi></h1>\n"
        f'<ul class="tiles">{figures}</ul>\n<dl class="settings">{settings}</dl>\n</header>\n<main>\n'
    )


def _labels(tables: stats.Tables) -> str:
    """The chart: for each label a bar of its lines, the part that went filled."""
    labels: dict[str, list[int]] = {}
    for key, table in tables.items():
        if key.startswith("script "):
            for label, row in table.items():
                labels[label] = [a + b for a, b in zip(labels.get(label, [0, 0, 0, 0]), row, strict=True)]
    longest = max((labels[label][0] for label in _LABELS if label in labels), default=1) or 1
    rows = []
    for label in _LABELS:
        lines, characters, lines_out, characters_out = labels.get(label, [0, 0, 0, 0])
        bars = "".join(
            f'<span class="{fate} {label}" style="width:{part / longest * 100:.2f}%"></span>'
            for fate, part in (("gone", lines - lines_out), ("stay", lines_out))
            if part
        )
        rows.append(
            f'<tr><th scope="row"><span class="tag {label}">{label}</span></th>'
            f'<td class="bar">{bars}</td>'
            f"<td>{lines:,}</td><td>{lines - lines_out:,}</td>"
            f"<td>{characters:,}</td><td>{characters - characters_out:,}</td></tr>"
        )
    return section(
        "Lines by label",
        "Filled: taken out. Outlined: kept.",
        ("label", "", "lines", "taken out", "characters", "taken out"),
        rows,
    )


def _groups(tables: stats.Tables) -> str:
    parts = []
    for kind, title, limit in (("script", "By script", _SITES), ("site", "By site", _SITES)):
        sums = []
        for key, table in tables.items():
            if key.startswith(f"{kind} ") and key != "site ":
                lines = sum(row[0] for label, row in table.items() if label != "blank")
                gone = sum(row[0] - row[2] for label, row in table.items() if label != "blank")
                sums.append((lines, key.removeprefix(f"{kind} "), gone))
        sums.sort(key=lambda entry: (-entry[0], entry[1]))
        rows = [
            f'<tr><th scope="row"><bdi>{text(name)}</bdi></th><td>{lines:,}</td><td>{gone:,}</td>'
            f"<td>{share(gone, lines)}</td></tr>"
            for lines, name, gone in sums[:limit]
        ]
        more = f"The {limit} largest of {len(sums):,}." if len(sums) > limit else ""
        if rows:
            parts.append(section(title, more, (kind, "lines", "taken out", "share"), rows))
    return f'<div class="pair">{"".join(parts)}</div>\n'


def _frequent(rejects: Iterable[Mapping[str, Any]]) -> str:
    counter: Counter[tuple[str, str]] = Counter()
    for reject in rejects:
        counter[reject["label"], reject["text"].strip()] += 1
        if len(counter) > _COUNTED_LINES:
            counter = Counter(dict(counter.most_common(_COUNTED_LINES // 2)))
    top = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))[:_LINES]
    rows = [
        f'<tr><td>{count:,}</td><td><span class="tag {label}">{label}</span></td>'
        f'<td class="text"><p dir="auto" lang="">{text(shortened(line))}</p></td></tr>'
        for (label, line), count in top
        if count > 1
    ]
    return section("Lines taken out most often", "", ("times", "label", "line"), rows) if rows else ""


def _most_removed(documents: list[Mapping[str, Any]]) -> str:
    rows = []
    for number, document in enumerate(documents[:_LINES]):
        lost = document["characters_in"] - document["characters_out"]
        if lost:
            rows.append(
                f"<tr><td>{lost:,}</td><td>{share(lost, document['characters_in'])}</td>"
                f'<td class="text"><a href="#document-{number}"><bdi>{_name(document)}</bdi></a></td></tr>'
            )
    return section("Documents with most taken out", "", ("characters", "share", "document"), rows) if rows else ""


def _errors(errors: Iterable[Mapping[str, Any]]) -> str:
    rows: list[str] = []
    more = 0
    for error in errors:
        if len(rows) == _ERRORS:
            more += 1
            continue
        rows.append(
            f'<tr><td>{"skipped" if error["skipped"] else "note"}</td><td class="text"><bdi>{_name(error)}</bdi></td>'
            f'<td class="text"><bdi>{text(error["cause"])}</bdi></td></tr>'
        )
    note = f"{more:,} more are in errors.jsonl." if more else ""
    return section("Skipped, or worth a look", note, ("", "where", "why"), rows) if rows else ""


def _filter(documents: list[Mapping[str, Any]], about: Mapping[str, Any]) -> str:
    total = about["counts"]["documents"]
    which = (
        f"{len(documents):,} of {total:,}: those that lost most, and a sample"
        if len(documents) < total
        else "all of them"
    )
    return (
        '<section id="documents" tabindex="-1">\n<h2>Documents</h2>\n'
        f'<p class="note">{which}. Lines that went are struck out; '
        "point at one, or move to it with the Tab key, to see why.</p>\n"
    ) + filter_form([Choice("label", ("and lost", "anything or nothing"), [(label, label) for label in _LABELS])])


def _document(number: int, document: Mapping[str, Any]) -> str:
    lost = document["characters_in"] - document["characters_out"]
    gone = {line[1] for line in document["lines"] if line[4]}
    lines = "".join(map(_line, document["lines"]))
    if document["lines_in"] > len(document["lines"]):
        lines += f'<p class="note">{document["lines_in"] - len(document["lines"]):,} more lines are not shown.</p>'
    return (
        f'<details id="document-{number}" data-label="{" ".join(sorted(gone))}"{" open" if number < 3 else ""}>'
        f"<summary><bdi>{_name(document)}</bdi> "
        f'<span class="note">{share(lost, document["characters_in"])} taken out</span></summary>\n'
        f'<div class="lines" lang="">{lines}</div></details>\n'
    )


def _line(line: list[Any]) -> str:
    content, label, score, reason, dropped = line
    if label == "blank":
        return '<p class="blank"></p>'
    # A paragraph takes its direction from its first letter; a <bdi> within would hide that letter from it.
    if not dropped:
        return f'<p dir="auto">{text(content)}</p>'
    why = f"{label}, score {score:.2f}" + (f": {reason}" if reason else "")
    return (
        f'<p dir="auto" class="gone {label}" tabindex="0"><del>{text(content)}</del>'
        f'<span class="why" dir="ltr" lang="en">{text(why)}</span></p>'
    )


def _name(document: Mapping[str, Any]) -> str:
    place = f", {document['place']}" if document["place"] else ""
    site = f" ({document['site']})" if document.get("site") else ""
    return text(show(document["file"]) + place + site)
