"""Programs in, outcomes out: as many fork servers as workers, each with one program at a time."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable, Iterable

from eval.execution import scratch
from eval.execution.client import Reply, Server, ServerLost, wait_for
from eval.execution.compare import matches
from eval.execution.languages import Job, job_of
from eval.execution.layers import require
from eval.execution.program import Outcome, Program, Verdict

_LIMITS = {
    "cpu": (Verdict.TIME, "out of CPU time"),
    "wall": (Verdict.TIME, "out of wall time"),
    "memory": (Verdict.MEMORY, "out of memory"),
    "threads": (Verdict.FORBIDDEN, "too many threads"),
    "output": (Verdict.FORBIDDEN, "too much output"),
    "disk": (Verdict.FORBIDDEN, "too much written"),
}
_MEMORY_WORDS = ("bad_alloc", "OutOfMemoryError", "MemoryError", "out of memory")


def _ignore(_program: Program, _outcome: Outcome) -> None:
    pass


async def run_programs(
    programs: Iterable[Program],
    *,
    workers: int | None = None,
    on_done: Callable[[Program, Outcome], None] = _ignore,
) -> dict[Program, Outcome]:
    """Run the programs, equal ones once, and return what became of each.

    ``workers`` are run at a time; unless given, one for each core this process may use. ``on_done``
    is called as each ends. When this is cancelled, nothing of it is left: no process, no file.

    Raises:
        CaretError: this machine cannot confine a program; none is run then.
    """
    waiting = list(dict.fromkeys(programs))
    done: dict[Program, Outcome] = {}
    if not waiting:
        return done
    require()
    waiting.reverse()
    count = min(workers or len(os.sched_getaffinity(0)), len(waiting))

    def finished(program: Program, outcome: Outcome) -> None:
        done[program] = outcome
        on_done(program, outcome)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, count)):
                group.create_task(_work(waiting, finished))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return done


def run_program(program: Program) -> Outcome:
    """Run one program and wait for it; also from within a running event loop's thread."""
    return wait_for(lambda: run_programs([program], workers=1))[program]


async def _work(waiting: list[Program], finished: Callable[[Program, Outcome], None]) -> None:
    while waiting:
        async with Server() as server:
            while waiting:
                program = waiting.pop()
                try:
                    outcome = await _run(server, program)
                except ServerLost:
                    finished(program, _outcome(Verdict.FORBIDDEN, "it ended its supervisor"))
                    break
                finished(program, outcome)


async def _run(server: Server, program: Program) -> Outcome:
    folder = scratch.make(server.folder)
    try:
        job = job_of(program, folder)
        if job is None:
            return _outcome(Verdict.SKIPPED, f"no tool chain for {program.language} here")
        return await _steps(server, program, job)
    finally:
        scratch.remove(folder)


async def _steps(server: Server, program: Program, job: Job) -> Outcome:
    if job.compile is not None:
        reply = await server.run(job.compile)
        if reply.limit or reply.status:
            return _outcome(Verdict.COMPILE, _complaint(reply), reply.cpu)
    if not program.cases:
        reply = await server.run(job.run(""))
        verdict = _verdict(reply, python=program.language == "python")
        return _outcome(*verdict, reply.cpu)
    seconds = 0.0
    for number, case in enumerate(program.cases, 1):
        reply = await server.run(job.run(case.stdin))
        seconds = max(seconds, reply.cpu)
        verdict, detail = _verdict(reply, python=False)
        if verdict is Verdict.PASSED and not matches(reply.stdout, case.outputs):
            verdict, detail = Verdict.FAILED, "wrong answer"
        if verdict is not Verdict.PASSED:
            return _outcome(verdict, f"case {number}: {detail}", seconds)
    return _outcome(Verdict.PASSED, "", seconds)


def _verdict(reply: Reply, *, python: bool) -> tuple[Verdict, str]:
    """Judge how one run ended; ``python``: nothing but the end of the whole program is a pass."""
    if reply.limit:
        return _LIMITS[reply.limit]
    kind, family, said = reply.said[1:2], reply.said[2:3], reply.said[3:]
    if reply.status == -signal.SIGSYS:
        return Verdict.FORBIDDEN, "a system call that the sandbox does not allow"
    if reply.passed or (not python and reply.status == 0):
        return Verdict.PASSED, ""
    if reply.status < 0:
        detail = signal.Signals(-reply.status).name
        return (_memory(reply) or Verdict.FAILED), detail
    if kind == "C":
        return Verdict.COMPILE, said
    if kind == "E":
        verdict = {"M": Verdict.MEMORY, "P": Verdict.FORBIDDEN}.get(family, Verdict.FAILED)
        return verdict, said
    if reply.status == 0:
        return Verdict.FAILED, "it ended before its tests had run"
    return (_memory(reply) or Verdict.FAILED), _complaint(reply)


def _memory(reply: Reply) -> Verdict | None:
    said = reply.stderr + reply.stdout[-1000:]
    return Verdict.MEMORY if any(word in said for word in _MEMORY_WORDS) else None


def _complaint(reply: Reply) -> str:
    """The line of its errors that says most."""
    if reply.limit:
        return _LIMITS[reply.limit][1]
    lines = [line.strip() for line in reply.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|exception", line, re.IGNORECASE)]
    return (telling or lines or [f"status {reply.status}"])[0][:300]


def _outcome(verdict: Verdict, detail: str = "", seconds: float = 0.0) -> Outcome:
    return Outcome(verdict=verdict, detail=detail, seconds=seconds)
