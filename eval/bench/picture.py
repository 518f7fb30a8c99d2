"""Figures of a bench as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from completion.errors import CaretError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(title: str, **options: Any) -> Figure:
    """Return an empty figure; ``options`` are matplotlib's.

    Raises:
        CaretError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise CaretError("a plot needs matplotlib; pip install 'caret-completion[eval]'") from None
    figure = Figure(layout="constrained", **options)
    figure.suptitle(title)
    return figure


def save(figure: Figure, file: Path) -> None:
    """Write ``figure``; the file's ending decides the format.

    Raises:
        CaretError: it cannot be written.
    """
    try:
        figure.savefig(file)
    except (OSError, ValueError) as error:
        raise CaretError(
            f"--plot {file} cannot be written ({error}); name a .png or .svg"
        ) from None
