"""One child is watched until it ends: its output, time, memory, threads and files, all bounded.

Lives here: what the fork server does beside a child. It knows nothing of verdicts; it reports
facts. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from dataclasses import dataclass, field

TICK = 0.02
"""Seconds between two looks at a child that says nothing."""
PATIENCE = 10
"""Wall time that a child spends waiting for a core is not its own; but it ends at so many times."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CLOCK = os.sysconf("SC_CLK_TCK")
_KEPT_ERROR = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Past any of them a child is ended, and with it all it started."""

    cpu: float
    wall: float
    resident: int
    """Bytes."""
    threads: int
    output: int
    """Bytes on standard output, and as many on standard error."""
    folder: str
    entries: int = 2000
    """Files and folders beneath ``folder``."""
    written: int = 1 << 28
    """Bytes in them."""


@dataclass
class Facts:
    """How a child ended."""

    status: int = 0
    """Exit status; a signal's number, negative."""
    limit: str = ""
    """``cpu``, ``wall``, ``memory``, ``threads``, ``output``, ``disk``: what it was ended for."""
    cpu: float = 0.0
    stdout: bytes = b""
    stderr: bytes = b""
    said: bytes = b""
    """On the pipe that only the child's own first lines and last line are to use."""
    gone: bool = False
    """Who asked has gone away meanwhile."""


@dataclass
class Pipes:
    """The supervisor's ends; closed here."""

    stdin: int
    stdout: int
    stderr: int
    said: int
    control: int
    """Not closed: readable only when who asked has gone."""
    kept: dict[int, bytearray] = field(default_factory=dict[int, bytearray])


def watch(child: int, pipes: Pipes, text: bytes, bounds: Bounds) -> Facts:
    """Feed ``text`` to the child, collect what it says, end it when it must be; reap everything."""
    facts = Facts()
    started = time.monotonic()
    handle = os.pidfd_open(child)
    poller = select.poll()
    outputs = {pipes.stdout, pipes.stderr, pipes.said}
    pipes.kept = {number: bytearray() for number in outputs}
    for number in outputs | {handle, pipes.control}:
        os.set_blocking(number, False) if number in outputs else None
        poller.register(number, select.POLLIN)
    os.set_blocking(pipes.stdin, False)
    poller.register(pipes.stdin, select.POLLOUT)
    rest, feeding, looked, counted = memoryview(text), True, time.monotonic(), 0
    while not facts.limit:
        ready = {number for number, _ in poller.poll(TICK * 1000)}
        if pipes.control in ready:
            facts.gone = True
            break
        if feeding and pipes.stdin in ready:
            rest, feeding = _feed(pipes.stdin, rest)
            if not feeding:
                poller.unregister(pipes.stdin)
                os.close(pipes.stdin)
        for number in outputs & ready:
            if not _take(number, pipes.kept[number]):
                poller.unregister(number)
                outputs = outputs - {number}
        if max(len(kept) for kept in pipes.kept.values()) > bounds.output:
            facts.limit = "output"
        if handle in ready:
            break
        now = time.monotonic()
        if now - looked >= TICK:
            looked, counted = now, counted + 1
            facts.limit = facts.limit or _excess(child, bounds, files=counted % 8 == 0)
            elapsed = now - started
            if (
                not facts.limit
                and elapsed > bounds.wall
                and (elapsed > bounds.wall * PATIENCE or elapsed - _waited(child) > bounds.wall)
            ):
                facts.limit = "wall"
    if feeding:
        os.close(pipes.stdin)
    facts.status, facts.cpu = _end(child)
    os.close(handle)
    for number in (pipes.stdout, pipes.stderr, pipes.said):
        if number in outputs:
            with contextlib.suppress(BlockingIOError):
                while len(pipes.kept[number]) <= bounds.output and _take(
                    number, pipes.kept[number]
                ):
                    pass
        os.close(number)
    if not facts.limit:
        facts.limit = _afterwards(facts, bounds, pipes)
    facts.stdout = bytes(pipes.kept[pipes.stdout])
    facts.stderr = bytes(pipes.kept[pipes.stderr][-_KEPT_ERROR:])
    facts.said = bytes(pipes.kept[pipes.said])
    return facts


def _afterwards(facts: Facts, bounds: Bounds, pipes: Pipes) -> str:
    """What a child that ended between two looks had run into."""
    if facts.status == -signal.SIGXCPU or facts.cpu > bounds.cpu + 2 * TICK:
        return "cpu"
    if facts.status == -signal.SIGXFSZ:
        return "disk"
    if max(len(kept) for kept in pipes.kept.values()) > bounds.output:
        return "output"
    return ""


def _feed(number: int, rest: memoryview) -> tuple[memoryview, bool]:
    try:
        rest = rest[os.write(number, rest[: 1 << 16]) :] if rest else rest
    except BlockingIOError:
        return rest, True
    except OSError:
        return rest, False
    return rest, bool(rest)


def _take(number: int, kept: bytearray) -> bool:
    """Return whether more may come."""
    piece = os.read(number, 1 << 16)
    kept += piece
    return bool(piece)


def _excess(child: int, bounds: Bounds, *, files: bool) -> str:
    try:
        with open(f"/proc/{child}/stat", "rb") as file:  # noqa: PTH123  # many times a second
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return ""
    if (int(fields[11]) + int(fields[12])) / _CLOCK > bounds.cpu:
        return "cpu"
    if int(fields[17]) > bounds.threads:
        return "threads"
    if int(fields[21]) * _PAGE > bounds.resident:
        return "memory"
    return "disk" if files and _crowded(bounds) else ""


def _waited(child: int) -> float:
    """Seconds that the child's unluckiest thread was ready to run and had no core."""
    waited = 0
    with contextlib.suppress(OSError, IndexError):
        for thread in os.listdir(f"/proc/{child}/task"):  # noqa: PTH208
            with open(f"/proc/{child}/task/{thread}/schedstat", "rb") as file:  # noqa: PTH123
                waited = max(waited, int(file.read().split()[1]))
    return waited / 1e9


def _crowded(bounds: Bounds) -> bool:
    entries = written = 0
    folders = [bounds.folder]
    while folders:
        try:
            found = os.scandir(folders.pop())
        except OSError:
            continue
        with found:
            for entry in found:
                entries += 1
                with contextlib.suppress(OSError):
                    written += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                if entries > bounds.entries or written > bounds.written:
                    return True
    return False


def _end(child: int) -> tuple[int, float]:
    """End the child's whole session, reap all of it; return its status and CPU seconds."""
    for end in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            end(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    cpu = used.ru_utime + used.ru_stime
    while True:
        try:
            found, _, more = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return os.waitstatus_to_exitcode(status), cpu
        cpu += more.ru_utime + more.ru_stime
        if not found:  # there are some, so the session's number is still theirs
            os.killpg(child, signal.SIGKILL)
            time.sleep(0.001)
