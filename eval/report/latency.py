"""Where the time goes: percentiles by stage for every run, and how first token and total spread."""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics.latency import STAGES
from eval.metrics.latency import table as measured
from eval.report import plots
from eval.report.figures import NOTHING
from eval.report.markup import Html, element, join, row, table
from eval.report.runs import Group, Run
from eval.result import timings_of

COLUMNS = ("p50", "p95", "p99", "mean")
FEWEST = 10
"""Requests under which a histogram shows nothing that the table does not."""
_SPREAD = (("first_token_ms", "first token"), ("total_ms", "total"))


def section(groups: Sequence[Group]) -> Html:
    """Return the section."""
    parts = [_run(group, run) for group in groups for run in group.runs]
    return element(
        "section",
        element("h2", "Latency"),
        element(
            "p",
            "Of the request an editor would send. Percentiles are nearest-rank: each is a time that "
            "some request took. Tokens recomputed are those of the prompt that the prefix cache had not.",
        ),
        *parts,
        attributes={"id": "latency"},
    )


def _run(group: Group, run: Run) -> Html:
    timings = [row for record in run.result.items for row in timings_of(record)]
    stages = run.result.latency or measured(timings)
    title = element("h3", f"{group.name} · {run.label}")
    if not stages:
        return join((title, element("p", "No request was timed.", kind="quiet")))
    spread = [(label, [t[key] for t in timings if key in t]) for key, label in _SPREAD]
    spread = [(label, values) for label, values in spread if any(values)]
    name = f"{group.name}, {run.label}: milliseconds"
    enough = max((len(values) for _, values in spread), default=0) >= FEWEST
    plot = plots.histogram(name, spread, "milliseconds") if enough else None
    return join((title, element("div", _table(stages), plot, kind="beside")))


def _table(stages: dict[str, dict[str, float]]) -> Html:
    order = [*(s for s in STAGES if s in stages), *sorted(s for s in stages if s not in STAGES)]
    rows = [
        row(
            _stage(stage),
            *(_number(stages[stage].get(column)) for column in COLUMNS),
            f"{stages[stage]['n']:,.0f}" if "n" in stages[stage] else NOTHING,
        )
        for stage in order
    ]
    return table(("stage", *COLUMNS, "n"), rows, kind="numbers")


def _stage(name: str) -> str:
    words, _, unit = name.replace("_", " ").rpartition(" ")
    if unit == "tokens" and words:
        return f"tokens: {words}"
    return f"{words}, ms" if unit == "ms" and words else name.replace("_", " ")


def _number(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"
