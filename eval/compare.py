"""Two runs of one suite, held against each other item by item.

Pure. What may be compared is decided here: the same suite in the same version, and of it the
items that both were asked alike. How it looks is the command's affair.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from completion.errors import UsageError
from eval.metrics import latency
from eval.metrics.direction import less_is_better
from eval.metrics.mcnemar import McNemar, mcnemar
from eval.metrics.pairing import Difference, paired_difference
from eval.metrics.summary import ENOUGH, Score
from eval.result import Record, timings_of
from eval.running.facets import parts_of
from eval.side import Differing, Side, differing
from eval.suites.base import CUT

A_BETTER, B_BETTER, NOT_SHOWN = "A better", "B better", "no difference shown"
KIND = "kind"
"""The slice that is a suite's own."""
SIGNIFICANCE = 0.05
"""Of McNemar's p; the intervals are of 95 % likewise."""
MANY = 5
"""Comparisons at once from which on the reader is reminded of chance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One metric of both."""

    metric: str
    difference: Difference
    """B's less A's."""
    share: bool
    """Whether it is a share, 0 to 1."""
    test: McNemar | None
    """Where every score is 0 or 1."""
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All there is to say about two runs."""

    a: Side
    b: Side
    shared: int
    differs: list[Differing]
    warnings: list[str]
    rows: list[Row]
    latency: dict[str, tuple[float, float]]
    """p50 of A and of B by stage, over the shared items; empty where one has no timings."""
    parts: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    """By part of the slice that was asked for, and how many items it has: the same metrics."""


def compare(
    a: Side, b: Side, metrics: Sequence[str] = (), *, by: str = "", seed: int = 0
) -> Comparison:
    """Hold ``b`` against ``a``, by ``metrics`` (raw and cut of each) or by all that both have.

    ``by``: a slice, of whose parts each is compared, too. A 0/1 metric is decided by McNemar's exact
    test, any other by its paired interval.

    Raises:
        UsageError: they are of different suites, versions or data; they share no items; a metric
            or the slice is in neither.
    """
    items, warnings = _shared_items(a, b)
    names = _chosen(a, b, items, metrics)
    rows = [row for name in names if (row := _row(name, a, b, items, seed)) is not None]
    if not rows:
        raise UsageError("the shared items have no metric that is in both results")
    return Comparison(
        a=a,
        b=b,
        shared=len(items),
        differs=differing(a, b),
        warnings=warnings,
        rows=rows,
        latency=_latency(a, b, items),
        parts={
            f"{part} ({len(inside)})": [
                row for name in names if (row := _row(name, a, b, inside, seed)) is not None
            ]
            for part, inside in (_parts(a, b, items, by) if by else {}).items()
        },
    )


def _parts(a: Side, b: Side, items: list[str], by: str) -> dict[str, list[str]]:
    """Return the items of each part of a slice, or of each kind; in either result they may stand."""
    facets: dict[str, dict[str, str]] = {}
    for side in (b, a):
        for record in side.result.items:
            kind = {KIND: record.kind} if record.kind else {}
            facets.setdefault(record.id, {}).update({**kind, **record.facets})
    known = list(dict.fromkeys(name for item in items for name in facets[item]))
    if by not in known:
        there = f"there is {', '.join(known)}" if known else "there is none"
        raise UsageError(f"no slice {by} in either result: {there}")
    return {p: list(i) for p, i in parts_of({i: facets[i] for i in items}, by).items()}


def _shared_items(a: Side, b: Side) -> tuple[list[str], list[str]]:
    """Return the items that both were asked alike, and what is to be warned of."""
    ours, theirs = a.result, b.result
    for what, x, y in (
        ("suite", ours.suite, theirs.suite),
        ("version of the suite", ours.suite_version, theirs.suite_version),
    ):
        if x != y:
            raise UsageError(
                f"A is of {what} {x}, B of {y}: run both on the same one, then compare"
            )
    asked_a, asked_b = _asked(a), _asked(b)
    common = [item for item in asked_a if item in asked_b]
    alike = [item for item in common if _are_alike(asked_a[item], asked_b[item])]
    unlike = len(common) - len(alike)
    with_others = sum(asked_a[item].prompt_sha256 != asked_b[item].prompt_sha256 for item in alike)
    warnings: list[str] = []
    if ours.data.get("sha256") != theirs.data.get("sha256"):
        if unlike or not alike:
            raise UsageError(
                "A and B read different data, and their items do not agree: run both with one --data"
            )
        if not with_others:
            warnings.append("A and B read different data; the items they share are the same")
    if not alike:
        raise UsageError("A and B share no items: run both with the same --limit and --seed")
    if with_others:
        warnings.append(
            f"{with_others} items came with other snippets in A than in B, and are the same but for "
            "that: it is compared too"
        )
    if unlike:
        warnings.append(f"{unlike} items of one id were asked differently; they are left out")
    if len(alike) < max(len(asked_a), len(asked_b)):
        warnings.append(
            f"only {len(alike)} items are compared: A has {len(asked_a)}, B has {len(asked_b)}"
        )
    if len(alike) < ENOUGH:
        warnings.append(
            f"{len(alike)} shared items are few: under {ENOUGH}, only large differences show"
        )
    for text in dict.fromkeys([*ours.warnings, *theirs.warnings]):
        of = [name for name, run in (("A", ours), ("B", theirs)) if text in run.warnings]
        warnings.append(f"{' and '.join(of)}: {text}")
    return alike, warnings


def _asked(side: Side) -> dict[str, Record]:
    return {record.id: record for record in side.result.items if record.id in side.scores}


def _are_alike(ours: Record, theirs: Record) -> bool:
    """Return whether both are of the same place with the same reference.

    What comes with it of other files may differ: with and without is a comparison people want.
    """
    place = bool(ours.place_sha256) and ours.place_sha256 == theirs.place_sha256
    same = place or ours.prompt_sha256 == theirs.prompt_sha256
    return same and ours.reference == theirs.reference


def _chosen(a: Side, b: Side, items: list[str], wanted: Sequence[str]) -> list[str]:
    """Return the metrics to compare: raw before cut, in A's order."""
    ours, theirs = (
        dict.fromkeys(metric for item in items for metric in side.scores[item]) for side in (a, b)
    )
    bases = dict.fromkeys(name.removesuffix(CUT) for name in ours)
    ordered = [name for base in bases for name in (base, base + CUT) if name in ours]
    both = [name for name in ordered if name in theirs]
    for name in wanted:
        if not {name, name + CUT} & set(both):
            near = difflib.get_close_matches(name, both, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(both)}"
            raise UsageError(f"no metric {name} in both results: {hint}")
    return [name for name in both if not wanted or {name, name.removesuffix(CUT)} & set(wanted)]


def _row(metric: str, a: Side, b: Side, items: list[str], seed: int) -> Row | None:
    ours, theirs = (
        {item: side.scores[item][metric] for item in items if metric in side.scores[item]}
        for side in (a, b)
    )
    difference = paired_difference(ours, theirs, seed=seed)
    if difference is None:
        return None
    scores = [*ours.values(), *theirs.values()]
    binary = all(isinstance(score, int | float) and score in (0, 1) for score in scores)
    test = mcnemar(ours, theirs) if binary else None  # pyright: ignore[reportArgumentType]
    return Row(
        metric=metric,
        difference=difference,
        share=all(_is_share(score) for score in scores),
        test=test,
        verdict=_verdict(metric, difference, test),
    )


def _is_share(score: Score) -> bool:
    return 0 <= score[0] <= score[1] if isinstance(score, list | tuple) else 0 <= score <= 1


def _verdict(metric: str, difference: Difference, test: McNemar | None) -> str:
    shown = difference.shown if test is None else test.p < SIGNIFICANCE
    if not shown:
        return NOT_SHOWN
    return B_BETTER if (difference.value > 0) != less_is_better(metric) else A_BETTER


def _latency(a: Side, b: Side, items: list[str]) -> dict[str, tuple[float, float]]:
    if a.baseline or b.baseline:
        return {}
    ours, theirs = (latency.table(_timings(side.result.items, items)) for side in (a, b))
    return {
        stage: (ours[stage]["p50"], theirs[stage]["p50"])
        for stage in ours
        if stage in theirs and (ours[stage]["mean"] or theirs[stage]["mean"])
    }


def _timings(records: Sequence[Record], items: list[str]) -> list[dict[str, float]]:
    wanted = set(items)
    return [row for record in records if record.id in wanted for row in timings_of(record)]
