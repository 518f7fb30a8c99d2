"""The packages that training never sees: what they are, fetching them, and reading them as a tree.

Defined once, by name, version and checksum, in ``suites/held_out.toml``. Wheels come from the
index that the user's pip is set up for; only their ``.py`` files are unpacked, nothing is run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from completion.errors import CaretError, UsageError
from eval.build.tree import SourceFile, Tree, read_tree, tree_of

LIST = Path(__file__).with_name("suites") / "held_out.toml"
TIMEOUT_S = 600
"""For one wheel; the largest has 2 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One package, at one version."""

    name: str
    version: str
    kind: str
    sha256: str
    """Of its tree of ``.py`` files, as :func:`eval.build.tree.checksum` counts."""

    @property
    def folder(self) -> str:
        """The folder that its files lie in."""
        return f"{self.name}-{self.version}"


def packages() -> list[Package]:
    """Return the list, in its order."""
    return [Package(**row) for row in tomllib.loads(LIST.read_text(encoding="utf-8"))["package"]]


def default_folder() -> Path:
    """Return where the packages usually lie: ``held-out`` in ``$CARET_DATA``, else in Caret's
    folder of the user's data (``$XDG_DATA_HOME``, ``~/.local/share``)."""
    if named := os.environ.get("CARET_DATA"):
        return Path(named) / "held-out"
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "caret" / "held-out"


def tree(data: Path | None) -> Tree:
    """Return the source tree at ``data``; without it, the fetched packages.

    Raises:
        UsageError: it is not there (and how to get it), or the packages are not what was fetched.
    """
    return tree_in(default_folder()) if data is None else read_tree(Path(data))


def tree_in(folder: Path) -> Tree:
    """Return the packages that were fetched into ``folder``; errors as of :func:`tree`."""
    found: list[SourceFile] = []
    for package in packages():
        part = _package_tree(folder, package)
        if part is None:
            raise UsageError(
                f"the held-out package {package.folder} is not in {folder}: `caret eval fetch` gets "
                "it, or --data DIR names any source tree"
            )
        if part.sha256 != package.sha256:
            raise UsageError(
                f"{folder / package.folder}: changed since it was fetched; "
                "`caret eval fetch` mends it"
            )
        found += (SourceFile(path=f"{package.folder}/{f.path}", text=f.text) for f in part.files)
    return tree_of("held-out", found)


def fetch(
    folder: Path | None = None, say: Callable[[str, int, int], None] = lambda *_: None
) -> Path:
    """Get every package that ``folder`` lacks; returns the folder.

    What is there and right is kept, so an interrupted call goes on where it was. ``say`` is told
    the package that is next, its number and how many there are.

    Raises:
        CaretError: pip cannot get one, or its files are not the ones that were recorded.
    """
    folder = folder or default_folder()
    wanted = packages()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, package in enumerate(wanted):
            say(package.folder, number, len(wanted))
            there = _package_tree(folder, package)
            if there is None or there.sha256 != package.sha256:
                _fetch_one(package, folder)
    except OSError as error:
        where = error.filename or folder
        raise UsageError(f"{where}: {error.strerror or error}") from None
    return folder


def _package_tree(folder: Path, package: Package) -> Tree | None:
    place = folder / package.folder
    if not place.is_dir():
        return None
    try:
        return read_tree(place)
    except UsageError:
        return None  # emptied


def _fetch_one(package: Package, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
        wheel = _download(package, Path(scratch))
        unpacked = Path(scratch) / "unpacked"
        unpack(wheel, unpacked)
        got = read_tree(unpacked).sha256
        if got != package.sha256:
            raise CaretError(
                f"{package.name} {package.version}: its files have the checksum {got[:12]}…, not "
                f"{package.sha256[:12]}…: the index has another package of this name and version"
            )
        place = folder / package.folder
        if place.exists():
            shutil.rmtree(place)
        unpacked.rename(place)


def _download(package: Package, folder: Path) -> Path:
    wanted = f"{package.name}=={package.version}"
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"),
        *("--disable-pip-version-check", "--retries", "2", "--timeout", "20"),
        *("--only-binary=:all:", "--dest", str(folder), wanted),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
        said = done.stderr.strip().splitlines()
    except subprocess.TimeoutExpired:
        said = [f"pip took more than {TIMEOUT_S} s"]
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        if any("No module named pip" in line for line in said):
            raise CaretError("this Python has no pip: `python -m ensurepip` adds it")
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
        why = (errors or said or ["pip said nothing"])[-1]
        raise CaretError(
            f"{wanted} could not be fetched: {why} (it needs a package index that pip can reach; "
            "or name any source tree with --data DIR)"
        )
    return wheels[0]


def unpack(wheel: Path, folder: Path) -> None:
    """Write the ``.py`` files of ``wheel`` below ``folder``, and nothing outside of it.

    Raises:
        CaretError: it is no wheel, or names a file outside of itself.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                inside = PurePosixPath(entry.filename)
                if entry.is_dir() or inside.suffix != ".py":
                    continue
                if inside.is_absolute() or ".." in inside.parts or "\\" in entry.filename:
                    raise CaretError(f"{wheel.name}: names a file outside of itself")
                path = folder / inside
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(entry))
    except (zipfile.BadZipFile, EOFError) as error:
        raise CaretError(f"{wheel.name}: not a wheel ({error})") from None
