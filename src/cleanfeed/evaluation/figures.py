"""Pictures of a comparison, by matplotlib.

Labels are drawn by matplotlib 3.11 or newer, which shapes Arabic and orders right-to-left text; older versions draw
the letters apart and backwards. Languages stand there by their English names all the same, as no font that comes with
matplotlib has every script.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleanfeed.evaluation.compare import Table
from cleanfeed.evaluation.metrics import BODY_KEPT_ASKED, Floats
from cleanfeed.evaluation.systems import names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OWN = "#b3202a"
GREY = "#666666"
PEER_COLOURS = ("#1f5a99", "#2b8a57", "#8e5a9f", "#b0741a", "#3a3a3a", "#4aa3b5", "#9a9a2e")
PEER_MARKERS = "osD^vPX"
LEAST_LOSS = 0.0005
"""Share of body characters. Losses below this are drawn at the edge: a logarithm has no place for none at all."""
_LEGEND_COLUMN = 2.2
"""Inches, for the longest name of a system."""
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "svg.hashsalt": "cleanfeed",
}


def threshold_curves(tables: Sequence[Table]) -> Figure:
    """Junk recall against body kept, a panel a group: systems with scores as lines, their default and others as marks.

    The upper right corner is best. The axis of the body is logarithmic in what is lost, since what matters happens
    between 95 % and 100 %.
    """
    figure, panels = _panels([3.9] * len(tables), width=4.6)
    styles = _styles([row.system for table in tables for row in table.rows])
    ticks = {1 - kept: f"{100 * kept:.4g} %" for kept in (0.5, 0.8, 0.95, 0.98, 0.995)}
    ticks |= {1.0: "0 %", LEAST_LOSS: f"≥ {100 * (1 - LEAST_LOSS):.4g}"}
    for table, panel in zip(tables, panels, strict=True):
        for name, (_, kept, recall) in table.curves.items():
            edge = np.sum(1 - kept <= LEAST_LOSS) - 1  # all thresholds before it stand on the edge too
            losses = np.maximum(1 - kept[edge:], LEAST_LOSS)
            panel.plot(losses, recall[edge:], color=styles[name][0], linewidth=1.6, zorder=2)
        for row in table.rows:
            colour, marker, size = styles[row.system]
            loss = max(1 - row.figures["body_kept"].value, LEAST_LOSS)
            panel.plot(loss, row.figures["recall"].value, marker, color=colour, markersize=size,
                       markeredgecolor="white", markeredgewidth=0.8, label=row.system, clip_on=False, zorder=3)  # fmt: skip
        panel.axvline(1 - BODY_KEPT_ASKED, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        panel.set_xscale("log")
        panel.set_xlim(1, LEAST_LOSS)
        panel.set_ylim(0, 1.005)
        panel.set_xticks(list(ticks), list(ticks.values()))
        panel.set_xticks([], minor=True)
        panel.tick_params(axis="x", labelsize=8.5)
        panel.set_title(table.group, loc="left", fontweight="bold")
        panel.set_xlabel("characters of the body kept")
        panel.set_ylabel("junk removed (recall)")
    _legend(figure, panels)
    return figure


def by_language(groups: Mapping[str, Sequence[Table]]) -> Figure:
    """F1 of each language, a panel a set: the first system with its interval, the others as grey marks."""
    groups = dict(sorted(groups.items(), key=lambda group: -len(group[1])))
    figure, panels = _panels([0.24 * len(tables) + 1.1 for tables in groups.values()], width=4.6)
    for (name, tables), panel in zip(groups.items(), panels, strict=True):
        with_junk = [table for table in tables if not math.isnan(table.rows[0].figures["f1"].value)]
        ranked = sorted(with_junk, key=lambda table: table.rows[0].figures["f1"].value)
        for place, table in enumerate(ranked):
            others = [row.figures["f1"].value for row in table.rows[1:]]
            panel.plot(others, [place] * len(others), "|", color=GREY, alpha=0.6, label="other systems")
            f1 = table.rows[0].figures["f1"]
            panel.plot([f1.low, f1.high], [place, place], color=OWN, linewidth=1.4)
            panel.plot(f1.value, place, "o", color=OWN, markersize=7, label=table.rows[0].system)
        panel.set_yticks(range(len(ranked)), [f"{language(table.group)} ({table.n_documents})" for table in ranked])
        panel.set_ylim(-0.7, len(ranked) - 0.3)
        panel.set_xlim(-0.01, 1.01)
        panel.set_title(name, loc="left", fontweight="bold")
        panel.set_xlabel("junk F1 (documents in brackets)")
    _legend(figure, panels)
    return figure


def reliability(curves: Mapping[str, tuple[Floats, Floats]]) -> Figure:
    """Share of junk among lines of about the same score, a line a set; calibrated scores lie on the diagonal."""
    figure, (panel,) = _panels([4.6], width=6.4)
    panel.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    for place, (name, (score, share)) in enumerate(curves.items()):
        colour, marker = PEER_COLOURS[place % len(PEER_COLOURS)], PEER_MARKERS[place % len(PEER_MARKERS)]
        panel.plot(score, share, color=colour, marker=marker, markersize=5, linewidth=1.4, label=name)
    panel.set_xlim(-0.01, 1.01)
    panel.set_ylim(-0.01, 1.01)
    panel.set_xlabel("score: P(drop), a line counting by its length")
    panel.set_ylabel("share that is junk")
    _legend(figure, [panel])
    return figure


def speeds(throughput: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Throughput against the size of one document, both on logarithmic scales."""
    figure, (panel,) = _panels([4.2], width=6.4)
    styles = _styles(list(throughput))
    for name, points in throughput.items():
        colour, marker, size = styles[name]
        sizes, per_second = [size for size, _ in points], [speed / 1e6 for _, speed in points]
        panel.plot(sizes, per_second, color=colour, marker=marker, markersize=size - 1, linewidth=1.4, label=name)
    panel.set_xscale("log")
    panel.set_yscale("log")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(lambda value, place: f"{value:,.9g}")
    panel.set_xlabel("characters of the document")
    panel.set_ylabel("million characters a second")
    _legend(figure, [panel])
    return figure


def svg(figure: Figure) -> str:
    """A figure as SVG text; the same figure gives the same text."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as SVG and PNG beside each other; the same figure gives the same SVG, byte for byte."""
    import matplotlib

    path.parent.mkdir(parents=True, exist_ok=True)
    written = [path.with_suffix(ending) for ending in (".svg", ".png")]
    written[0].write_text(svg(figure), encoding="utf-8")
    with matplotlib.rc_context(_STYLE):
        figure.savefig(written[1], dpi=144)
    return written


def language(group: str) -> str:
    """The English name of a language group such as "lang ar"; the code itself where the name is not known."""
    code = group.removeprefix("lang ")
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError:
        return code
    try:
        return Locale.parse(code).get_language_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code


def _panels(heights: Sequence[float], width: float) -> tuple[Figure, list[Axes]]:
    """A figure with one panel a height, at most three in a row, which is as high as its highest; sizes in inches."""
    import matplotlib
    from matplotlib.figure import Figure

    columns = min(3, len(heights))
    rows = [max(heights[start : start + columns]) for start in range(0, len(heights), columns)]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(max(6.6, width * columns), sum(rows) + 0.7), layout="constrained")
        grid = figure.add_gridspec(len(rows), columns, height_ratios=rows)
        panels = [figure.add_subplot(grid[place // columns, place % columns]) for place in range(len(heights))]
    return figure, panels


def _styles(systems: Sequence[str]) -> dict[str, tuple[str, str, float]]:
    """Colour, marker and marker size by system: the first one set apart, the others alike in all pictures."""
    first, *others = dict.fromkeys(systems)
    known = names()
    number = len(PEER_COLOURS)
    styles = {first: (OWN, "o", 9.0)}
    for name in others:
        place = known.index(name) if name in known else len(known) + others.index(name)
        marker = PEER_MARKERS[(place + place // number) % len(PEER_MARKERS)]
        styles[name] = (PEER_COLOURS[place % number], marker, 6.5)
    return styles


def _legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend for all panels, below them."""
    entries: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    columns = min(len(entries), int(figure.get_figwidth() / _LEGEND_COLUMN))
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns, frameon=False)
