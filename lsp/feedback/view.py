"""The rates as tables in a terminal, and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from completion.errors import CaretError, UsageError
from lsp.feedback.events import HORIZONS_S
from lsp.feedback.rates import ALL, GROUPS, Rate, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")
MOST_ROWS = 12
"""Rows of a group in the picture; the tables have all."""

_TITLES = {"language": "by language", "scope": "by scope", "stop_reason": "by stop reason"}
_COLOURS = {"car": "#2563a8", 30: "#b8d4ae", 90: "#8abf7b", 180: "#559e4c", 360: "#2c7328"}


def table(group: str, rows: Sequence[Row]) -> Table:
    """Return the rows of one group, with intervals."""
    found = Table(title=_TITLES.get(group, group), title_justify="left", box=None, pad_edge=False)
    found.add_column(group.replace("_", " "))
    for name in ("shown", "accepted", "CAR", "sooner", *(f"CPR\n{s} s" for s in HORIZONS_S)):
        found.add_column(name, justify="right")
    for row in rows:
        found.add_row(
            row.name, f"{row.shown}", f"{row.accepted}", _percent(row.car),
            f"{row.accepted_sooner}", *(_percent(row.cpr[after], n=True) for after in HORIZONS_S),
        )  # fmt: skip
    return found


def plot(groups: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Draw CAR and CPR of every group, with intervals and n, into ``path`` (PNG, SVG or PDF).

    Raises:
        UsageError: the file's ending says no known format.
        CaretError: matplotlib is not installed, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--plot {path}: the name must end with {', '.join(FORMATS)}")
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise CaretError(
            "a plot needs matplotlib: install Caret with its extra [eval]; `caret doctor` says how"
        ) from None
    shown = {ALL: groups[ALL], **{name: groups[name][:MOST_ROWS] for name in GROUPS}}
    heights = [max(1, len(rows)) + 1.2 for rows in shown.values()]
    settings: dict[Any, Any] = {
        "svg.fonttype": "none", "svg.hashsalt": "caret", "font.size": 9.5,
        "axes.spines.top": False, "axes.spines.right": False, "text.parse_math": False,
    }  # fmt: skip
    with rc_context(settings):
        figure = Figure(figsize=(9, 0.42 * sum(heights) + 1.2), layout="constrained")
        axes = figure.subplots(len(shown), 2, sharex=True, gridspec_kw={"height_ratios": heights})
        for number, (group, rows) in enumerate(shown.items()):
            left, right = axes[number]
            _draw(left, rows, {"car": [row.car for row in rows]})
            _draw(right, rows, {after: [row.cpr[after] for row in rows] for after in HORIZONS_S})
            left.set_title(_TITLES.get(group, group), loc="left", fontsize=10)
            right.yaxis.tick_right()
            right.tick_params(axis="y", length=0, labelright=True)
            right.set_yticks(range(len(rows)), [_counts(row) for row in rows], color="0.4")
        axes[0][0].set_title("accepted of shown (CAR)", loc="left", fontsize=10)
        axes[0][1].set_title("still there of accepted (CPR)", loc="left", fontsize=10)
        axes[0][1].legend(loc="upper left", bbox_to_anchor=(1.1, 1), frameon=False, fontsize=8.5)
        for last in axes[-1]:
            last.set_xlabel("per cent, with 95 % intervals (Wilson)")
        try:
            figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix == ".svg" else {})
        except OSError as error:
            raise CaretError(f"{path}: {error.strerror or error}") from None


def _draw(axes: Axes, rows: Sequence[Row], series: Mapping[str | int, Sequence[Rate]]) -> None:
    step = 0.7 / len(series)
    for number, (name, points) in enumerate(series.items()):
        offset = (number - (len(series) - 1) / 2) * step
        for y, rate in enumerate(points):
            if rate.value is None or rate.low is None or rate.high is None:
                continue
            value = 100 * rate.value
            reach = [[max(0.0, value - 100 * rate.low)], [max(0.0, 100 * rate.high - value)]]
            axes.errorbar(
                [value], [y + offset], xerr=reach, fmt="o", color=_COLOURS[name], capsize=2,
                markersize=4.5, elinewidth=1.5,
            )  # fmt: skip
        label = name if isinstance(name, str) else f"after {name} s"
        axes.plot([], [], "o", color=_COLOURS[name], markersize=4.5, label=label)
    first = next(iter(series.values()))
    axes.set_yticks(
        range(len(rows)),
        [f"{row.name} ({rate.n})" for row, rate in zip(rows, first, strict=True)],
    )
    axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)
    axes.set_xlim(-2, 102)
    axes.grid(axis="x", linewidth=0.5, alpha=0.5)
    axes.tick_params(axis="y", length=0)


def _counts(row: Row) -> str:
    """Return the n of CPR: one number, or the least and the most."""
    counts = sorted({rate.n for rate in row.cpr.values()})
    return f"({counts[0]}–{counts[-1]})" if len(counts) > 1 else f"({counts[0]})"


def _percent(rate: Rate, *, n: bool = False) -> Text:
    if rate.value is None or rate.low is None or rate.high is None:
        return Text("–", style="dim")
    text = Text(f"{100 * rate.value:.0f} %")
    text.append(f" ({100 * rate.low:.0f}–{100 * rate.high:.0f})", style="dim")
    if n:
        text.append(f" n={rate.n}", style="dim")
    return text
