"""Progress of a run on standard error: a live line on a terminal, plain lines elsewhere.

It decides nothing and knows no suite; the rate is of this session, what an earlier one had done
counts as done only.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from completion.terminal import Terminal

LINE_EVERY = 15.0
"""Seconds between plain lines."""


class RunProgress:
    """Shows the phases of a run, one after the other. ``with`` it."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._quiet = quiet
        self._console = Terminal(file=stream or sys.stderr, highlight=False)
        self._live: Progress | None = None
        if self._console.is_terminal and not quiet:
            self._live = Progress(
                TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), MofNCompleteColumn(),
                TextColumn("{task.fields[text]}", style="dim", markup=False),
                console=self._console, transient=True,
            )  # fmt: skip
        self._label, self._total, self._first = "", 0, 0
        self._begin = self._last = 0.0

    def __enter__(self) -> RunProgress:
        """Begin to draw."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Take the live line away."""
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """Say one thing and leave it there."""
        if not self._quiet:
            self._console.print(Text(text, style="dim"), soft_wrap=True)

    def phase(self, label: str, total: int, done: int = 0) -> None:
        """Begin a phase of which ``done`` of ``total`` were done before."""
        self._label, self._total, self._first = label, total, done
        self._begin = self._last = time.monotonic()
        if self._live is not None:
            for task in list(self._live.task_ids):
                self._live.remove_task(task)
            self._live.add_task(label, total=total, completed=done, text="")
        elif done:
            self.say(f"{label}: {done} of {total} are there from before")

    def step(self, done: int, text: str = "") -> None:
        """Show that ``done`` are done by now, and what there is to say of them."""
        at = time.monotonic()
        text = " · ".join(
            filter(None, (pace(done, self._first, self._total, at - self._begin), text))
        )
        if self._live is not None:
            for task in self._live.task_ids:
                self._live.update(task, completed=done, text=text)
        elif not self._quiet and (at - self._last >= LINE_EVERY or done == self._total):
            self._last = at
            self.say(f"{self._label}: {done} of {self._total} · {text}")


def pace(done: int, first: int, total: int, seconds: float) -> str:
    """Return the rate since ``first`` and the time left at it; empty while there is none."""
    if done <= first or seconds <= 0:
        return ""
    rate = (done - first) / seconds
    shown = f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"
    return f"{shown} · {duration((total - done) / rate)} left" if done < total else shown


def duration(seconds: float) -> str:
    """Return ``1 h 02 min``, ``3 min 04 s`` or ``12 s``."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
