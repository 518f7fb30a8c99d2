"""The figures of a run for each reason for which texts ended. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eval.metrics.summary import Score, summarise
from eval.result import Metric, Record
from eval.suites.base import CUT

Reasons = dict[str, dict[str, Metric]]
"""By stop reason, the most frequent first; the metrics of that text."""

NO_ANSWER = "no answer"
"""In place of a reason where there is no raw text."""
NOTHING = "nothing suggested"
"""In place of a reason where there is no cut text."""
_UNNAMED = "unnamed"


def by_stop_reason(records: Sequence[Record], *, seed: int = 0) -> dict[str, Reasons]:
    """Return the figures of ``raw`` and of ``cut`` texts, the first sample's, by what ended them.

    Nothing where a suite does not tell the two apart: it asks for no text that could end.
    """
    if not any(name.endswith(CUT) for record in records for name in record.scores):
        return {}
    found = {
        "raw": _figures(records, _raw_end, lambda name: not name.endswith(CUT), seed),
        "cut": _figures(records, _cut_end, lambda name: name.endswith(CUT), seed),
    }
    return {text: reasons for text, reasons in found.items() if reasons}


def _figures(
    records: Sequence[Record],
    end: Callable[[Record], str],
    wanted: Callable[[str], bool],
    seed: int,
) -> Reasons:
    found: dict[str, dict[str, Mapping[str, Score]]] = {}
    for record in records:
        scores = {name: score for name, score in record.scores.items() if wanted(name)}
        if scores:
            found.setdefault(end(record), {})[record.id] = scores
    ranked = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return {reason: summarise(scores, seed=seed) for reason, scores in ranked}


def _raw_end(record: Record) -> str:
    return NO_ANSWER if record.raw is None else record.raw_end or _UNNAMED


def _cut_end(record: Record) -> str:
    return NOTHING if record.cut is None else record.cut_end or _UNNAMED


def count(metrics: Mapping[str, Metric]) -> int:
    """Return how many items a reason is of: some metrics are not of all of them."""
    return max((metric.n for metric in metrics.values()), default=0)
