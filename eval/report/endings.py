"""How completions end: by the model or by a limit, repeating the suffix or not, and why declined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from eval.report.figures import NOTHING, cell
from eval.report.markup import Html, element, join, row, table
from eval.report.runs import ENDED, Group, Run, both

REPEATS = "repeats_suffix"


def section(groups: Sequence[Group]) -> Html:
    """Return the section; runs whose records were left out show their metrics alone."""
    shares: list[Html] = []
    reasons: list[Html] = []
    verdicts: list[Html] = []
    for group in groups:
        if not group.asks_for_text:
            continue
        for number, run in enumerate(group.runs):
            name, kind = (group.name, "opens") if number == 0 else ("", "")
            shares.append(_shares(name, run, kind))
            reasons.append(_reasons(name, run, kind))
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
            "itself leaves that to the stop rule; one that writes the suffix again is cut by the filters.",
        ),
        table(
            ("suite", "run", "ended by the model", "repeats the suffix, raw", "…, cut"), shares
        ),
        table(
            ("suite", "run", "raw ended by", "cut ended by", "nothing suggested because"), reasons
        ),
        table(
            ("suite", "run", "programs, raw", "programs, cut"), verdicts,
            caption="What became of the programs that were run",
        ) if verdicts else None,
        attributes={"id": "endings"},
    )  # fmt: skip


def _shares(name: str, run: Run, kind: str) -> Html:
    raw, cut = both(run.result.metrics, REPEATS)
    ended = run.result.metrics.get(ENDED)
    cells = (
        cell(title, m, share=True) for title, m in ((ENDED, ended), ("raw", raw), ("cut", cut))
    )
    return row(name, run.label, *cells, kind=kind)


def _reasons(name: str, run: Run, kind: str) -> Html:
    items = run.result.items
    return row(
        name,
        run.label,
        _counts(r.raw_end or "unnamed" if r.raw is not None else "no answer" for r in items),
        _counts(r.cut_end or "unnamed" for r in items if r.cut is not None),
        _counts(r.declined or "unnamed" for r in items if r.cut is None),
        kind=kind,
    )


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
