"""A picture of any suite's rows: each figure over its bar, so that one line parts holding from missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from completion.errors import CaretError
from eval.bench.latency import Row
from eval.bench.picture import new_figure, save

_LEAST = 0.01
"""What is less of its bar is drawn as if it were so much."""
HOLDS, MISSES = "#2da44e", "#cf222e"


def draw(rows: Sequence[Row], file: Path, title: str) -> None:
    """Draw the rows that have a bar; the file's ending decides the format.

    Raises:
        CaretError: no row has one, matplotlib is missing, or the file cannot be written.
    """
    shares = [(row, row.ratio / row.bar) for row in rows if row.bar]
    if not shares:
        raise CaretError("--plot: no figure of this run has a bar to be drawn beside")
    figure = new_figure(title, figsize=(9.0, 0.34 * len(shares) + 1.3))
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.barh(
        [row.name for row, _ in shares],
        [max(share, _LEAST) for _, share in shares],
        color=[HOLDS if row.holds else MISSES for row, _ in shares],
    )
    for place, (row, share) in enumerate(shares):
        text = f" {row.ratio:.3g} (bar {row.bar:g})"
        axes.text(
            max(share, _LEAST), place, text, va="center", fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    axes.axvline(1.0, color="black", linewidth=1, zorder=0.5)
    low, high = min(share for _, share in shares), max(share for _, share in shares)
    axes.set_xlim(max(_LEAST, low) / 2, 4 * max(1.0, high))  # room for what is written
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("measured, over its bar; left of the line it holds")
    axes.tick_params(labelsize=8)
    axes.invert_yaxis()
    save(figure, file)
