"""The system call filter of a confined process, as a BPF program for seccomp.

Pure but :func:`install`. Standard library only, because the fork server imports it. Entry by the
i386 and x32 conventions, whose numbers mean other calls, ends the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from functools import cache

from eval.execution.syscalls import ALLOWED, DEADLY, EXTRA, NUMBERS, REFUSED, SOFTER

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
KILL_PROCESS = 0x80000000

_ARCH_X86_64 = 0xC000003E
_X32 = 0x40000000
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_SET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCH = 0, 4
"""Offsets in ``struct seccomp_data``."""

_CLONE_SHARED = 0x00010000 | 0x00000100 | 0x00000800
"""CLONE_THREAD, CLONE_VM, CLONE_SIGHAND: a thread and no process."""
_CLONE_NEW = 0x7E020000
"""Every CLONE_NEW… flag."""
_READ_ONLY_TRUNCATE = (0o3, 0o1000)
"""O_ACCMODE, O_TRUNC: opened for reading and emptied, which Landlock first sees in version 3."""
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032)
"""Descriptors, flags, locks, pipe sizes. F_SETOWN and F_SETSIG would signal other processes."""
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. TIOCSTI would type into a terminal."""
_PRCTL = (3, 15, 16, 21, 23, 30, 39, 0x53564D41)
"""Names, and questions about oneself. PR_SET_PDEATHSIG would outlive the supervisor."""

Code = list[tuple[int, int, int, int]]


_ANY_PID = 0x7FFFFFF1
"""Stands for the process in a filter built beforehand; above every real one."""


def build(policy: str, pid: int) -> bytes:
    """Return the filter of a policy for the process ``pid``, as an array of ``sock_filter``.

    Raises:
        KeyError: there is no such policy.
    """
    return prepare(policy).replace(struct.pack("I", _ANY_PID), struct.pack("I", pid))


@cache
def prepare(policy: str) -> bytes:
    """Build the filter for a process yet to come; called early, it costs each of them nothing."""
    pid = _ANY_PID
    extra, softer = EXTRA[policy], SOFTER[policy]
    refuse = _returning(ERRNO | errno.EPERM)
    code: Code = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, _ARCH_X86_64),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_ABOVE, 0, 1, _X32),
        (_RETURN, 0, 0, KILL_PROCESS),
    ]
    for name in sorted(ALLOWED | extra, key=NUMBERS.__getitem__):
        code += _on(name, _returning(ALLOW))
    for name in sorted(DEADLY - extra - softer):
        code += _on(name, _returning(KILL_PROCESS))
    for name in sorted((REFUSED | softer) - extra):
        code += _on(name, refuse)
    if policy == "tools":
        code += _on("clone", _no_bits(0, _CLONE_NEW, KILL_PROCESS))
        for name in ("kill", "tkill", "tgkill"):
            code += _on(name, refuse)
    else:
        code += _on("clone", _thread())
        code += _on("kill", _equals(0, (pid,), KILL_PROCESS))
        code += _on("tkill", _equals(0, (pid,), KILL_PROCESS))
        code += _on("tgkill", _equals(0, (pid,), KILL_PROCESS))
    for name, argument in (("open", 1), ("openat", 2)):
        code += _on(name, _not_masked(argument, *_READ_ONLY_TRUNCATE))
    code += _on("fcntl", _equals(1, _FCNTL, ERRNO | errno.EPERM))
    code += _on("ioctl", _equals(1, _IOCTL, ERRNO | errno.ENOTTY))
    code += _on("prctl", _equals(0, _PRCTL, ERRNO | errno.EPERM))
    for name in ("prlimit64", "sched_setaffinity"):
        code += _on(name, _equals(0, (0, pid), ERRNO | errno.EPERM))
    code += _returning(ERRNO | errno.ENOSYS)
    return b"".join(struct.pack("HBBI", *step) for step in code)


def install(program: bytes) -> None:
    """Put the filter on this process, for good.

    Raises:
        OSError: the kernel refuses it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    head = ctypes.create_string_buffer(header, len(header))
    if libc.prctl(22, ctypes.c_ulong(2), ctypes.c_void_p(ctypes.addressof(head)), 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _returning(action: int) -> Code:
    return [(_RETURN, 0, 0, action)]


def _on(name: str, block: Code) -> Code:
    """A block that is left by a return on every path, for one call; else on to what follows."""
    return [(_JUMP_EQUAL, 0, len(block), NUMBERS[name]), *block]


def _low(argument: int) -> int:
    return 16 + 8 * argument


def _equals(argument: int, values: tuple[int, ...], otherwise: int) -> Code:
    """Allow when the argument's low word, which is all the kernel reads of it, is one of these."""
    code: Code = [(_LOAD, 0, 0, _low(argument))]
    for value in values:
        code += [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, ALLOW)]
    return code + _returning(otherwise)


def _no_bits(argument: int, bits: int, otherwise: int) -> Code:
    return [
        (_LOAD, 0, 0, _low(argument)),
        (_JUMP_SET, 0, 1, bits),
        (_RETURN, 0, 0, otherwise),
        (_RETURN, 0, 0, ALLOW),
    ]


def _not_masked(argument: int, mode: int, flag: int) -> Code:
    """Refuse when the mode's bits are all zero and the flag is set."""
    return [
        (_LOAD, 0, 0, _low(argument)),
        (_AND, 0, 0, mode | flag),
        (_JUMP_EQUAL, 0, 1, flag),
        (_RETURN, 0, 0, ERRNO | errno.EPERM),
        (_RETURN, 0, 0, ALLOW),
    ]


def _thread() -> Code:
    return [
        (_LOAD, 0, 0, _low(0)),
        (_AND, 0, 0, _CLONE_SHARED),
        (_JUMP_EQUAL, 1, 0, _CLONE_SHARED),
        (_RETURN, 0, 0, KILL_PROCESS),
        *_no_bits(0, _CLONE_NEW, KILL_PROCESS),
    ]
