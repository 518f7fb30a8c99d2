"""How much of a server one caller may have: calls at once, and calls in a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from completion.server.caller import Caller

MOST_STREAMS = 64
"""Streams that a caller holds open to send on: two for each folder of each editor."""
_IDLE_CALLERS = 256
"""From so many on those who have been idle are forgotten; a certificate may name anybody."""


class OverLimit(Exception):
    """The caller has what it may have; the message names the limit."""


@dataclass(slots=True)
class _Use:
    running: int = 0
    streams: int = 0
    allowance: float = 0.0
    """Calls that may come at once; grows with time up to a second's worth."""
    seen: float = 0.0


class Quota:
    """What named callers have of the server; from the event loop only. 0: no limit."""

    def __init__(
        self, *, running: int, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._running = running
        self._per_second = per_second
        self._clock = clock
        self._uses: dict[Caller, _Use] = {}

    @contextmanager
    def call(self, caller: Caller, *, is_stream: bool) -> Iterator[None]:
        """Count a call for as long as it is open; ``is_stream``: one that its caller sends on.

        Raises:
            OverLimit: at once.
        """
        if not caller.is_named:
            yield
            return
        use = self._use(caller)
        self._spend(use)
        if is_stream:
            if use.streams >= MOST_STREAMS:
                raise OverLimit(f"one caller may have {MOST_STREAMS} streams open; end one")
            use.streams += 1
        else:
            if self._running and use.running >= self._running:
                raise OverLimit(f"max_running_per_caller is {self._running}; try again shortly")
            use.running += 1
        try:
            yield
        finally:
            if is_stream:
                use.streams -= 1
            else:
                use.running -= 1

    def _use(self, caller: Caller) -> _Use:
        if caller not in self._uses:
            if len(self._uses) >= _IDLE_CALLERS:
                before = self._clock() - 1.0  # the allowance is whole again by now
                self._uses = {
                    one: use
                    for one, use in self._uses.items()
                    if use.running or use.streams or use.seen > before
                }
            self._uses[caller] = _Use(allowance=self._most, seen=self._clock())
        return self._uses[caller]

    def _spend(self, use: _Use) -> None:
        if not self._per_second:
            return
        now = self._clock()
        grown = use.allowance + (now - use.seen) * self._per_second
        use.allowance, use.seen = min(self._most, grown), now
        if use.allowance < 1:
            raise OverLimit(f"max_per_second_per_caller is {self._per_second:g}; try again shortly")
        use.allowance -= 1

    @property
    def _most(self) -> float:
        return max(1.0, self._per_second)
