"""The file system as a confined process sees it: what Landlock lets it read, run and write.

Standard library only, because the fork server imports it. Landlock does not hide that a path
exists (``stat``), and does not look at modes, owners and times: :mod:`eval.execution.seccomp` does.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_MAKE_DEVICE_OR_SOCKET = 1 << 6 | 1 << 9 | 1 << 11
_KNOWN = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Rights to files by version of Landlock; from the fifth on no more."""
_ON_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


def version() -> int:
    """Return Landlock's version here; 0 when the kernel has it not, or not switched on."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def restrict(
    *, read: Iterable[str] = (), execute: Iterable[str] = (), write: Iterable[str] = ()
) -> None:
    """Confine this process and its children, for good, to what lies beneath these paths.

    ``execute`` implies ``read``; ``write`` implies ``read``, and making and removing, but no
    devices and sockets. Paths that are not there are left out. All TCP is refused where Landlock
    knows it (version 4), and signals out of the domain too (version 6).

    Raises:
        OSError: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    abi = version()
    handled = _KNOWN.get(min(abi, 5), 0)
    attributes = struct.pack("QQQ", handled, 3, 3)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    reading = _READ_FILE | _READ_DIR
    for paths, rights in (
        (read, reading),
        (execute, reading | _EXECUTE),
        (write, handled & ~(_EXECUTE | _MAKE_DEVICE_OR_SOCKET | _IOCTL_DEV)),
    ):
        for path in paths:
            _add(libc, ruleset, path, rights & handled)
    if libc.syscall(_RESTRICT, ruleset, ctypes.c_uint(0)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.close(ruleset)


def _add(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= _ON_A_FILE
    beneath = struct.pack("=Qi", rights, place)
    failed = libc.syscall(_ADD, ruleset, ctypes.c_int(1), beneath, ctypes.c_uint(0))
    os.close(place)
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
