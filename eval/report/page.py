"""The page: its head, its contents, its sections in the order in which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.report import endings, examples, latency, making, suites, summary, training
from eval.report.loading import Curve
from eval.report.markup import Html, element, join
from eval.report.runs import Group, grouped, n_items
from eval.report.style import STYLE
from eval.result import Result

TITLE = "Caret: offline evaluation"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is fetched and nothing runs, whatever a model wrote into its completions."""


def page(
    results: Sequence[tuple[Path, Result]], *, title: str = TITLE, curves: Sequence[Curve] = ()
) -> str:
    """Return the report as one HTML document; the same for the same input."""
    groups = grouped(results)
    trained = training.section(curves)
    head = element(
        "head",
        element("meta", attributes={"charset": "utf-8"}),
        element("meta", attributes={"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        element(
            "meta",
            attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"},
        ),
        element("title", title),
        element("style", Html(STYLE)),
    )
    body = element(
        "body",
        element("h1", title),
        element("p", _about(groups), kind="quiet"),
        _contents(groups, trained is not None),
        element(
            "main",
            summary.section(groups),
            *(suites.section(group) for group in groups),
            endings.section(groups),
            latency.section(groups),
            examples.section(groups),
            trained,
            making.section(groups),
        ),
    )
    whole = element("html", head, "\n", body, attributes={"lang": "en"})
    return join((Html("<!DOCTYPE html>\n"), whole, "\n"))


def _about(groups: Sequence[Group]) -> str:
    runs = [run for group in groups for run in group.runs]
    models = dict.fromkeys(str(run.result.model.get("name") or run.label) for run in runs)
    dates = sorted(run.result.started[:10] for run in runs if run.result.started)
    when = f"{dates[0]} to {dates[-1]}" if dates and dates[0] != dates[-1] else "".join(dates[:1])
    items = sum(n_items(run.result) for run in runs)
    counted = f"{_many(len(groups), 'suite')}, {_many(len(runs), 'run')}, {_many(items, 'item')}"
    return " · ".join(filter(None, (", ".join(models), counted, when)))


def _contents(groups: Sequence[Group], trained: bool) -> Html:
    links = [("summary", "Summary"), *((g.anchor, g.name) for g in groups)]
    links += [("endings", "Endings"), ("latency", "Latency"), ("failures", "Failures")]
    links += [("training", "Training")] if trained else []
    links += [("made", "How it was made")]
    items = (
        element("li", element("a", name, attributes={"href": f"#{anchor}"}))
        for anchor, name in links
    )
    return element("nav", element("ul", *items), attributes={"aria-label": "Contents"})


def _many(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"
