"""Folders that are nobody's project: indexing them would read the whole disk."""

from __future__ import annotations

import os
from pathlib import Path


def is_too_wide(root: Path) -> bool:
    """Tell whether ``root`` is a file system's root, the user's home folder, or above it."""
    real = Path(os.path.realpath(root))
    if real == real.parent:
        return True
    try:
        home = Path(os.path.realpath(Path.home()))
    except RuntimeError:  # nobody knows whose process this is
        return False
    return home.is_relative_to(real)
