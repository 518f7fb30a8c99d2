"""What a run says of itself while it goes: rows, curves, the line of progress.

Lives here: rates over the time between two rows, and how numbers are put. ``metrics.jsonl`` has
every row, TensorBoard the same numbers, the progress line the few that one looks at.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from training.recipe import BudgetRecipe, Recipe
from training.run.board import Board
from training.run.keeping import Position
from training.run.metrics import append_row
from training.run.progress import Progress, duration


class Speed:
    """Tokens and operations a second since it was last asked."""

    def __init__(self, peak: float) -> None:
        """Begin now; ``peak`` is the operations a second of all devices of the run, 0: unknown."""
        self._peak = peak
        self._since, self._tokens, self._flops = time.monotonic(), 0, 0.0

    def count(self, tokens: int, flops: float) -> None:
        """Take in one update."""
        self._tokens += tokens
        self._flops += flops

    def take(self) -> dict[str, float]:
        """Return ``speed`` and ``utilisation``, and begin anew.

        A peak that is beaten was measured while something else had the device: it says nothing, and
        utilisation is left out from then on.
        """
        now = time.monotonic()
        seconds = max(1e-9, now - self._since)
        rates = {"speed": self._tokens / seconds}
        rate = self._flops / seconds
        if rate > self._peak:
            self._peak = 0.0
        if self._peak:
            rates["utilisation"] = rate / self._peak
        self._since, self._tokens, self._flops = now, 0, 0.0
        return rates


class Report:
    """Writes rows and shows progress; :meth:`close` ends both."""

    def __init__(self, recipe: Recipe, folder: Path, first_step: int) -> None:
        """Go on behind what was kept: whatever was said of ``first_step`` and later is dropped."""
        self._recipe, self._folder = recipe, folder
        self._bar = Progress(recipe.name)
        self._board = Board(folder, first_step)

    def row(self, position: Position, values: dict[str, Any]) -> None:
        """Write one row of metrics."""
        now = {
            "step": position.step,
            "tokens": position.tokens,
            "seconds": round(position.seconds, 1),
        }
        append_row(self._folder, now | values)
        self._board.add(position.step, values)

    def show(self, position: Position, progress: float, values: dict[str, Any]) -> None:
        """Show the progress of one row."""
        busy = values.get("utilisation")
        left = seconds_left(self._recipe.budget, position, values["speed"])
        self._bar.show(
            progress,
            f"step {position.step}  {position.tokens / 1e6:.2f}M tokens  "
            f"loss {values['loss']:.3f}  {values['bits_per_byte']:.3f} bits/byte  "
            f"{values['speed']:,.0f} tokens/s  "
            + (f"{busy:.0%} of peak FLOPs  " if busy is not None else "")
            + f"{duration(left)} left",
        )

    def close(self) -> None:
        """End the bar and bring the curves to the disk."""
        self._bar.close()
        self._board.close()


def seconds_left(budget: BudgetRecipe, position: Position, speed: float) -> float:
    """Return the seconds to the end of the budget at ``speed`` tokens a second."""
    if budget.tokens:
        return max(0, budget.tokens - position.tokens) / max(1.0, speed)
    return max(0.0, 60 * budget.minutes - position.seconds)
