"""Where a suite's data lies, and whether it is what it claims to be.

Lives here: the search and the checksum's rule. What is registered is :mod:`eval.data.published`;
reading rows is :mod:`eval.data.reading`; the hub is :mod:`eval.data.hub`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from completion.errors import UsageError
from eval.data import hub
from eval.data.published import DataSet, PublishedFile, data_set_of, plain
from eval.data.reading import digest

HAND_MADE_ONLY = "tested on hand-made items in the published format only: the data could not be had"
"""Stands in every result of a suite that was never run on its real data."""
NOT_PUBLISHED = "not the published file: figures cannot stand beside published ones"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file to evaluate on."""

    path: Path
    sha256: str
    """Of the uncompressed content."""
    published: bool
    """Whether it is the whole file that published figures are of."""
    licence: str
    source: str
    """The file's base name, or where on the hub it is from; no path of this machine."""
    warnings: list[str] = field(default_factory=list[str])

    @property
    def data(self) -> dict[str, Any]:
        """What a result says of it, as :attr:`eval.suites.base.Loaded.data`."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "licence": self.licence,
            "published": self.published,
        }


def find(suite_name: str, given: str | Path | None) -> Found:
    """Return the one file that a suite is to be evaluated on.

    Looks in ``given`` (a file, a folder, or ``hf:OWNER/NAME`` on the Hugging Face hub) and nowhere
    else; without it in ``$CARET_DATA``, ``shared/data`` and ``../shared/data``, and Caret's data
    folder of the user.

    Raises:
        UsageError: it is missing (and how to get it), cut off, or bears a published name with
            another content.
    """
    return find_all(suite_name, given)[0]


def find_all(suite_name: str, given: str | Path | None) -> list[Found]:
    """Return all files of a suite whose data set is published in parts; otherwise as :func:`find`.

    Where several are of the same part (with and without context), the first of the registry's
    order is taken.
    """
    known = _registered(suite_name)
    files = known.of(suite_name)
    if given is not None and str(given).startswith(hub.SCHEME):
        fetched = hub.fetch(str(given), [p for file in files for p in file.patterns])
        return [_checked(known, files, suite_name, path, name) for name, path in fetched]
    paths = _given(known, suite_name, Path(given)) if given is not None else _usual(known, files)
    if not paths:
        raise UsageError(_missing(known, files))
    return [_checked(known, files, suite_name, path, path.name) for path in paths]


def status(suite_name: str) -> tuple[bool, str]:
    """Tell whether a suite's data lies where it usually does, and say so in one line."""
    known = data_set_of(suite_name)
    if known is None:
        return True, "made from any source tree"
    files = known.of(suite_name)
    paths = _usual(known, files)
    note = "" if _had(files) else "; tested on hand-made items in the published format only"
    if not paths:
        return False, f"missing: {_how(known)}{note}"
    file = next((file for file in files if file.bears(paths[0].name)), None)
    sample = "a sample of " if file and file.sample else ""
    rows = f", {sample}{file.rows} items" if file and file.rows else ""
    return True, ", ".join(path.name for path in paths) + rows + note


def _registered(suite_name: str) -> DataSet:
    known = data_set_of(suite_name)
    if known is None:
        raise UsageError(f"{suite_name}: no data set is registered for it")
    return known


def _had(files: tuple[PublishedFile, ...]) -> bool:
    return any(file.had for file in files)


def _given(known: DataSet, suite_name: str, given: Path) -> list[Path]:
    files = known.of(suite_name)
    try:
        is_file, is_folder = given.is_file(), given.is_dir()
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise UsageError(f"--data {given}: {error.strerror or error}") from None
    if is_file:
        return [given]
    if not is_folder:
        raise UsageError(
            f"--data {given}: no such file or folder; for {suite_name} give "
            f"{_names(files)} or a folder that holds it"
        )
    found = _in_folder(known, files, given)
    if not found:
        raise UsageError(
            f"--data {given}: the folder holds no {_names(files)} of {known.name}; "
            f"to get it: {_how(known)}"
        )
    return found


def _usual(known: DataSet, files: tuple[PublishedFile, ...]) -> list[Path]:
    for root in _roots():
        if found := _in_folder(known, files, root):
            return found
    return []


def _roots() -> Iterator[Path]:
    if named := os.environ.get("CARET_DATA"):
        yield Path(named)
    yield Path("shared") / "data"
    yield Path("..") / "shared" / "data"
    home = os.environ.get("XDG_DATA_HOME")
    yield (Path(home) if home else Path.home() / ".local" / "share") / "caret" / "data"


def _in_folder(known: DataSet, files: tuple[PublishedFile, ...], root: Path) -> list[Path]:
    """Return what ``root`` holds of ``files``: whole sets first, a sample where there is none."""
    for sample in (False, True):
        found: list[Path] = []
        for file in files:
            if file.sample == sample:
                found.extend(_of_file(known, file, root))
        if found:
            return found
    return []


def _of_file(known: DataSet, file: PublishedFile, root: Path) -> list[Path]:
    for pattern in file.patterns:
        for ending in ("", ".gz"):
            name = plain(pattern) + ending
            # The file's own folder may be `root` itself: `--data …/crosscodeeval_data/python`.
            for folder in ("", *known.folders):
                for tail in (name, PurePosixPath(name).name):
                    hits = sorted(p for p in (root / folder).glob(tail) if p.is_file())
                    if hits:
                        return hits if file.parts else hits[:1]
    return []


def _checked(
    known: DataSet, files: tuple[PublishedFile, ...], suite_name: str, path: Path, name: str
) -> Found:
    """Hold a file against the registry."""
    base = PurePosixPath(name).name
    claimed = next((file for file in files if file.bears(base)), None)
    sum_, rows = digest(path)
    warnings: list[str] = []
    if claimed is None:
        warnings.append(f"{base}: {NOT_PUBLISHED}")
    else:
        if claimed.sha256 and sum_ != claimed.sha256:
            raise UsageError(
                f"{path}: checksum differs from the published file's (sha256 {sum_[:12]}…, not "
                f"{claimed.sha256[:12]}…): cut off or changed; get it again, or rename it to use it "
                "as a set of your own"
            )
        if claimed.rows and rows != claimed.rows:
            raise UsageError(
                f"{path}: holds {rows} items and the published file {claimed.rows}: cut off or "
                "changed; get it again, or rename it to use it as a set of your own"
            )
        if not claimed.sha256:
            checked = "name and number of items" if claimed.rows else "name"
            warnings.append(f"{base}: no checksum is registered for it; only its {checked} agree")
        if claimed.sample:
            warnings.append(f"{base}: a sample of {known.name}: {NOT_PUBLISHED}")
    if not _had(files):
        warnings.append(f"{suite_name}: {HAND_MADE_ONLY}")
    return Found(
        path=path,
        sha256=sum_,
        published=claimed is not None and not claimed.sample,
        licence=known.licence if claimed else "",
        source=name if claimed is None else f"{known.name}, {name}",
        warnings=warnings,
    )


def _names(files: tuple[PublishedFile, ...]) -> str:
    return " or ".join(file.name for file in files if not file.sample)


def _how(known: DataSet) -> str:
    if not known.hub:
        return known.get
    return f"{known.get}, or --data {hub.SCHEME}{known.hub} where there is a network"


def _missing(known: DataSet, files: tuple[PublishedFile, ...]) -> str:
    return (
        f"the data set {known.name} ({known.licence}) is not here: {_names(files)} of {known.source}; "
        f"to get it: {_how(known)}; then pass --data PATH (the file or its folder) or set CARET_DATA"
    )
