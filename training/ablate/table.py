"""An ablation in Markdown: one row each, what it stands on, and what may be concluded."""

from __future__ import annotations

from training.ablate.figures import Figure
from training.ablate.rows import ALL_ON
from training.ablate.statistics import Interval
from training.ablate.summary import Summary

_WORDS = {
    "helps": "Help (without it something is worse, nothing better)",
    "hurts": "Hurt (without it something is better, nothing worse)",
    "both": "Help in one figure and hurt in another",
    "cannot be told": "Cannot be told at this size",
}


def markdown(summary: Summary) -> str:
    """Return figures of ``all_on``, differences of the others, and the verdicts."""
    head = ["", *(f.label + (", %" if f.percent else "") for f in summary.figures)]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row, found in summary.rows.items():
        cells = [
            _value(found[f.name].figure, f)
            if row == ALL_ON
            else _difference(found[f.name].difference, f)
            for f in summary.figures
        ]
        lines.append("| " + " | ".join([f"`{row}`", *cells]) + " |")
    return "\n".join(lines) + "\n\n" + conditions(summary) + "\n\n" + conclusion(summary) + "\n"


def conditions(summary: Summary) -> str:
    """Return what the table stands on."""
    recipe, run = summary.study["recipe"], summary.runs[0]
    first = summary.rows[ALL_ON]
    counts = ", ".join(
        f"{first[name].items} {what}"
        for name, what in (
            ("exact_match", "cursors"),
            ("accuracy", "cardinal points"),
            ("middle_bits_per_byte", "middles"),
            ("bits_per_byte", "files"),
        )
        if name in first
    )
    origin = "from given weights" if summary.study["start"] else "from random weights"
    seeds = len(summary.seeds)
    of_seeds = "items and seeds" if seeds > 1 else "items alone, of one seed"
    return (
        f"`{recipe['name']}`, {run['tokens'] / 1e6:.2f}M tokens a run {origin}, {seeds} "
        f"{'seeds' if seeds > 1 else 'seed'} a row, the same data order in all rows of a seed; {counts}, "
        f"all of held-out packages. `{ALL_ON}` as it measured, the others as differences to it, each "
        f"with a 95 % interval (paired bootstrap over {of_seeds}); bold where it excludes 0."
    )


def conclusion(summary: Summary) -> str:
    """Return which objectives help, hurt, or cannot be told, and how much of that may be chance."""
    verdicts = summary.verdicts()
    all_off = verdicts.pop("all_off", None)
    lines = [
        f"- {text}: {', '.join(names)}."
        for word, text in _WORDS.items()
        if (names := [name for name, found in verdicts.items() if found == word])
    ]
    if all_off:
        lines.append(f"- All of them together: {_WORDS[all_off][0].lower()}{_WORDS[all_off][1:]}.")
    compared = (len(summary.rows) - 1) * len(summary.figures)
    sure = sum(
        summary.effect(row, figure) != 0
        for row in summary.rows
        if row != ALL_ON
        for figure in summary.figures
    )
    lines.append(
        f"- {sure} of {compared} intervals exclude 0; chance alone makes about {compared * 0.05:.0f} do so."
    )
    return "\n".join(lines)


def _value(found: Interval, figure: Figure) -> str:
    return f"{_put(found.value, figure)} ({_put(found.low, figure)}–{_put(found.high, figure)})"


def _difference(found: Interval, figure: Figure) -> str:
    low, high = (_put(bound, figure, "+") for bound in (found.low, found.high))
    text = f"{_put(found.value, figure, '+')} ({low} to {high})"
    return f"**{text}**" if found.sign else text


def _put(value: float, figure: Figure, sign: str = "") -> str:
    shown = 100 * value if figure.percent else value
    text = f"{shown:{sign}.{1 if figure.percent else 3}f}"
    return text.replace("-", "−")
