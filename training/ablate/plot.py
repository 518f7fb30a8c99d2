"""An ablation as a picture: what each row changes in each figure, with intervals.

Lives here: the drawing. Its ground is transparent and its colours are told apart on white and on
black, so that a README may show it in either.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from training.ablate.rows import ALL_ON
from training.ablate.summary import Summary

INK, LINE = "#808890", "#80889055"
COLOURS = {1: "#2f9e5f", 0: "#808890", -1: "#d9544d"}
"""By effect: better than all_on, not told apart, worse."""
COLUMNS = 3


def draw(summary: Summary, path: Path) -> bool:
    """Write an SVG; return whether matplotlib was there to do it."""
    try:
        importlib.import_module("matplotlib").use("Agg")
        plot: Any = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        return False
    settings = {
        "svg.hashsalt": "caret", "font.size": 9, "text.color": INK, "axes.labelcolor": INK,
        "axes.edgecolor": LINE, "axes.facecolor": "none", "xtick.color": INK, "ytick.color": INK,
        "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    }  # fmt: skip
    rows = [row for row in summary.rows if row != ALL_ON]
    lines = -(-len(summary.figures) // COLUMNS)
    with plot.rc_context(settings):
        figure, grid = plot.subplots(
            lines, COLUMNS, figsize=(9.6, lines * (0.75 + 0.22 * len(rows))), squeeze=False,
            sharey=True, layout="constrained",
        )  # fmt: skip
        for axes, shown in zip(grid.flat, summary.figures, strict=False):
            factor = 100 if shown.percent else 1
            for at, row in enumerate(rows):
                found = summary.rows[row][shown.name].difference
                colour = COLOURS[summary.effect(row, shown)]
                axes.hlines(at, found.low * factor, found.high * factor, color=colour, linewidth=2)
                axes.plot(found.value * factor, at, "o", color=colour, markersize=5)
            spans = [summary.rows[row][shown.name].difference for row in rows]
            if all(max(abs(one.low), abs(one.high)) < 1e-9 for one in spans):
                axes.set_xlim(-1, 1)  # else the axis shows the rounding of zeros
                axes.set_xticks([0])
            axes.axvline(0, color=INK, linewidth=0.9)
            whole = summary.rows[ALL_ON][shown.name].figure.value
            unit = f"{100 * whole:.1f} %" if shown.percent else f"{whole:.3f}"
            axes.set_title(f"{shown.label}  (all on: {unit})", fontsize=9, loc="left")
            axes.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows])
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.tick_params(axis="y", length=0)
            axes.grid(axis="x", color=LINE, linewidth=0.6)
            axes.margins(x=0.08)
            arrow = "more is better →" if shown.better > 0 else "← less is better"
            axes.set_xlabel(("points, " if shown.percent else "") + arrow, fontsize=8)
        for axes in list(grid.flat)[len(summary.figures) :]:
            axes.set_visible(False)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})
        plot.close(figure)
    return True
