"""The first section: one row for each suite and run, and what has to be said about it."""

from __future__ import annotations

from collections.abc import Sequence

from eval.report.figures import NOTHING, cell, is_share, named
from eval.report.markup import Html, element, join, table
from eval.report.runs import Group, Run, both, n_items
from eval.report.standing import Standing, best_baseline, mixed, standings, verdict, warnings
from eval.suites.base import CUT


def section(groups: Sequence[Group]) -> Html:
    """Return the summary."""
    rows: list[Html] = []
    beaten: list[str] = []
    for group in groups:
        for number, run in enumerate(group.runs):
            found = standings(run, group.headline)
            notes = _notes(run, found, group, mixed(group) if number == 0 else [])
            rows.append(_row(group, run, number == 0, spoken=notes is not None))
            if notes is not None:
                rows.append(notes)
            if any(not standing.beats for standing in found):
                beaten.append(group.name if len(group.runs) == 1 else f"{group.name} ({run.label})")
    head = ("suite", "run", "metric", "raw", "cut", "items", "best baseline")
    return element(
        "section",
        element("h2", "Summary"),
        _opening(beaten),
        table(head, rows),
        element(
            "p",
            "Raw is the model’s own text; cut is what an editor would insert, behind stop rule and "
            "filters; a suite that does not tell them apart has one value. Square brackets hold the "
            "95 % interval over items.",
            kind="quiet",
        ),
        attributes={"id": "summary"},
    )


def _opening(beaten: list[str]) -> Html | None:
    if not beaten:
        return None
    return element(
        "p",
        "Not shown to beat what guesses without a model, raw or cut: ",
        element("b", ", ".join(beaten)),
        ". A model that does not beat its baselines is worth nothing there.",
        kind="warn",
    )


def _row(group: Group, run: Run, first: bool, *, spoken: bool) -> Html:
    raw, cut = both(run.result.metrics, group.headline)
    share = is_share(group.headline, raw, cut)
    link = element("a", group.name, attributes={"href": f"#{group.anchor}"})
    kinds = [k for k, wanted in (("opens", first), ("spoken", spoken)) if wanted]
    values = [cell("raw", raw, share=share), cell("cut", cut, share=share)]
    cells = [element("td", value) for value in values]
    if not group.has_cut:  # one value, under both headings
        cells = [element("td", cell("value", raw, share=share), attributes={"colspan": "2"})]
    return element(
        "tr",
        element("th", link if first else "", attributes={"scope": "row"}),
        element("td", run.label),
        element("td", named(group.headline) if group.headline else NOTHING),
        *cells,
        element("td", f"{n_items(run.result):,}"),
        element("td", _baseline(run, group.headline, share=share)),
        kind=" ".join(kinds),
    )


def _baseline(run: Run, headline: str, *, share: bool) -> str:
    best = best_baseline(run.result, headline) or best_baseline(run.result, headline + CUT)
    if best is None:
        return NOTHING
    name, metric = best
    return join((cell("baseline", metric, share=share), " ", element("small", name)))


def _notes(run: Run, found: list[Standing], group: Group, mixed: list[str]) -> Html | None:
    lines: list[Html] = []
    for standing in found:
        metric = group.headline + (CUT if standing.text == "cut" else "")
        kind = "good" if standing.beats else "bad"
        mark = element("span", "✓ " if standing.beats else "✗ ", kind=kind)
        lines.append(element("p", mark, verdict(standing, metric), kind="quiet"))
    warned = [element("p", f"⚠ {line}", kind="warn") for line in [*warnings(run), *mixed]]
    if not lines and not warned:
        return None
    box = element("div", *lines, *warned, kind="verdict")
    return element("tr", element("td", box, attributes={"colspan": "7"}))
