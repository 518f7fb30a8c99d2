"""How each result was made, so that somebody else can make it again; and what the metrics are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from eval.report.definitions import listed
from eval.report.figures import duration
from eval.report.markup import Html, element, join, row, table
from eval.report.runs import Group, Run, n_items

_INTERVALS = (
    "Intervals are of 95 %: a bootstrap over items (2,000 resamples, percentiles), and Wilson’s score "
    "interval where every score is 0 or 1. Differences are paired: an item is drawn with both of its "
    "scores. Baselines answer the same items without a model."
)


def section(groups: Sequence[Group]) -> Html:
    """Return the section."""
    metrics = dict.fromkeys(name for group in groups for name in group.metrics)
    return element(
        "section",
        element("h2", "How it was made"),
        *(_run(group, run) for group in groups for run in group.runs),
        element("h3", "What the figures are"),
        listed(metrics),
        element("p", _INTERVALS),
        attributes={"id": "made"},
    )


def _run(group: Group, run: Run) -> Html:
    result = run.result
    dirty = result.caret.get("dirty")
    commit = str(result.caret.get("commit") or "none known") + (", changed since" if dirty else "")
    facts: list[tuple[str, Any]] = [
        ("command", result.options.get("command")),
        ("options", {k: v for k, v in result.options.items() if k != "command"}),
        ("engine", result.engine),
        *(((f"model, {k}" if k != "name" else "model"), v) for k, v in result.model.items()),
        ("caret", f"{result.caret.get('version', 'unknown')}, commit {commit}"),
        ("machine", result.machine),
        *((f"data, {k}", v) for k, v in result.data.items()),
        ("items", f"{n_items(result):,}"),
        ("started", result.started),
        ("time spent", duration(result.seconds)),
        ("file", run.file),
    ]
    rows = [row(name, _value(value)) for name, value in facts if value not in (None, "", {}, [])]
    return join((element("h3", f"{group.name} · {run.label}"), table(("", ""), rows, kind="facts")))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return join((f"{k} {_plain(v)}" for k, v in value.items()), " · ")
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
