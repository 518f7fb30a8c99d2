"""Progress of long work: a live bar on a terminal, plain lines elsewhere.

``rich`` is used where it is installed; a pack runs without it. It decides nothing.
"""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

LINE_EVERY = 15.0
"""Seconds between plain lines."""


class Progress:
    """Shows ``done`` of ``total`` with a text; on standard error, never on standard output."""

    def __init__(self, label: str, *, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = stream or sys.stderr
        self._last = float("-inf")
        self._bar: Any = _rich_bar(self._stream)
        self._task: Any = None
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(label, total=1.0, text="")

    def show(self, share: float, text: str, *, force: bool = False) -> None:
        """Show a share from 0 to 1 and a text; plain lines at most every :data:`LINE_EVERY` s."""
        if self._bar is not None:
            self._bar.update(self._task, completed=share, text=text)
            return
        now = time.monotonic()
        if force or now - self._last >= LINE_EVERY:
            self._last = now
            print(f"{self._label} {share:6.1%} {text}", file=self._stream, flush=True)

    def close(self) -> None:
        """End the bar; plain lines need nothing."""
        if self._bar is not None:
            self._bar.stop()


def duration(seconds: float) -> str:
    """Return ``1 h 02 min`` or ``3 min 04 s``."""
    whole = max(0, int(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s"


def _rich_bar(stream: TextIO) -> Any:
    if not stream.isatty():
        return None
    try:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as RichProgress

        from completion.terminal import Terminal
    except ImportError:
        return None
    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[text]}"),
        console=Terminal(file=stream),
        transient=True,
    )
