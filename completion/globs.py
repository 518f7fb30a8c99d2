"""Patterns of file names as a configuration holds them: those of ``.gitignore``, by pathspec.

``*.md`` is a name anywhere, ``docs/`` a folder and all below it, ``/a.py`` one at the root; a
later ``!keep.md`` takes back.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


def check(patterns: Sequence[str]) -> None:
    """Refuse a pattern that can match nothing, or that pathspec does not understand.

    Raises:
        ValueError: with the pattern and what is wrong with it.
    """
    for pattern in patterns:
        if not pattern.strip() or "\n" in pattern or "\0" in pattern:
            raise ValueError(f"{pattern!r} is no pattern of file names")
        try:
            found = _compiled((pattern,)).patterns
        except (ValueError, re.error):
            raise ValueError(f"{pattern!r} is no pattern of file names") from None
        if not any(one.include is not None for one in found):
            raise ValueError(f"{pattern!r} is a pattern that matches no file")


def matches(patterns: tuple[str, ...], path: str) -> bool:
    """Tell whether ``path``, relative and with slashes, is meant by ``patterns``."""
    return bool(patterns) and _compiled(patterns).match_file(path)


@functools.lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    # Here and not above: whoever only reads a configuration without patterns need not wait for it.
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)
