"""A result as it is shown in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from eval.metrics.by_stop_reason import count
from eval.report.definitions import remarks
from eval.result import Metric, Result, has_cut
from eval.running.judging import is_share
from eval.running.progress import duration
from eval.suites.base import CUT, Published, Suite

_LEGEND = "raw: the model's own text, as published · cut: what an editor would insert"
_HEADER_WIDTH = 11
ENDED = (
    ("exact_match", ("EM, %",)),
    ("edit_similarity", ("ES, %",)),
    ("ended_rightly", ("ended rightly, %", "of")),
    ("lines_right", ("lines right, %",)),
)
"""What is shown of each stop reason; of a metric that not all items have, how many have it."""
_STAGES = {
    "queue_ms": "queue, ms",
    "prompt_ms": "prompt built, ms",
    "first_token_ms": "first token, ms",
    "first_line_ms": "first line, ms",
    "total_ms": "total in the server, ms",
    "round_trip_ms": "round trip, ms",
    "prompt_tokens": "prompt, tokens",
    "cached_tokens": "of them cached",
    "recomputed_tokens": "of them recomputed",
    "generated_tokens": "generated, tokens",
}


def show(result: Result, suite: Suite | None, console: Console) -> None:
    """Print ``result``; ``suite`` knows its headline and what was published, if it is known."""
    headline = suite.headline if suite is not None else tuple(result.metrics)[:2]
    parts: list[RenderableType] = [
        Text(),
        _title(result, suite),
        Text(),
        _metrics(result, headline),
    ]
    legend = [_LEGEND] if has_cut(result) else []
    parts += [Text(line, style="dim") for line in [*legend, *remarks(result.metrics)]]
    if result.groups:
        parts += _section("by kind", _kinds(result.groups, headline))
    for facet, found in result.facets.items():
        parts += _section(f"by slice: {facet}", _kinds(found, headline))
    if result.endings:
        parts += _section("by what ended the text", _endings(result))
    if result.latency:
        workers = result.options.get("workers", 1)
        load = "one request at a time"
        if workers > 1 and not (suite is not None and suite.one_at_a_time):
            load = f"{workers} requests at a time (--workers 1: what one user has)"
        parts += _section(f"latency, {load}", _latency(result))
    if suite is not None and suite.published:
        whole = "" if _is_whole(result) else ", of all items"
        if not result.data.get("published", True):
            whole = ", of other items"
        title = f"published{whole}, each in its own protocol"
        parts += _section(title, _published(suite.published))
    if result.warnings:
        parts.append(Text())
    for part in parts:
        console.print(part)
    for warning in result.warnings:
        console.print(Text(f"! {warning}", style="yellow"))


def _section(title: str, table: Table) -> list[RenderableType]:
    return [Text(), Text(title, style="bold"), table]


def _title(result: Result, suite: Suite | None) -> RenderableType:
    model = result.model
    line = Text.assemble((result.suite, "bold"), (f" {result.suite_version}", "dim"))
    who = [model.get("name", ""), model.get("engine", ""), model.get("device", "")]
    arm = f"{model['arm']} prompts" if model.get("arm") else ""
    some = f"{len(result.items)} items"
    if not _is_whole(result):
        total, seed = result.data["items"], result.options.get("seed", 0)
        some = f"{len(result.items)} of {total} items, seed {seed}"
    draws = result.options
    if draws.get("temperature"):
        some += f", {draws['samples']} samples at temperature {draws['temperature']:g}"
    facts = [*filter(None, (*who, arm)), some, duration(result.seconds)]
    lines: list[RenderableType] = [line]
    if suite is not None:
        lines.append(Text(suite.about, style="dim"))
    lines.append(Text(" · ".join(facts)))
    return Group(*lines)


def _is_whole(result: Result) -> bool:
    return result.data.get("items", len(result.items)) == len(result.items)


def _table(*columns: str) -> Table:
    """Return a table that with two baselines still fits into 80 columns."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False,
        header_style="dim",
    )  # fmt: skip
    for number, name in enumerate(columns):
        shown = "\n".join(textwrap.wrap(name, _HEADER_WIDTH))
        table.add_column(shown, justify="right" if number else "left", no_wrap=True)
    return table


def _metrics(result: Result, headline: Sequence[str]) -> Table:
    two = has_cut(result)
    texts = ["raw", "95 %", "cut", "95 %"] if two else ["value", "95 %"]
    table = _table("", *texts, "n", *result.baselines)
    names = [name for name in result.metrics if not name.endswith(CUT)]
    names += [n.removesuffix(CUT) for n in result.metrics if n.removesuffix(CUT) not in names]
    for name in dict.fromkeys(names):
        raw, cut = result.metrics.get(name), result.metrics.get(name + CUT)
        first = name in headline or name + CUT in headline
        n = " | ".join(dict.fromkeys(str(metric.n) for metric in (raw, cut) if metric is not None))
        figures = [
            Text(_value(name, raw), style="bold cyan" if name in headline else ""),
            Text(_interval(name, raw), style="dim"),
            Text(_value(name, cut), style="bold cyan" if name + CUT in headline else ""),
            Text(_interval(name, cut), style="dim"),
        ]
        table.add_row(
            Text(_titled(name, raw or cut), style="bold" if first else ""),
            *(figures if two else figures[:2]),
            n,
            *(_value(name, other.metrics.get(name)) for other in result.baselines.values()),
        )
    return table


def _kinds(groups: Mapping[str, Mapping[str, Metric]], headline: Sequence[str]) -> Table:
    names = [name for name in headline if any(name in found for found in groups.values())]
    table = _table("", "n", *(column for name in names for column in (_titled(name, None), "95 %")))
    for kind, found in groups.items():
        n = max((metric.n for metric in found.values()), default=0)
        cells: list[str | Text] = []
        for name in names:
            cells += [
                _value(name, found.get(name)), Text(_interval(name, found.get(name)), style="dim")
            ]  # fmt: skip
        table.add_row(kind, str(n), *cells)
    return table


def _endings(result: Result) -> Table:
    """Return a row for each stop reason of raw and of cut texts."""
    table = _table("", "n", "share, %", *(column for _, title in ENDED for column in title))
    for text, reasons in result.endings.items():
        end = CUT if text == "cut" else ""
        total = sum(map(count, reasons.values())) or 1
        for number, (reason, metrics) in enumerate(reasons.items()):
            n = count(metrics)
            cells: list[str | Text] = []
            for name, columns in ENDED:
                metric = metrics.get(name + end)
                cells.append(_value(name, metric))
                if len(columns) == 2:
                    cells.append(Text("–" if metric is None else str(metric.n), style="dim"))
            heading = Text.assemble((f"{text if number == 0 else '':4}", "bold"), reason)
            table.add_row(heading, str(n), f"{100 * n / total:.1f}", *cells)
        table.add_section()
    return table


def _latency(result: Result) -> Table:
    table = _table("", "p50", "p95", "p99", "mean", "n")
    for stage, row in result.latency.items():
        digits = 1 if stage.endswith("_ms") else 0
        cells = [f"{row[name]:.{digits}f}" for name in ("p50", "p95", "p99")]
        table.add_row(_STAGES.get(stage, stage), *cells, f"{row['mean']:.1f}", f"{row['n']:.0f}")
    return table


def _published(figures: Sequence[Published]) -> Table:
    table = _table("", "metric", "value", "source")
    table.columns[3].justify = "left"
    table.columns[3].no_wrap = False
    for one in figures:
        cells = (_spoken(one.metric), f"{100 * one.value:.1f} %")
        table.add_row(one.who, *cells, Text(one.source, style="dim"))
    return table


def _spoken(name: str) -> str:
    cut = name.endswith(CUT)
    return name.removesuffix(CUT).replace("_", " ") + (" (cut)" if cut else "")


def _titled(name: str, metric: Metric | None) -> str:
    """Return the name with the unit of its figures."""
    unit = ", %" if metric is None or is_share(name, metric.value) else ""
    return _spoken(name) + unit


def _value(name: str, metric: Metric | None) -> str:
    if metric is None:
        return "–"
    if is_share(name, metric.value):
        return f"{100 * metric.value:.1f}"
    return f"{metric.value:.3g}"


def _interval(name: str, metric: Metric | None) -> str:
    if metric is None:
        return ""
    if is_share(name, metric.value):
        return f"{100 * metric.low:.1f}–{100 * metric.high:.1f}"
    return f"{metric.low:.3g}–{metric.high:.3g}"
