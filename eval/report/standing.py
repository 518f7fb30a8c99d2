"""How a run stands: against what guesses without a model, and against another run.

Differences are paired where both have scores of the same items (same id, same prompt).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from completion.errors import UsageError
from eval.compare import Row, Side, compare
from eval.metrics.pairing import Difference, paired_difference
from eval.report.figures import better, change, is_share, named, plain
from eval.report.runs import Group, Run, both, n_items
from eval.result import Metric, Result, has_cut
from eval.running import judging
from eval.suites.base import CUT


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A run's figure beside the best baseline's."""

    text: str
    """``raw`` or ``cut``; empty where they are not told apart."""
    ours: Metric
    baseline: str
    theirs: Metric
    difference: Difference | None
    """Ours less theirs; ``None``: the items' own scores are not there."""
    beats: bool
    """The figure is better, and where there is an interval, 0 is outside of it."""


_FEW = re.compile(r"items are few|fewer than \d+ items")
_BEATEN = re.compile(r"the model does not beat ")
"""Of a run's own warnings: the first need not be said twice, the second is said with its interval
by :func:`verdict`."""


def best_baseline(result: Result, metric: str) -> tuple[str, Metric] | None:
    """Return the best baseline by a metric; one that is itself the run does not count."""
    best: tuple[str, Metric] | None = None
    for name, baseline in result.baselines.items():
        found = baseline.metrics.get(metric)
        if found is None or name == result.engine:
            continue
        if best is None or better(metric, found.value, best[1].value):
            best = name, found
    return best


def standings(run: Run, headline: str) -> list[Standing]:
    """Return how the run stands, raw and cut, where there is a baseline of the metric."""
    found: list[Standing] = []
    for text, metric, ours in zip(
        ("raw", "cut"), (headline, headline + CUT), both(run.result.metrics, headline), strict=True
    ):
        best = best_baseline(run.result, metric)
        if ours is None or best is None:
            continue
        name, theirs = best
        scores = {r.id: r.scores for r in run.result.items}
        gap = difference(scores, run.result.baselines[name].scores, metric)
        beats = better(metric, ours.value, theirs.value) and (gap is None or gap.shown)
        found.append(
            Standing(
                text=text if has_cut(run.result) else "",
                ours=ours,
                baseline=name,
                theirs=theirs,
                difference=gap,
                beats=beats,
            )
        )
    return found


def verdict(standing: Standing, metric: str) -> str:
    """Return one plain sentence."""
    share = is_share(metric, standing.ours, standing.theirs)
    which = ", ".join(filter(None, (named(metric), standing.text)))
    figures = f"{plain(standing.ours, share=share)} against {plain(standing.theirs, share=share)}"
    gap = standing.difference
    paired = ""
    if gap is not None:
        low, high = change(gap.low, share=share), change(gap.high, share=share)
        unit = " points" if share else ""
        paired = f", paired difference {change(gap.value, share=share)}{unit} [{low}, {high}]"
    if standing.beats:
        return f"Beats {standing.baseline} ({which}: {figures}{paired})."
    if better(metric, standing.ours.value, standing.theirs.value):
        said = f"Is not shown to beat {standing.baseline}: the difference may be chance"
    else:
        said = f"Does not beat {standing.baseline}, which needs no model"
    return f"{said} ({which}: {figures}{paired})."


def difference(
    ours: Mapping[str, Mapping[str, Any]], theirs: Mapping[str, Mapping[str, Any]], metric: str
) -> Difference | None:
    """Return ours less theirs over the items that both have; ``None``: there are none."""
    a = {item: row[metric] for item, row in theirs.items() if metric in row}
    b = {item: row[metric] for item, row in ours.items() if metric in row}
    return paired_difference(a, b)


def against(group: Group, other: Run) -> list[Row] | str:
    """Return ``other`` less the group's first run, raw and cut; or why they cannot be paired."""
    first, second = (
        Side(
            file=run.file,
            baseline="",
            result=run.result,
            scores={record.id: record.scores for record in run.result.items},
        )
        for run in (group.runs[0], other)
    )
    try:
        return compare(first, second, [group.headline]).rows
    except UsageError as error:
        return error.message.replace("A and B", "the runs")


def warnings(run: Run) -> list[str]:
    """Return what a reader must know before believing the figures, the run's own warnings first."""
    result = run.result
    found = [w for w in dict.fromkeys(result.warnings) if not _BEATEN.match(w)]
    written = " ".join(found).lower()
    if not _FEW.search(written):
        found += judging.few_items(n_items(result))
    made = result.data.get("hand_made")
    if made and "hand-made" not in written:
        found.append(
            "hand-made items in the published format: these figures stand for nothing else"
        )
    elif result.data.get("published") is False and "publish" not in written and not made:
        found.append("not the published data set: do not hold these figures against published ones")
    return found


def mixed(group: Group) -> list[str]:
    """Return why runs of one suite must not be held against each other, if so."""
    found: list[str] = []
    versions = {run.result.suite_version for run in group.runs}
    if len(versions) > 1:
        found.append(f"versions {', '.join(sorted(versions))} of the suite: not one measurement")
    if len({run.result.data.get("sha256") for run in group.runs}) > 1:
        found.append("the runs read different data: compare only what is paired")
    return found
