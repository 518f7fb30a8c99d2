"""The console that results are printed on: no text on it can drive the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

from completion.shown import shown


class Terminal(Console):
    """A console of rich whose every piece of text goes through :func:`~completion.shown.shown`.

    What rich itself writes to style and to move is not text, and stays.
    """

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """Return the segments of ``renderable``."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else shown(segment.text)
            yield segment if text == segment.text else Segment(text, segment.style)
