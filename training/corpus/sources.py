"""Where packages come from: the standard library, the environment, wheels fetched by name.

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
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any, cast

from completion.errors import CaretError, UsageError
from training.corpus.licences import Licence, judge

SOURCES = Path(__file__).with_name("sources.toml")
_STDLIB_SKIPPED = frozenset(
    ["site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo", "ensurepip"]
)
"""Other people's packages, test suites, and programs of their own style."""


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


@dataclass(frozen=True, kw_only=True)
class Package:
    """A source that was found: its exact version, its licence and its files on demand."""

    name: str
    version: str
    licence: Licence
    files: Iterator[tuple[str, bytes]]


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
        return Package(name=source.name, version=version, licence=licence, files=_stdlib())
    if source.origin == "environment":
        return _installed(source)
    return _wheel(source, cache)


def _stdlib() -> Iterator[tuple[str, bytes]]:
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        inside = path.relative_to(root)
        if _STDLIB_SKIPPED.isdisjoint(inside.parts):
            yield inside.as_posix(), path.read_bytes()


def _installed(source: Source) -> Package:
    try:
        found = importlib.metadata.distribution(source.name)
    except importlib.metadata.PackageNotFoundError:
        raise CaretError(
            f"package {source.name} is not installed; install it or unlist it"
        ) from None

    def files() -> Iterator[tuple[str, bytes]]:
        for entry in sorted(found.files or [], key=str):
            if entry.suffix == ".py" and ".." not in entry.parts:
                path = Path(str(found.locate_file(entry)))
                if path.is_file():
                    yield entry.as_posix(), path.read_bytes()

    licence = _licence(source, cast(Message, found.metadata))
    return Package(name=source.name, version=found.version, licence=licence, files=files())


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
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(names[0]).decode("utf-8", "replace"))

    def files() -> Iterator[tuple[str, bytes]]:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".py"):
                    yield name, archive.read(name)

    licence = _licence(source, metadata)
    return Package(name=source.name, version=source.version, licence=licence, files=files())


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
