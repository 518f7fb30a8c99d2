"""How quickly someone types and how quickly the model answers, as running means; and what follows.

Exponentially weighted means, so that a minute ago counts for little. Times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

_WEIGHT = 0.2
"""Of the newest observation."""
PAUSE_S = 1.0
"""A longer time between two keys is no rhythm but a pause."""
QUICK_S = 0.02
"""Quicker ones come from a macro or an editor's own edits."""


@dataclass(slots=True)
class Mean:
    """A running mean that starts from a guess."""

    value: float

    def add(self, seen: float) -> None:
        """Take one more observation."""
        self.value += _WEIGHT * (seen - self.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """What is waited for at most, in seconds."""

    longest: float = 0.12
    """Longest wait of a request for a pause."""
    promoted: float = 0.25
    """A request is sent at last when requests have been waiting for so long (Cody's figure)."""
    idle: float = 0.1
    """Shortest pause before anything is asked for that nobody has asked for."""
    settled: float = 0.15
    """How long a cursor has stood where it was put before a completion is asked for there."""
    grace: float = 0.025
    """How long a cancelled request goes on: an editor cancels right before it asks again."""


class Rhythm:
    """The rhythm of one user, of all documents together."""

    def __init__(self, waits: Waits | None = None) -> None:
        self.waits = waits or Waits()
        self.key = Mean(0.2)
        """Between two keys."""
        self.latency = Mean(0.1)
        """From sending a request to its first line."""
        self.agreement = Mean(0.5)
        """Share of answers that agree with what was typed while they were under way."""
        self._last = float("-inf")

    def typed(self, now: float) -> None:
        """Take notice of a key."""
        between = now - self._last
        if QUICK_S <= between <= PAUSE_S:
            self.key.add(between)
        # A clock that jumps back is not believed, and not taken for a rhythm.
        self._last = now

    def wait(self) -> float:
        """Return how long a request waits for the next key.

        Nothing, while answers come well before the next key does. The later they would come, the
        more of them would be for a text that is no more: up to half of the time between two keys,
        so that a request is on its way before the pause can be felt.
        """
        pressure = min(max(self.latency.value / self.key.value - 0.5, 0.0), 1.0)
        return min(0.5 * self.key.value * pressure, self.waits.longest)

    def idle(self) -> float:
        """Return after how long without a key nobody is typing."""
        return max(self.waits.idle, min(1.5 * self.key.value, PAUSE_S))

    def is_worth_waiting(self, age: float) -> bool:
        """Whether a request that has run for ``age`` may still serve what was typed behind it.

        Let p be the share that agrees and L the latency. Going on costs what is left of L, and with
        1 - p all of L again; anew it costs L. So going on is quicker where age > (1 - p) L.
        """
        return age >= (1.0 - self.agreement.value) * self.latency.value
