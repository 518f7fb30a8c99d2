"""Plots as inline SVG: matplotlib draws, the page's colours and fonts are put in afterwards.

Nothing is filled behind a plot, every colour is one of the page's variables, texts stay texts.
Two drawings of the same figures are the same characters: no dates, no random ids.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec

from eval.report.markup import Html, element, text, visible
from eval.report.style import SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 5.6
"""Inches at 80 to one: a plot shrinks little on a phone and its text stays readable."""
_INK, _MUTED, _LINE = "#010101", "#020202", "#030303"
_COLOURS = {f"#04040{number}": variable for number, variable in enumerate(SERIES, 1)}
_VARIABLES = {_INK: "ink", _MUTED: "muted", _LINE: "line", **_COLOURS}
"""What is drawn in these is drawn in the page's variables."""
GREY = len(SERIES) - 1
"""The series colour of what stands beside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A figure with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points of one colour, by row; a row may have none."""

    label: str
    points: Sequence[Point | None]
    colour: int
    hollow: bool = False


_P = ParamSpec("_P")


def _styled(draw: Callable[_P, Html]) -> Callable[_P, Html]:
    """Let ``draw`` run under the settings of all plots here."""

    @functools.wraps(draw)
    def styled(*args: _P.args, **named: _P.kwargs) -> Html:
        from matplotlib import rc_context

        settings: dict[Any, Any] = {
            "svg.fonttype": "none", "svg.hashsalt": "caret", "font.family": "DejaVu Sans",
            "font.size": 9.5, "text.color": _INK, "axes.labelcolor": _MUTED,
            "axes.edgecolor": _LINE, "xtick.color": _MUTED, "ytick.color": _MUTED,
            "ytick.labelcolor": _INK, "axes.spines.top": False, "axes.spines.right": False,
            "axes.axisbelow": True, "text.parse_math": False,
        }  # fmt: skip
        with rc_context(settings):
            return draw(*args, **named)

    return styled


@_styled
def dots(
    title: str, rows: Sequence[str], series: Sequence[Series], *, percent: bool, bars: bool = False
) -> Html:
    """Return rows of points with their intervals, or of bars from 0, one beside the other."""
    height = 0.9 + len(rows) * max(0.3, 0.17 * len(series)) + 0.17 * ((len(series) + 1) // 2)
    figure, axes = _axes(height)
    factor = 100 if percent else 1
    step = 0.8 / len(series)
    for number, found in enumerate(series):
        offset = (number - (len(series) - 1) / 2) * step
        there = [(y, p) for y, p in enumerate(found.points) if p is not None]
        if not there:
            continue
        ys = [y + offset for y, _ in there]
        xs = [p.value * factor for _, p in there]
        # Rounding may put a value a hair outside of its own interval.
        reach = [
            [max(0.0, p.value - p.low) * factor for _, p in there],
            [max(0.0, p.high - p.value) * factor for _, p in there],
        ]
        colour = _series(found.colour)
        if bars:
            axes.barh(ys, xs, height=step * 0.82, color=colour, alpha=0.35 if found.hollow else 0.8)
        axes.errorbar(
            xs, ys, xerr=reach, fmt="none" if bars else "o", color=_INK if bars else colour,
            ecolor=_INK if bars else colour, elinewidth=1.1 if bars else 1.6, capsize=2,
            markersize=4.5, markerfacecolor="none" if found.hollow else colour,
        )  # fmt: skip
        if not bars:
            axes.plot([], [], "o", color=colour, markersize=4.5, label=_plain(found.label),
                      markerfacecolor="none" if found.hollow else colour)  # fmt: skip
        else:
            axes.barh([0], [0], color=colour, alpha=0.35 if found.hollow else 0.8,
                      label=_plain(found.label))  # fmt: skip
    axes.set_yticks(range(len(rows)), [_short(name) for name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    if bars or all(p is None or p.low >= 0 for s in series for p in s.points):
        axes.set_xlim(left=0)
    highs = [p.high * factor for s in series for p in s.points if p]
    if percent and max(highs, default=0) > 80:
        axes.set_xlim(right=100 if max(highs) <= 100 else None)
    axes.set_xlabel("per cent" if percent else "")
    axes.grid(axis="x", color=_LINE, linewidth=0.7)
    if len(series) > 1:
        _legend(axes, len(series))
    return _svg(figure, title)


@_styled
def differences(title: str, rows: Sequence[str], points: Sequence[Point], *, percent: bool) -> Html:
    """Return differences with their intervals around a line at 0."""
    figure, axes = _axes(0.9 + 0.34 * len(rows))
    factor = 100 if percent else 1
    for y, point in enumerate(points):
        clear = point.low > 0 or point.high < 0
        colour = _series(0 if clear else GREY)
        axes.errorbar(
            [point.value * factor], [y],
            xerr=[[max(0.0, point.value - point.low) * factor],
                  [max(0.0, point.high - point.value) * factor]],
            fmt="o", color=colour, elinewidth=1.6, capsize=3, markersize=5,
        )  # fmt: skip
    axes.axvline(0, color=_INK, linewidth=1)
    reach = max((abs(e) * factor for p in points for e in (p.low, p.high)), default=0) * 1.15
    axes.set_xlim(-(reach or 1), reach or 1)
    axes.set_yticks(range(len(rows)), [_short(name) for name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("percentage points" if percent else "difference")
    axes.grid(axis="x", color=_LINE, linewidth=0.7)
    return _svg(figure, title)


@_styled
def histogram(title: str, series: Sequence[tuple[str, Sequence[float]]], unit: str) -> Html:
    """Return how often values occur; on a logarithmic axis when they span more than a decade."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    figure, axes = _axes(2.5)
    every = np.array([value for _, values in series for value in values], dtype=np.float64)
    positive = every[every > 0]
    low = float(positive.min()) if positive.size else 0.1
    high = float(every.max()) if every.size else 1.0
    logarithmic = high / low > 10
    if logarithmic:
        edges = np.geomspace(low * 0.98, high * 1.02, 37)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(_number)
        axes.xaxis.set_minor_formatter(_few if high / low < 300 else _none)
    else:
        edges = np.linspace(min(0.0, float(every.min(initial=0.0))), high * 1.02 or 1.0, 37)
    for number, (label, values) in enumerate(series):
        # What took no time at all stands in the first bar; a logarithm has no place for it.
        clipped = np.clip(np.asarray(values, dtype=np.float64), edges[0], edges[-1])
        axes.hist(clipped, bins=list(edges), histtype="stepfilled", alpha=0.3,
                  color=_series(number))  # fmt: skip
        axes.hist(clipped, bins=list(edges), histtype="step", linewidth=1.4, color=_series(number),
                  label=_plain(label))  # fmt: skip
    axes.set_xlabel(unit + (" (logarithmic)" if logarithmic else ""))
    axes.set_ylabel("requests")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", color=_LINE, linewidth=0.7)
    _legend(axes, len(series))
    return _svg(figure, title)


@_styled
def curve(
    title: str, series: Sequence[tuple[str, Sequence[tuple[float, float]], int, bool]], unit: str
) -> Html:
    """Return lines over million tokens: label, points, colour, and whether points are marked."""
    figure, axes = _axes(3.1)
    for label, points, colour, marked in series:
        axes.plot(
            [x / 1e6 for x, _ in points], [y for _, y in points], "o-" if marked else "-",
            color=_series(colour), linewidth=1.6 if marked else 0.9, markersize=3.5,
            alpha=1.0 if marked else 0.75, label=_plain(label),
        )  # fmt: skip
    ys = sorted(y for _, points, _, _ in series for _, y in points)
    if ys and ys[-1] > 2 * ys[len(ys) // 2]:  # the first steps would flatten all the others
        axes.set_ylim(ys[0] * 0.92, 2 * ys[len(ys) // 2])
    axes.set_xlabel("million tokens")
    axes.set_ylabel(unit)
    axes.grid(color=_LINE, linewidth=0.7)
    _legend(axes, len(series))
    return _svg(figure, title)


def _axes(height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=72, layout="constrained")
    axes = figure.add_subplot()
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _svg(figure: Figure, title: str) -> Html:
    written = io.StringIO()
    with warnings.catch_warnings():
        # A letter that matplotlib's font has not: the browser's has it.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(written, format="svg", transparent=True)
    return _page_svg(written.getvalue(), title)


def _legend(axes: Axes, entries: int) -> None:
    figure = axes.get_figure()
    if figure is not None:
        columns = 2 if entries > 1 else 1
        figure.legend(loc="outside upper left", ncols=columns, frameon=False, borderpad=0.1,
                      fontsize=9, handlelength=1.2, columnspacing=1.4)  # fmt: skip


def _series(number: int) -> str:
    return list(_COLOURS)[number % len(_COLOURS)]


def _number(value: float, _: object) -> str:
    """Label a tick of a logarithmic axis with the number itself."""
    return f"{value:,g}" if value < 1e6 else f"{value:.0e}"


def _few(value: float, place: object) -> str:
    """Label 2 and 5 between the powers of ten."""
    return _number(value, place) if f"{value:e}"[0] in "25" else ""


def _none(_: float, __: object) -> str:
    return ""


def _short(name: str) -> str:
    name = _plain(name)
    return name if len(name) <= 30 else name[:14] + "…" + name[-15:]


def _plain(name: str) -> str:
    """Return a label that matplotlib can measure and does not take for an instruction."""
    name = visible(name).replace("\n", "\\n").replace("\t", "\\t")
    return "\u2009" + name if name.startswith("_") else name or "\u2009"


def _page_svg(written: str, title: str) -> Html:
    """Return matplotlib's file as a part of the page: its own frame off, the page's colours on.

    Ids repeat between plots; those that something points at get the title's hash before them, the
    others go.
    """
    body = written[written.index("<svg") :]
    for part in (r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<style[^>]*>.*?</style>"):
        body = re.sub(part, "", body, flags=re.S)
    own = "p" + hashlib.sha256(f"{title}\0{body}".encode()).hexdigest()[:10]
    pointed = set(re.findall(r'(?:xlink:href="|url\()#([^")]+)', body))
    body = re.sub(
        r' id="([^"]*)"', lambda m: f' id="{own}-{m[1]}"' if m[1] in pointed else "", body
    )
    body = re.sub(r'(xlink:href="|url\()#', rf"\g<1>#{own}-", body)
    body = body.replace("xlink:href", "href")
    body = re.sub(r"<[^>]+>", _slimmer, re.sub(r">\s+<", "><", body))
    size = re.search(r'viewBox="[^"]*"', body)
    frame = f'<svg role="img" aria-label="{text(title)}" {size[0] if size else ""}>'
    body = frame + body[body.index(">") + 1 :].strip()
    return element("figure", element("figcaption", title), Html(body), kind="plot")


def _slimmer(tag: re.Match[str]) -> str:
    """Return a tag with colours as variables, the page's font, and no digits that nobody sees."""
    found = re.sub(r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", tag[0])
    for colour, variable in _VARIABLES.items():
        found = found.replace(colour, f"var(--{variable})")
    return re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", found)
