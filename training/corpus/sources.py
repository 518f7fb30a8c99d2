"""Where packages come from: the standard library, the environment, wheels by name, folders.

Only names listed in a TOML file are looked up; wheels are unpacked as archives and nothing of
them is executed. Lives here: finding files and metadata, no judgement of either.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any, cast

from completion.errors import CaretError, UsageError
from training.corpus import filters
from training.corpus.folder_licences import folder_licence
from training.corpus.folders import list_folder
from training.corpus.licences import Licence, judge
from training.corpus.readers import File, FolderReader, InstalledReader, Reader, WheelReader

SOURCES = Path(__file__).with_name("sources.toml")
_STDLIB_SKIPPED = frozenset(
    ["site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo", "ensurepip"]
)
"""Other people's packages, test suites, and programs of their own style."""
_MOST_BYTES = 5_000_000
"""Of a package's file that is read at all: lines of a held-out one are known far past what is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One entry of a list: ``origin`` is ``stdlib``, ``environment`` or ``index``."""

    name: str
    origin: str
    version: str = ""
    licence: str = ""
    """Set by hand, with a comment in the list, where metadata says nothing clear."""
    kind: str = ""
    """What sort of package it is; held-out packages say it."""
    sha256: str = ""
    """Of its files, for who evaluates on them; held-out packages say it."""


Order = Callable[[str], Any]
"""The key by which paths are sorted."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A source that was found: its exact version, its licence and its files on demand."""

    name: str
    version: str
    licence: Licence
    list_paths: Callable[[], list[str]]
    """Lists the paths of its files."""
    reader: Reader
    """Reads them, in any process."""
    count: int = 0
    """How many files that is, where it is known."""
    dropped: Counter[str] = field(default_factory=Counter[str])
    """Files that its listing left out, by reason."""
    digest: str = ""
    """What of its content its version does not say."""

    def paths(self, order: Order, start: int) -> list[str]:
        """Return the paths of its files sorted by the key, from the one with this number on."""
        return sorted(self.list_paths(), key=order)[start:]

    def files(self, order: Order, start: int) -> Iterator[File]:
        """Yield the files at :meth:`paths`, each read when its turn comes."""
        return self.reader.read(self.paths(order, start))


def canonical(name: str) -> str:
    """Return a distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_sources(path: Path = SOURCES) -> list[Source]:
    """Read ``[[package]]`` tables; an unknown key or origin is a :class:`UsageError`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        rows = cast("list[dict[str, Any]]", table.get("package", []))
        found = [Source(**{"origin": "index", **row}) for row in rows]
    except FileNotFoundError:
        raise UsageError(f"sources {path}: no such file") from None
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise UsageError(f"sources {path}: {error}") from None
    for source in found:
        if source.origin not in {"stdlib", "environment", "index"}:
            raise UsageError(f"sources {path}: {source.name}: unknown origin {source.origin!r}")
        if source.origin == "index" and not source.version:
            raise UsageError(f"sources {path}: {source.name}: an index package needs a version")
    return found


def open_package(source: Source, cache: Path) -> Package:
    """Find a source's files, fetching its wheel into ``cache`` where it is not there yet."""
    if source.origin == "stdlib":
        version = platform.python_version()
        licence = Licence(name="PSF-2.0", allowed=True)
        root = Path(sysconfig.get_paths()["stdlib"])
        return Package(
            name=source.name,
            version=version,
            licence=licence,
            list_paths=lambda: _stdlib(root),
            reader=InstalledReader(root=root, limit=_MOST_BYTES),
        )
    if source.origin == "environment":
        return _installed(source)
    return _wheel(source, cache)


def open_folder(folder: Path, name: str, licence: str = "") -> Package:
    """List the source files below ``folder``; ``licence``, an SPDX expression, is believed."""
    if not folder.is_dir():
        raise UsageError(f"--folder {folder}: no such folder")
    try:
        stated = judge(licence, [], "") if licence else folder_licence(folder)
    except OSError as error:
        raise UsageError(f"--folder {folder}: {error.strerror}") from None
    listing = list_folder(folder, trust=bool(licence))

    return Package(
        name=name,
        version="",
        licence=stated,
        list_paths=lambda: listing.paths,
        reader=FolderReader(root=folder, limit=filters.MAX_BYTES),
        count=len(listing.paths),
        dropped=listing.dropped,
        digest=listing.digest,
    )


def _stdlib(root: Path) -> list[str]:
    inside = (path.relative_to(root) for path in root.rglob("*.py"))
    return [path.as_posix() for path in inside if _STDLIB_SKIPPED.isdisjoint(path.parts)]


def _installed(source: Source) -> Package:
    try:
        found = importlib.metadata.distribution(source.name)
    except importlib.metadata.PackageNotFoundError:
        raise CaretError(
            f"package {source.name} is not installed; install it or unlist it"
        ) from None

    root = Path(str(found.locate_file("")))

    def paths() -> list[str]:
        entries = [e for e in found.files or [] if e.suffix == ".py" and ".." not in e.parts]
        return [e.as_posix() for e in entries if (root / e).is_file()]

    return Package(
        name=source.name,
        version=found.version,
        licence=_licence(source, cast(Message, found.metadata)),
        list_paths=paths,
        reader=InstalledReader(root=root, limit=_MOST_BYTES),
    )


def _wheel(source: Source, cache: Path) -> Package:
    path = _cached(source, cache)
    if path is None:
        cache.mkdir(parents=True, exist_ok=True)
        wanted = f"{source.name}=={source.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(cache), wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        path = _cached(source, cache)
        if path is None:
            why = (done.stderr.strip().splitlines() or ["no wheel"])[-1]
            raise CaretError(f"package {wanted} could not be fetched: {why}")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
            metadata = Parser().parsestr(archive.read(names[0]).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, OSError, IndexError):
        raise CaretError(f"{path.name} is no whole wheel; delete it to fetch it again") from None

    def paths() -> list[str]:
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if name.endswith(".py")]

    return Package(
        name=source.name,
        version=source.version,
        licence=_licence(source, metadata),
        list_paths=paths,
        reader=WheelReader(wheel=path, limit=_MOST_BYTES),
    )


def _cached(source: Source, cache: Path) -> Path | None:
    for path in sorted(cache.glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if canonical(name) == canonical(source.name) and version == source.version:
            return path
    return None


def _licence(source: Source, metadata: Message) -> Licence:
    if source.licence:
        return judge(source.licence, [], "")
    classifiers = [str(c) for c in metadata.get_all("Classifier", [])]
    expression, text = metadata.get("License-Expression", ""), metadata.get("License", "")
    return judge(str(expression), classifiers, str(text))
