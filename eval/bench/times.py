"""Times of several sides at the same work: rows of a ratio to the best of the others, and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eval.bench.latency import Row
from eval.bench.picture import new_figure, save
from eval.metrics.latency import percentile

PERCENTS = (50, 95)


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What every side did, and how long each of it took.

    ``bars``: the most that a side may take of what the best other one takes, for ours of ``times``.
    """

    name: str
    bars: Mapping[str, float]
    times: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Milliseconds by side, one entry a time that it was done."""
    against: dict[str, dict[str, list[float]]] = field(
        default_factory=dict[str, dict[str, list[float]]]
    )
    """Where the others did other work beside one of ours: their times of the same, by ours and theirs."""

    def add(self, side: str, milliseconds: float) -> None:
        """Take one time in."""
        self.times.setdefault(side, []).append(milliseconds)

    def add_beside(self, ours: str, theirs: str, milliseconds: float) -> None:
        """Take in what ``theirs`` took for just what ``ours`` did."""
        self.against.setdefault(ours, {}).setdefault(theirs, []).append(milliseconds)

    def rows(self) -> list[Row]:
        """Return for each side of ours p50 and p95 over the least of the others."""
        found: list[Row] = []
        for ours, bar in self.bars.items():
            if not self.times.get(ours):
                continue
            others = self.against.get(ours) or {
                side: taken for side, taken in self.times.items() if side not in self.bars
            }
            for percent in PERCENTS:
                mine = percentile(self.times[ours], percent)
                best = min(others, key=lambda side: percentile(others[side], percent))
                least = percentile(others[best], percent)
                what = f"{self.name}, p{percent}, {ours} over {best}"
                found.append(Row(what, mine / least, bar, len(self.times[ours])))
        return found

    def shown(self) -> str:
        """Return p50 and p95 of each side in one line."""
        sides = (
            f"{side} {' / '.join(f'{percentile(taken, p):.1f}' for p in PERCENTS)}"
            for side, taken in self.times.items()
        )
        return f"{self.name}, p50 / p95 in ms: {', '.join(sides)}"


def draw(works: Sequence[Work], file: Path, title: str) -> None:
    """Draw p50 as bars and p95 as whiskers, one panel a work; the file's ending decides the format.

    Raises:
        CaretError: matplotlib is missing, or the file cannot be written.
    """
    works = [work for work in works if work.times]
    across = min(4, len(works))
    down = -(-len(works) // across)
    sides = max(len(work.times) for work in works)
    figure = new_figure(title, figsize=(4.2 * across, (0.32 * sides + 0.9) * down))
    for at, work in enumerate(works):
        axes = figure.add_subplot(down, across, at + 1)
        names = list(work.times)
        middle = [percentile(work.times[name], 50) for name in names]
        high = [percentile(work.times[name], 95) for name in names]
        colours = ["#1f6feb" if name in work.bars else "#8b949e" for name in names]
        axes.barh(names, middle, color=colours)
        for place, (low, top) in enumerate(zip(middle, high, strict=True)):
            axes.plot([low, top], [place, place], color="black", linewidth=1)
        axes.invert_yaxis()
        axes.set_title(f"{work.name}, ms", fontsize=9)
        axes.tick_params(labelsize=8)
    save(figure, file)
