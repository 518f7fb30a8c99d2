"""Whether a run's loss is still sound: spikes by a robust rule, and what counts as good.

Lives here: the judgement, without files and without tensors. The rule: with ``spike_window`` calm
updates seen behind the warm-up, an update is out of line when its loss lies above

    median + spike_deviations * max(1.4826 MAD, 0.01 median)

of these (MAD is the median absolute deviation; the second term keeps a flat stretch from making
noise an alarm), and ``spike_updates`` such updates in a row are a spike. One or two come from odd
data and are left alone. Losses out of line do not enter the window. Behind the warm-up a loss
above 1.5 times the logarithm of the vocabulary, worse than knowing nothing, is out of line too:
a run that never was calm has no window to differ from.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from typing import Any

from training.recipe import Recipe

NORMAL = 1.4826
"""What makes the median absolute deviation of normal numbers their standard deviation."""
FLAT = 0.01
"""The least deviation, as a share of the median."""
WORSE_THAN_NOTHING = 1.5
"""Times ln V; what a fresh model says is about ln V."""


class Watch:
    """Sees the loss of every update in turn; its state goes into the checkpoint."""

    def __init__(self, recipe: Recipe) -> None:
        self._loop, self._warmup = recipe.loop, recipe.optim.warmup_steps
        self._ceiling = WORSE_THAN_NOTHING * math.log(recipe.model.vocabulary)
        self._calm: deque[float] = deque(maxlen=recipe.loop.spike_window)
        self._streak = 0

    @property
    def streak(self) -> int:
        """How many updates in a row were out of line."""
        return self._streak

    def sees(self, step: int, loss: float) -> bool:
        """Take in the loss (nats a token) of update ``step``, from 1; return whether it is a spike."""
        if step <= self._warmup or not self._loop.spike_deviations:
            return False
        if loss > self.limit():
            self._streak += 1
        else:
            self._streak = 0
            self._calm.append(loss)
        return self._streak >= self._loop.spike_updates

    def limit(self) -> float:
        """Return the loss above which an update is out of line."""
        if len(self._calm) < self._loop.spike_window:
            return self._ceiling
        middle = statistics.median(self._calm)
        spread = NORMAL * statistics.median(abs(x - middle) for x in self._calm)
        limit = middle + self._loop.spike_deviations * max(spread, FLAT * middle)
        return min(limit, self._ceiling)

    def sound(self, saved: int, step: int) -> bool:
        """Whether weights saved behind update ``saved`` were seen to be good by ``step``.

        An update shows what the one before it left: the one behind ``saved`` must have been calm.
        """
        return saved + 1 <= step - self._streak

    def state(self) -> dict[str, Any]:
        """Return what going on needs."""
        return {"calm": list(self._calm), "streak": self._streak}

    def load(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` returned."""
        self._calm.clear()
        self._calm.extend(state["calm"])
        self._streak = state["streak"]
