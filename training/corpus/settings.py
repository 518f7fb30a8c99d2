"""What a build of a corpus is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a build is asked for. Bytes are of text."""

    out: Path
    cache: Path
    sources: Path | None
    """The list of packages to take; ``None``: none, only folders."""
    held_out: Path
    folders: tuple[Path, ...] = ()
    """Folders of code to take behind the packages."""
    folder_licence: str = ""
    """Theirs, as an SPDX expression; empty: what each says of itself."""
    decontaminate: Path | None = None
    package_bytes: int = 4_000_000
    """Most text taken from one package, so that no large one sets the style."""
    folder_bytes: int | None = None
    """The same of a folder; ``None``: all of it."""
    test_share: float = 0.1
    """Most of a package's text that may come from its test suites."""
    processes: int = 2
