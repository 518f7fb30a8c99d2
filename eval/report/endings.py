"""How completions end: by the model or by a limit, repeating the suffix or not, and why declined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from eval.metrics.by_stop_reason import by_stop_reason, count
from eval.report.figures import NOTHING, cell
from eval.report.markup import Html, element, join, row, table
from eval.report.runs import ENDED, Group, Run, both
from eval.result import Metric
from eval.suites.base import CUT

REPEATS = "repeats_suffix"
ENDS = ("ended_rightly", "lines_right")
SHOWN = ("exact_match", "edit_similarity", *ENDS)
"""What is shown of each stop reason."""


def section(groups: Sequence[Group]) -> Html:
    """Return the section; runs whose records were left out show their metrics alone."""
    shares: list[Html] = []
    by_reason: list[Html] = []
    declined: list[Html] = []
    verdicts: list[Html] = []
    for group in groups:
        if not group.asks_for_text:
            continue
        for number, run in enumerate(group.runs):
            name, kind = (group.name, "opens") if number == 0 else ("", "")
            shares.append(_shares(name, run, kind))
            by_reason += _by_reason(name, run, kind)
            if any(record.cut is None for record in run.result.items):
                declined.append(_declined(name, run, kind))
            if any(record.verdicts for record in run.result.items):
                verdicts.append(_verdicts(name, run, kind))
    if not shares:
        text = "No suite here asks for a text that could end."
        return element(
            "section", element("h2", "Endings"), element("p", text), attributes={"id": "endings"}
        )
    return element(
        "section",
        element("h2", "Endings"),
        element(
            "p",
            "Whether a middle ends where it should is half of its worth. A model that never ends by "
            "itself leaves that to the stop rule; one that writes the suffix again is cut by the "
            "filters. Ended rightly: ends where the reference does, of the texts that are right as "
            "far as they go. Lines right: has as many lines as the reference.",
        ),
        table(
            (
                "suite", "run", "ended by the model", "ended rightly, raw", "…, cut",
                "lines right, raw", "…, cut", "repeats the suffix, raw", "…, cut",
            ),
            shares,
        ),
        table(
            (
                "suite", "run", "text", "ended by", "items", "exact match", "edit similarity",
                "ended rightly", "lines right",
            ),
            by_reason, caption="By what ended the texts", kind="groups",
        ) if by_reason else None,
        table(
            ("suite", "run", "nothing suggested because"), declined,
        ) if declined else None,
        table(
            ("suite", "run", "programs, raw", "programs, cut"), verdicts,
            caption="What became of the programs that were run",
        ) if verdicts else None,
        attributes={"id": "endings"},
    )  # fmt: skip


def _shares(name: str, run: Run, kind: str) -> Html:
    metrics = run.result.metrics
    shown = [(ENDED, metrics.get(ENDED))]
    for metric in (*ENDS, REPEATS):
        shown += zip(("raw", "cut"), both(metrics, metric), strict=True)
    cells = (cell(title, metric, share=True) for title, metric in shown)
    return row(name, run.label, *cells, kind=kind)


def _by_reason(name: str, run: Run, kind: str) -> Iterator[Html]:
    """Yield a row for each stop reason; of a result of before they are worked out here."""
    endings = run.result.endings or by_stop_reason(run.result.items)
    first = True
    for which, reasons in endings.items():
        end = CUT if which == "cut" else ""
        total = sum(map(count, reasons.values())) or 1
        for number, (reason, metrics) in enumerate(reasons.items()):
            n = count(metrics)
            yield row(
                name if first else "",
                run.label if first else "",
                which if number == 0 else "",
                reason,
                join((f"{n:,} ", element("small", f"({100 * n / total:.1f} %)"))),
                *(_shown(metric, metrics.get(metric + end), n) for metric in SHOWN),
                kind=kind if first else "opens" if number == 0 else "",
            )
            first = False


def _shown(name: str, metric: Metric | None, n: int) -> str:
    """Return a metric with its interval, and of how many items where that is not of all ``n``."""
    shown = cell(name, metric, share=True)
    if metric is None or metric.n == n:
        return shown
    return join((shown, " ", element("small", f"of {metric.n:,}")))


def _declined(name: str, run: Run, kind: str) -> Html:
    items = run.result.items
    why = _counts(r.declined or "unnamed" for r in items if r.cut is None)
    return row(name, run.label, why, kind=kind)


def _verdicts(name: str, run: Run, kind: str) -> Html:
    """Count the verdicts of every sample (``raw``, ``raw/1``, …)."""
    raw, cut = (
        _counts(v for r in run.result.items for k, v in r.verdicts.items() if k.startswith(which))
        for which in ("raw", "cut")
    )
    return row(name, run.label, raw, cut, kind=kind)


def _counts(reasons: Iterable[str]) -> str:
    """Return how often each reason was, the most frequent first."""
    found = Counter(reasons)
    total = sum(found.values())
    if not total:
        return NOTHING
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = (
        join((reason, " ", element("small", f"{n:,} ({100 * n / total:.1f} %)")))
        for reason, n in ranked
    )
    return join(element("div", line) for line in lines)
