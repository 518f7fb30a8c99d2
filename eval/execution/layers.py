"""What this machine has of the layers that confine generated code, and the refusal without them."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache

from completion.errors import CaretError
from eval.execution import landlock
from eval.execution.client import Server, wait_for
from eval.execution.languages import tool_chain

_GET_ACTION_AVAIL = 2
_KILL_PROCESS = 0x80000000
_SECCOMP = 317


@cache
def missing() -> tuple[str, ...]:
    """Return the layers that must be there and are not, each with what has it."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return ("Linux on x86-64",)
    found: list[str] = []
    if not landlock.version():
        found.append("Landlock (Linux 5.13 or newer, with landlock among its security modules)")
    if not _seccomp():
        found.append("seccomp filters (CONFIG_SECCOMP_FILTER)")
    if not hasattr(os, "pidfd_open"):
        found.append("pidfd_open (Linux 5.3)")
    return tuple(found)


def require() -> None:
    """Refuse to go on where a program could not be confined.

    Raises:
        CaretError: names what is missing.
    """
    if missing():
        raise CaretError(
            f"generated code is not run here, for want of {' and '.join(missing())}; "
            "run this suite on a machine that has it"
        )


def layers() -> list[tuple[str, bool, str]]:
    """Return each layer, whether it is there, and a note; tool chains of languages at the end."""
    abi = landlock.version() if sys.platform == "linux" else 0
    namespaces: list[str] = []
    if not missing():
        namespaces = wait_for(_namespaces)
    rows = [
        ("Landlock", abi > 0, f"version {abi}; files, required"),
        ("seccomp", sys.platform == "linux" and _seccomp(), "system calls, required"),
        ("namespaces", bool(namespaces), f"{', '.join(namespaces) or 'none'}; on top"),
    ]
    for language, tools in (("python", "this one"), ("cpp", "g++"), ("java", "javac, java")):
        rows.append((f"runs {language}", bool(tool_chain(language)), tools))
    return [*rows, ("runs csharp", False, "not supported: its programs are skipped")]


async def _namespaces() -> list[str]:
    async with Server() as server:
        return server.namespaces


def _seccomp() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    action = ctypes.c_uint32(_KILL_PROCESS)
    return libc.syscall(_SECCOMP, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0
