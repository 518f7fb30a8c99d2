"""What a result says of the program and the machine that made it; nothing that names a user."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import completion
from completion.cli import version


def caret() -> dict[str, Any]:
    """Return ``version``, and in a checkout ``commit`` and whether it is ``dirty``."""
    found: dict[str, Any] = {"version": version()}
    root = Path(completion.__file__).resolve().parents[1]
    if not (root / ".git").exists():  # installed, perhaps below somebody else's checkout
        return found
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        found["commit"] = commit
        found["dirty"] = bool(_git(root, "status", "--porcelain"))
    return found


def machine() -> dict[str, Any]:
    """Return what decides its speed: processor, cores, memory; and its system and Python."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), "--no-optional-locks", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
