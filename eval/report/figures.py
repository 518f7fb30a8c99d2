"""Figures as a reader wants them: shares in percent, others as they are, intervals beside."""

from __future__ import annotations

from eval.metrics.direction import less_is_better
from eval.report.markup import element, join
from eval.result import Metric
from eval.suites.base import CUT

NOTHING = "–"
"""Where there is no figure."""
_PLAIN = ("bits_per_byte", "perplexity")
_WRITTEN = {"mrr": "MRR", "rouge": "ROUGE", "meteor": "METEOR", "f1": "F1", "l": "L"}
"""Words of names that are written in capitals."""


def is_share(name: str, *metrics: Metric | None) -> bool:
    """Return whether a metric is a share of 1, to be shown in percent."""
    if any(word in name for word in _PLAIN) or name.endswith(("_ms", "_tokens", "_bytes")):
        return False
    return all(abs(m.value) <= 1 + 1e-9 for m in metrics if m is not None)


def better(name: str, ours: float, theirs: float) -> bool:
    """Return whether ``ours`` is the better figure of the metric."""
    return ours < theirs if less_is_better(name) else ours > theirs


def figure(value: float, *, share: bool) -> str:
    """Return a figure to the digits that mean something."""
    if share:
        return f"{100 * value:.1f}\u00a0%"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def plain(metric: Metric, *, share: bool) -> str:
    """Return a metric with its interval, in a sentence."""
    low, high = bounds(metric.low, metric.high, share=share)
    return f"{figure(metric.value, share=share)} [{low}, {high}]"


def cell(name: str, metric: Metric | None, *, share: bool) -> str:
    """Return a metric with its interval, for a table."""
    if metric is None:
        return NOTHING
    low, high = bounds(metric.low, metric.high, share=share)
    return join(
        (
            element("b", figure(metric.value, share=share)),
            " ",
            element("small", f"[{low}, {high}]", attributes={"title": f"{name}: 95 % interval"}),
        )
    )


def bounds(low: float, high: float, *, share: bool) -> tuple[str, str]:
    """Return the ends of an interval, without the unit."""
    ends = (figure(low, share=share), figure(high, share=share))
    return ends[0].removesuffix("\u00a0%"), ends[1].removesuffix("\u00a0%")


def change(value: float, *, share: bool) -> str:
    """Return a difference with its sign; of shares in percentage points."""
    written = f"{100 * value:+.1f}" if share else f"{value:+.3f}"
    return written.replace("-", "−")


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def named(metric: str) -> str:
    """Return a metric's name as a heading."""
    known = metric.removesuffix(CUT)
    written = " ".join(_WRITTEN.get(word, word) for word in known.split("_"))
    return written.replace("ROUGE L", "ROUGE-L")
