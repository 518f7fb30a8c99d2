"""How much of the machine the index's process takes: the lowest priority, a share of a core, a cap."""

from __future__ import annotations

import contextlib
import os
import sys
import time

LONGEST_REST_S = 0.25
"""So long at most nobody is listened to, in seconds."""
WINDOW_S = 2.0
"""Work and rest are balanced over so long: rest that was not needed is not saved up."""


def lower_priority() -> None:
    """Let everything else on the machine go first; a busy one leaves a tenth of a core."""
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(10)
    if hasattr(os, "sched_setscheduler"):  # longer turns, and never in front of who wakes up
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    if sys.platform == "win32":
        import ctypes

        windows = ctypes.windll.kernel32  # type: ignore[attr-defined]
        windows.SetPriorityClass(windows.GetCurrentProcess(), 0x40)  # IDLE_PRIORITY_CLASS


class Pace:
    """Keeps work to a share of one core."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._begin()

    def rest(self) -> float:
        """Return how long to rest now, in seconds, at most :data:`LONGEST_REST_S`."""
        worked = time.process_time() - self._cpu
        passed = time.monotonic() - self._wall
        due = worked / self._share - passed
        if passed > WINDOW_S and due <= 0:
            self._begin()
        return min(max(due, 0.0), LONGEST_REST_S)

    def _begin(self) -> None:
        self._cpu, self._wall = time.process_time(), time.monotonic()


def resident_bytes() -> int:
    """Return the memory that this process has now, where the system says so; else its peak."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:  # noqa: PTH123 - read often
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return peak_bytes()


def peak_bytes() -> int:
    """Return the most memory that this process had; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10
