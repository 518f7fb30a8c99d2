"""A section for each suite: what it asks, every metric, plots by kind and of runs side by side."""

from __future__ import annotations

from eval.compare import A_BETTER, B_BETTER, Row
from eval.report import plots
from eval.report.definitions import remarks
from eval.report.figures import NOTHING, cell, change, figure, is_share, named
from eval.report.markup import Html, element, join, row, table
from eval.report.plots import GREY, Point, Series
from eval.report.runs import Group, base, both
from eval.report.standing import against
from eval.result import Metric
from eval.suites.base import CUT

KINDS = 40
"""Kinds that a plot shows; more have no room for their names."""


def section(group: Group) -> Html:
    """Return the section of one suite."""
    about = group.suite.about if group.suite else "This Caret does not know the suite."
    paired = [(run.label, against(group, run)) for run in group.runs[1:]]
    version = group.runs[0].result.suite_version
    return element(
        "section",
        element("h2", group.name),
        element("p", f"{about[:1].upper()}{about[1:]}", "" if about.endswith(".") else ".",
                element("span", f" Version {version}.", kind="quiet")),
        element(
            "div",
            _metrics(group) if group.metrics else element("p", "No metric was measured."),
            _overall(group),
            kind="beside",
        ),
        *(element("p", f"{line}.", kind="quiet") for line in remarks(group.metrics)),
        _against_first(group, paired),
        element("div", *_differences(group, paired), *_by_slice(group), kind="plots"),
        _published(group),
        attributes={"id": group.anchor},
    )  # fmt: skip


def _metrics(group: Group) -> Html:
    """Every metric: the runs, then the baselines, raw beside cut."""
    rows: list[Html] = []
    for name in group.metrics:
        lines = [(r.label, both(r.result.metrics, name), "") for r in group.runs]
        lines += [
            (label, both(metrics, name), "baseline") for label, metrics in _baselines(group).items()
        ]
        lines = [line for line in lines if any(line[1])]
        share = is_share(name, *(metric for _, pair, _ in lines for metric in pair))
        for number, (label, (raw, cut), kind) in enumerate(lines):
            n = next((f"{m.n:,}" for m in (raw, cut) if m is not None), NOTHING)
            values = [cell("raw", raw, share=share), cell("cut", cut, share=share)]
            if raw and cut and raw.n != cut.n:
                n = f"{raw.n:,} | {cut.n:,}"
            rows.append(
                row(
                    named(name) if number == 0 else "",
                    label,
                    *(values if group.has_cut else [cell("value", raw, share=share)]),
                    n,
                    kind=" ".join(filter(None, ("opens" if number == 0 else "", kind))),
                )
            )
    texts = ("raw", "cut") if group.has_cut else ("value",)
    return table(("metric", "run or baseline", *texts, "items"), rows, kind="groups")


def _baselines(group: Group) -> dict[str, dict[str, Metric]]:
    """By name; where several runs have it, the first's: they answer without the model."""
    found: dict[str, dict[str, Metric]] = {}
    for run in group.runs:
        for name, baseline in run.result.baselines.items():
            found.setdefault(name, baseline.metrics)
    return found


Paired = list[tuple[str, list[Row] | str]]
"""Of each run but the first: its differences, or why there are none."""


def _against_first(group: Group, paired: Paired) -> Html | None:
    """Return the paired differences of the other runs against the first, or why there are none."""
    if not paired:
        return None
    first = group.runs[0].label
    rows: list[Html] = []
    why: list[Html] = []
    for label, found in paired:
        if isinstance(found, str):
            why.append(element("p", f"{label}, unpaired: {found}", kind="warn"))
            continue
        rows += [_difference(group, label, line, opens=line is found[0]) for line in found]
    head = ("run", "metric", "difference", "95 % interval", "items", "McNemar’s p", "")
    caption = f"Paired differences against {first}, over the items that both were asked alike"
    return join((table(head, rows, caption=caption, kind="groups") if rows else None, *why))


def _difference(group: Group, label: str, line: Row, *, opens: bool) -> Html:
    gap = line.difference
    low, high = change(gap.low, share=line.share), change(gap.high, share=line.share)
    verdicts = {A_BETTER: "worse", B_BETTER: "better"}
    return row(
        label if opens else "",
        _titled(group, line.metric, ", "),
        element("b", change(gap.value, share=line.share) + (" points" if line.share else "")),
        element("small", f"[{low}, {high}]"),
        f"{gap.n:,}",
        NOTHING
        if line.test is None
        else f"{line.test.p:.3f}"
        if line.test.p >= 0.001
        else "< 0.001",
        verdicts.get(line.verdict, line.verdict),
        kind="opens" if opens else "",
    )


def _differences(group: Group, paired: Paired) -> list[Html]:
    """Draw the differences of the headline, raw and cut."""
    gaps = [
        (label, line) for label, found in paired if not isinstance(found, str) for line in found
    ]
    found: list[Html] = []
    for metric in (group.headline, group.headline + CUT):
        there = [(label, line) for label, line in gaps if line.metric == metric]
        if there:
            title = f"{group.name}: {_titled(group, metric)}, less {group.runs[0].label}"
            values = [line.difference for _, line in there]
            points = [Point(value=d.value, low=d.low, high=d.high) for d in values]
            percent = all(line.share for _, line in there)
            found.append(plots.differences(title, [n for n, _ in there], points, percent=percent))
    return found


def _overall(group: Group) -> Html | None:
    lines = [(run.label, both(run.result.metrics, group.headline)) for run in group.runs]
    own = len(lines)
    lines += [(name, both(metrics, group.headline)) for name, metrics in _baselines(group).items()]
    lines = [line for line in lines if any(line[1])]
    if not lines:
        return None
    percent = is_share(group.headline, *(metric for _, pair in lines for metric in pair))
    series = [
        Series(label=text, colour=number, points=[_point(pair[number]) for _, pair in lines])
        for number, text in enumerate(("raw", "cut") if group.has_cut else ("value",))
        if any(pair[number] for _, pair in lines)
    ]
    title = f"{group.name}: {named(group.headline)}" + (
        ", beside baselines" if own < len(lines) else ""
    )
    return plots.dots(title, [name for name, _ in lines], series, percent=percent, bars=True)


Slice = list[dict[str, dict[str, Metric]]]
"""Of each run: the figures of each part of a slice."""


def _by_slice(group: Group) -> list[Html]:
    """Return the headline by kind, then by the slices that items of any suite have."""
    found = _by(group, "kind", [run.result.groups for run in group.runs])
    for facet in dict.fromkeys(name for run in group.runs for name in run.result.facets):
        found += _by(group, facet, [run.result.facets.get(facet, {}) for run in group.runs])
    return found


def _by(group: Group, slice_: str, parts: Slice) -> list[Html]:
    """Return the headline by part: raw beside cut for one run, run beside run for several."""
    metrics = (group.headline, group.headline + CUT)
    names = _parts(group, parts, by_size=slice_ == "kind")
    if not names:
        return []
    if len(group.runs) == 1:
        labels = [_which(metric) if group.has_cut else "value" for metric in metrics]
        wanted = [[(0, *line) for line in zip(metrics, labels, strict=True)]]
        titles = [f"{group.name}: {named(group.headline)} by {slice_}"]
    else:
        wanted = [
            [(n, metric, run.label) for n, run in enumerate(group.runs)] for metric in metrics
        ]
        titles = [f"{group.name}: {_titled(group, m)} by {slice_}" for m in metrics]
    found: list[Html] = []
    for title, lines in zip(titles, wanted, strict=True):
        series: list[Series] = []
        every: list[Metric | None] = []
        for number, metric, label in lines:
            values = [parts[number].get(name, {}).get(metric) for name in names]
            if any(values):
                points = [_point(value) for value in values]
                series.append(Series(label=label, colour=len(series) % GREY, points=points))
                every += values
        if series:
            percent = is_share(group.headline, *every)
            counted = [f"{name}  ({size})" for name, size in names.items()]
            found.append(plots.dots(title, counted, series, percent=percent))
    return found


def _parts(group: Group, parts: Slice, *, by_size: bool) -> dict[str, int]:
    """Return the parts with the most items and how many: the most frequent first, or by name."""
    sizes: dict[str, int] = {}
    for figures in parts:
        for part, metrics in figures.items():
            n = [m.n for name, m in metrics.items() if base(name) == group.headline]
            if n:
                sizes[part] = max(sizes.get(part, 0), *n)
    ranked = sorted(sizes, key=lambda part: (-sizes[part] if by_size else 0, part))
    return {part: sizes[part] for part in ranked[:KINDS]}


def _published(group: Group) -> Html | None:
    figures = group.suite.published if group.suite else ()
    if not figures:
        return None
    rows = [row(p.who, named(p.metric), figure(p.value, share=True), p.source) for p in figures]
    caption = (
        "Published figures to stand beside, each in its own protocol (prompt, truncation, sampling): "
        "an order of magnitude, no ranking"
    )
    return table(("who", "metric", "figure", "source"), rows, caption=caption)


def _which(metric: str) -> str:
    return "cut" if metric.endswith(CUT) else "raw"


def _titled(group: Group, metric: str, between: str = " ") -> str:
    """Return a metric's name and, where the suite tells them apart, of which text it is."""
    return f"{named(metric)}{between}{_which(metric)}" if group.has_cut else named(metric)


def _point(metric: Metric | None) -> Point | None:
    return Point(value=metric.value, low=metric.low, high=metric.high) if metric else None
