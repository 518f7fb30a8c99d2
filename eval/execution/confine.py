"""A process gives up, for good, everything that generated code has no business with.

Lives here: the order of the layers. :func:`isolate` is of the fork server and does what the machine
allows; :func:`confine` is of a forked child, and every layer in it must hold or the child ends
before it runs anything. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.execution import landlock, seccomp

MIB = 1 << 20
FILE_MIB = 16
"""Of a file a program writes; tools write bigger ones."""
OPEN_FILES = 64
_PROCESSES = 128
"""Counted by the kernel where a user namespace makes them ours alone."""

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_SET_PDEATHSIG, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _SET_CHILD_SUBREAPER = 1, 24, 38, 36
_CAP_VERSION_3 = 0x20080522


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a child may do, beyond the lines that hold for all."""

    calls: str = "python"
    """A policy of :data:`eval.execution.syscalls.EXTRA`."""
    read: Sequence[str] = ()
    execute: Sequence[str] = ()
    write: Sequence[str] = ()
    seconds: float
    """Of CPU, for each process."""
    address_mib: int
    """Of address space; 0: not limited, and the supervisor looks at what is resident."""
    stack_mib: int = 64
    file_mib: int = FILE_MIB
    files: int = OPEN_FILES


def isolate() -> list[str]:
    """Put this process into namespaces of its own, without a network; return which it got.

    On top of what :func:`confine` does, which does not rest on them: a container or a system's
    policy may refuse them. Neither a process nor a mount namespace is asked for: a filter on
    ``kill`` and Landlock do their work, and both want a ``/proc`` to be mounted anew, which
    containers refuse.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    uid, gid = os.getuid(), os.getgid()
    network = _CLONE_NEWNET | _CLONE_NEWIPC
    found: list[str] = []
    if libc.unshare(_CLONE_NEWUSER | network) == 0:
        with contextlib.suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        found = ["user", "net", "ipc"]
    elif libc.unshare(network) == 0:
        found = ["net", "ipc"]
    for capability in range(64):  # what none of the children could regain
        libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    return found


def confine(policy: Policy, supervisor: int, user_namespace: bool) -> None:
    """Confine this process; there is no way back.

    Raises:
        OSError: a layer does not hold, said in its message; nothing may be run then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    _must(libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    if os.getppid() != supervisor:
        os._exit(1)
    _limits(policy, user_namespace)
    _must(libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    try:
        landlock.restrict(read=policy.read, execute=policy.execute, write=policy.write)
    except OSError as error:
        raise OSError(error.errno, f"Landlock: {error.strerror}") from None
    _drop_capabilities(libc)
    try:
        seccomp.install(seccomp.build(policy.calls, os.getpid()))
    except OSError as error:
        raise OSError(error.errno, f"seccomp: {error.strerror}") from None


def _limits(policy: Policy, user_namespace: bool) -> None:
    cpu = max(1, int(policy.seconds + 0.999))
    limits = {
        resource.RLIMIT_CPU: (cpu, cpu + 1),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (policy.file_mib * MIB,) * 2,
        resource.RLIMIT_NOFILE: (policy.files,) * 2,
        resource.RLIMIT_MEMLOCK: (0, 0),
        resource.RLIMIT_STACK: (policy.stack_mib * MIB,) * 2,
    }
    if policy.address_mib:
        limits[resource.RLIMIT_AS] = (policy.address_mib * MIB,) * 2
        limits[resource.RLIMIT_DATA] = (policy.address_mib * MIB,) * 2
    if user_namespace:
        limits[resource.RLIMIT_NPROC] = (_PROCESSES, _PROCESSES)
    for kind, (soft, hard) in limits.items():
        top = resource.getrlimit(kind)[1]
        if top != resource.RLIM_INFINITY:
            soft, hard = min(soft, top), min(hard, top)
        resource.setrlimit(kind, (soft, hard))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    header = struct.pack("Ii", _CAP_VERSION_3, 0)
    _must(libc.capset(header, struct.pack("6I", *[0] * 6)), "capset")


def _must(failed: int, layer: str) -> None:
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, f"{layer}: {os.strerror(number)}")
