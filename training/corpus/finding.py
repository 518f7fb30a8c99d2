"""The sources of a build, all opened before any is taken.

What is missing is known at once, and so is the order of what is there; both are part of what decides
a corpus. Lives here: names, order and refusals; nothing is read of the files themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from completion.errors import CaretError, UsageError
from training.corpus.settings import Settings
from training.corpus.sources import (
    Package,
    Source,
    canonical,
    open_folder,
    open_package,
    read_sources,
)

MAX_MISSING = 0.1
"""Share of the listed packages that may not be found before the build gives up."""
Progress = Callable[[str, float, float], None]
"""Gets a label, what is done and the total."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The sources as they were found: those to take in their order, and why others are not."""

    packages: list[Package]
    skipped: dict[str, str]
    folders: frozenset[str]


def find(settings: Settings, held_sources: list[Source], progress: Progress) -> Found:
    """Open every source, before any is taken: what is missing is known at once, and so is the order."""
    sources = read_sources(settings.sources) if settings.sources else []
    held_names = {canonical(s.name) for s in held_sources}
    both = [s.name for s in sources if canonical(s.name) in held_names]
    if both:
        raise UsageError(f"package {both[0]} is both a source and held out; unlist it as a source")
    total = len(sources) + len(settings.folders)
    opened: list[Package] = []
    skipped: dict[str, str] = {}
    missing: list[str] = []
    for done, source in enumerate(sources):
        progress(f"finding {source.name}", done, total)
        try:
            opened.append(open_package(source, settings.cache))
        except CaretError as error:
            missing.append(error.message)
            skipped[source.name] = error.message
    if len(missing) > MAX_MISSING * len(sources):
        raise CaretError(f"{len(missing)} of {len(sources)} packages are missing: {missing[0]}")
    taken = {s.name for s in sources} | {s.name for s in held_sources}
    folders: list[Package] = []
    for done, path in enumerate(settings.folders, len(sources)):
        progress(f"listing {path}", done, total)
        name = _new_name(path, taken)
        taken.add(name)
        folders.append(open_folder(path, name, settings.folder_licence))
    refused = {p.name: p.licence.reason for p in opened + folders if not p.licence.allowed}
    if total and len(refused) == total:
        name, reason = next(iter(refused.items()))
        raise CaretError(f"nothing may be taken: {name}: {reason}")
    return Found(
        packages=[p for p in opened + folders if p.licence.allowed],
        skipped=skipped | refused,
        folders=frozenset(p.name for p in folders),
    )


def _new_name(folder: Path, taken: Iterable[str]) -> str:
    """The folder's own name, numbered where another source has it."""
    name = (folder.resolve().name or "root").encode("utf-8", "backslashreplace").decode("utf-8")
    return next(
        n for i in range(1, 10_000) if (n := name if i == 1 else f"{name}-{i}") not in taken
    )
