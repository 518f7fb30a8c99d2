"""The curve of the training that made the model, when its log is given."""

from __future__ import annotations

from collections.abc import Sequence

from eval.report import plots
from eval.report.loading import Curve
from eval.report.markup import Html, element
from eval.report.plots import GREY

POINTS = 600
"""Of one line; more are not seen at this size."""


def section(curves: Sequence[Curve]) -> Html | None:
    """Return the section; ``None`` without a curve."""
    if not curves:
        return None
    return element(
        "section",
        element("h2", "Training"),
        *(_words(curve) for curve in curves),
        element("div", *(_plot(curve) for curve in curves), kind="plots"),
        attributes={"id": "training"},
    )


def _words(curve: Curve) -> Html:
    tokens = max(x for x, _ in curve.trained + curve.held_out)
    said = f"{curve.name}: {tokens / 1e6:,.1f} million tokens"
    if curve.held_out:
        said += f"; {curve.held_out[-1][1]:.3f} bits per byte of held-out text at the end"
    return element("p", said + ".")


def _plot(curve: Curve) -> Html:
    step = max(1, len(curve.trained) // POINTS)
    lines = (
        ("training batches", curve.trained[::step], GREY, False),
        ("held out", curve.held_out, 0, True),
    )
    there = [line for line in lines if line[1]]
    return plots.curve(f"{curve.name}: bits per byte over tokens", there, "bits per byte")
