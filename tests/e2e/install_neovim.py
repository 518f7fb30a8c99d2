"""Neovim of several versions, out of Debian's packages, beside whatever the system has.

A private apt state reads one suite of the mirror that the machine's own sources name; the packages,
their C library included, are unpacked into a cache folder and the binary is pointed at them. Nothing
of the system is changed and no root is needed. ``python tests/e2e/install_neovim.py`` does it ahead of the
tests; done twice it does nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SUITES: Mapping[str, str] = {"0.12": "forky", "0.10": "trixie"}
"""The suite of Debian in which each version is found."""

_PACKAGES = ("neovim", "patchelf")


class UnavailableError(Exception):
    """Neovim cannot be had on this machine; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Neovim:
    """An installed Neovim."""

    version: str
    """As asked for: ``0.12``."""
    command: Path
    """Runs it; sets ``VIMRUNTIME``."""


def install(version: str) -> Neovim:
    """Return Neovim ``version``, a key of :data:`SUITES`, downloaded on the first call.

    Raises:
        UnavailableError: without apt, without a mirror of Debian, or where it does not run.
    """
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"neovim-{version}"
    found = Neovim(version=version, command=folder / "nvim")
    with (cache / f"neovim-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.command.exists():
            _build(folder, SUITES[version])
    said = _run([str(found.command), "--version"], "nvim does not run here").splitlines()[0]
    if not said.startswith(f"NVIM v{version}."):
        raise UnavailableError(f"Debian {SUITES[version]} has {said}, not {version}")
    return found


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "caret-ci"


def _build(folder: Path, suite: str) -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"no {tool} on this machine")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        packages = _download(Path(scratch), suite)
        made = Path(scratch) / "made"
        for package in packages:
            _run(["dpkg-deb", "-x", str(package), str(made)], "a package cannot be unpacked")
        _point_at_own_libraries(made, folder)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def _download(scratch: Path, suite: str) -> list[Path]:
    """Return the packages of ``suite`` that make up Neovim, from the first mirror that has them."""
    reason = "the sources of apt name no mirror of Debian"
    for number, (mirror, signed_by) in enumerate(_mirrors()):
        state = scratch / f"apt-{number}"
        for part in ("state/lists/partial", "cache/archives/partial"):
            (state / part).mkdir(parents=True)
        (state / "status").touch()
        option = f"[signed-by={signed_by}] " if signed_by else ""
        (state / "sources.list").write_text(f"deb {option}{mirror} {suite} main\n")
        apt = [
            "apt-get", "-q",
            *_options({
                "Dir::State": state / "state",
                "Dir::State::status": state / "status",
                "Dir::Cache": state / "cache",
                "Dir::Etc::sourcelist": state / "sources.list",
                "Dir::Etc::sourceparts": "/dev/null",
                "Dir::Etc::preferences": "/dev/null",
                "Dir::Etc::preferencesparts": "/dev/null",
                "APT::Sandbox::User": "",
                "Acquire::Languages": "none",
                "Acquire::Retries": "3",
            }),
        ]  # fmt: skip
        try:
            _run([*apt, "-o", "APT::Update::Error-Mode=any", "update"], f"no {suite} there")
            fetch = ["install", "--download-only", "--yes", "--no-install-recommends"]
            _run([*apt, *fetch, *_PACKAGES], f"{suite} cannot be downloaded")
        except UnavailableError as error:
            reason = str(error)
            continue
        return sorted((state / "cache" / "archives").glob("*.deb"))
    raise UnavailableError(reason)


def _options(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        yield from ("-o", f"{name}={value}")


def _mirrors() -> list[tuple[str, str]]:
    """Return the addresses of repositories in apt's own sources, each with the key that signs it."""
    layout = "$(REPO_URI) $(RELEASE) $(SIGNED_BY)"
    lines = _run(["apt-get", "indextargets", "--format", layout], "apt has no sources").splitlines()
    found: dict[tuple[str, str], None] = {}
    for line in lines:
        mirror, release, *signed_by = line.split()
        # apt leaves the field as it stands where there is no such key: its own keyring then holds.
        key = signed_by[0] if signed_by and not signed_by[0].startswith("$") else ""
        if "-security" not in release:
            found.setdefault((mirror, key))
    # A mirror of Debian is mostly called so; others are asked, too, but last.
    return sorted(found, key=lambda one: not one[0].rstrip("/").endswith("/debian"))


def _point_at_own_libraries(made: Path, folder: Path) -> None:
    """Have the unpacked binary use the libraries beside it, in the folder that it is moved to."""
    loader = next(one for one in sorted(made.glob("**/ld-linux*.so.*")) if not one.is_symlink())
    libraries = {one.parent for one in made.glob("**/*.so*")}
    shared = sorted(one for one in libraries if one.name.endswith("-linux-gnu")) or [loader.parent]
    where = [folder / one.relative_to(made) for one in shared]
    patch = [
        str(loader), "--library-path", ":".join(map(str, shared)), str(made / "usr/bin/patchelf"),
    ]  # fmt: skip
    binary = made / "usr/bin/nvim"
    # DT_RPATH and not DT_RUNPATH: it holds for the libraries of the libraries as well.
    _run(
        [*patch, "--force-rpath", "--set-rpath", ":".join(map(str, where)), str(binary)], "patchelf"
    )
    target = folder / loader.relative_to(made)
    _run([*patch, "--set-interpreter", str(target), str(binary)], "patchelf")
    command = made / "nvim"
    runtime = folder / "usr/share/nvim/runtime"
    command.write_text(
        f"#!/bin/sh\nVIMRUNTIME='{runtime}' exec '{folder / 'usr/bin/nvim'}' \"$@\"\n"
    )
    command.chmod(0o755)


def _run(command: list[str], failed: str) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{failed}: {type(error).__name__}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise UnavailableError(f"{failed}: {last}")
    return done.stdout


def main() -> int:
    """Install every version; return 1 where one cannot be had."""
    missing = 0
    for version in SUITES:
        try:
            print(f"Neovim {version}: {install(version).command}")
        except UnavailableError as error:
            print(f"Neovim {version}: {error}", file=sys.stderr)
            missing = 1
    return missing


if __name__ == "__main__":
    sys.exit(main())
