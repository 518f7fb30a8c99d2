"""A service under many typing clients for some minutes: errors, leaks, fairness, latency.

The service is a real ``caret serve`` of its own, the clients are :mod:`eval.bench.typing_client` on a
connection each, all in this process: on a small machine they take of the service's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import socket
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from completion.errors import CaretError
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.own_server import OwnServer
from eval.bench.latency import Row
from eval.bench.typing_client import REFUSED, Manner, Outcome, TypingClient
from eval.metrics.latency import percentile

RSS_BAR, FILES_BAR = 1.05, 1.02
"""The last quarter of the run over the second one; the first is for warming up."""
REFUSED_BAR = 0.05
UNFAIR_BAR, SPREAD_BAR = 1.05, 1.5
FIRST_P50_BAR, FIRST_P95_BAR = 1000.0, 4000.0
"""Milliseconds; the latter is when an editor gives up, the default of ``client.timeout_ms``."""
SETTLED_S = 10.0
"""How long the service may take to be idle when the clients have gone."""
_SAMPLE_S = 1.0
_SAY_S = 10.0
_GAUGES = ("caret_engine_running", "caret_requests_running", "caret_requests_waiting")
_SOURCES = Path(__file__).parents[2] / "completion"
_LEAST_BYTES, _MOST_BYTES = 4_000, 40_000


@dataclass(kw_only=True, slots=True)
class Process:
    """What the service's processes held together, a sample a second."""

    rss: list[int] = field(default_factory=list[int])
    """Bytes."""
    files: list[int] = field(default_factory=list[int])
    """Open file descriptors."""
    cpu_s: float = 0.0
    """Seconds of CPU time from the first sample to the last."""
    _began: float = 0.0

    def sample(self, pid: int) -> None:
        """Add a sample; a process that ends meanwhile counts as gone.

        Raises:
            CaretError: the service itself is gone.
        """
        try:
            top = psutil.Process(pid)
            family = [top, *top.children(recursive=True)]
        except psutil.Error:
            raise CaretError("the service has ended under load; see what it logged") from None
        rss, files, cpu = 0, 0, 0.0
        for one in family:
            try:
                rss += one.memory_info().rss
                files += one.num_fds()
                cpu += sum(one.cpu_times()[:2])
            except psutil.Error:
                continue
        if not self.rss:
            self._began = cpu
        self.rss.append(rss)
        self.files.append(files)
        self.cpu_s = cpu - self._began


async def rows(
    words: list[str],
    clients: int,
    minutes: float,
    say: Callable[[str], None],
    manner: Manner | None = None,
) -> list[Row]:
    """Return the rows of ``clients`` typing for ``minutes``; ``words`` are for the service.

    Raises:
        CaretError: the service cannot be started, or has ended under load.
    """
    port = _free_port()
    process = Process()
    async with OwnServer(extra_args=[*words, "--metrics", f"127.0.0.1:{port}"]) as own:
        channels = [own.channel() for _ in range(clients)]
        typing = [
            TypingClient(rpc.CompletionServiceStub(channel), file, seed, manner or Manner())
            for seed, (channel, file) in enumerate(zip(channels, _files(clients), strict=True))
        ]
        tasks = [asyncio.create_task(client.type()) for client in typing]
        outcomes = [client.outcome for client in typing]
        try:
            began = time.monotonic()
            await _watch(tasks, outcomes, process, own.pid, minutes * 60, say)
            seconds = time.monotonic() - began
            memory = proportional_mib(own.pid)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        left, settled = await _settle(port)
        for channel in channels:
            await channel.close()
    figures = figures_of(outcomes, process, seconds)
    say(json.dumps(figures | {"memory_mib": memory, "idle_after_s": round(settled, 2)}))
    return rows_of(outcomes, process, left)


async def _watch(
    tasks: Sequence[asyncio.Task[None]],
    outcomes: Sequence[Outcome],
    process: Process,
    pid: int,
    seconds: float,
    say: Callable[[str], None],
) -> None:
    """Sample the service until the time is over."""
    began = said = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        process.sample(pid)
        for task in tasks:
            if task.done():
                task.result()  # a client never ends by itself: what it raised is ours to mend
        if now >= said + _SAY_S:
            said = now
            total = _total(outcomes)
            shown = ", ".join(f"{count:,} {end}" for end, count in total.most_common())
            say(f"{now - began:.0f} of {seconds:.0f} s: {shown}; {process.rss[-1] >> 20} MiB")
        await asyncio.sleep(min(_SAMPLE_S, seconds / 20))


async def _settle(port: int) -> tuple[int, float]:
    """Return how many requests the service still holds when it is idle or late, and after how long."""
    began = time.monotonic()
    while True:
        left = await asyncio.to_thread(requests_held, port)
        taken = time.monotonic() - began
        if not left or taken > SETTLED_S:
            return left, taken
        await asyncio.sleep(0.05)


def figures_of(outcomes: Sequence[Outcome], process: Process, seconds: float) -> dict[str, object]:
    """Return what a sizing table wants to know of a run."""
    total = _total(outcomes)
    first = [ms for one in outcomes for ms in one.first_ms]
    whole = [ms for one in outcomes for ms in one.whole_ms]
    figures: dict[str, object] = {
        "clients": len(outcomes), "seconds": round(seconds, 1), "ends": dict(total),
        "asked_per_s": round(sum(total.values()) / seconds, 2),
        "answered_per_s": round(len(whole) / seconds, 2),
        "cpu_cores": round(process.cpu_s / seconds, 2),
        "rss_mib": round(process.rss[-1] / 2**20), "files": process.files[-1],
    }  # fmt: skip
    for name, taken in (("first_line", first), ("whole", whole)):
        for percent in (50, 95, 99) if taken else ():
            figures[f"{name}_p{percent}_ms"] = round(percentile(taken, percent), 1)
    return figures


def rows_of(outcomes: Sequence[Outcome], process: Process, left: int) -> list[Row]:
    """Return what has a bar. ``left`` requests were held after the end."""
    errors = sum(sum(one.errors.values()) for one in outcomes)
    kept = sum(one.kept for one in outcomes)
    shares = [one.answered_share for one in outcomes]
    first = [ms for one in outcomes for ms in one.first_ms]
    refused = sum(one.ends[REFUSED] for one in outcomes)
    samples = len(process.rss)
    found = [
        Row("errors, those of a full queue and the client's own cancels apart", errors, 0, kept),
        Row("refused because the queue was full, share", refused / max(kept, 1), REFUSED_BAR, kept),
        Row("memory of the service (RSS), last quarter over second", _late_over_early(process.rss),
            RSS_BAR, samples),
        Row("file descriptors of the service, last quarter over second",
            _late_over_early(process.files), FILES_BAR, samples),
        Row(f"requests the service holds {SETTLED_S:.0f} s after the last client", left, 0, 1),
        Row("unfairness: 1 over Jain's index of the clients' answered shares",
            1 / max(jain(shares), 1e-9), UNFAIR_BAR, len(shares)),
        Row("answered share, best client over worst", max(shares) / max(min(shares), 1e-9),
            SPREAD_BAR, len(shares)),
    ]  # fmt: skip
    if first:
        found += [
            Row("request to first line, p50, ms", percentile(first, 50), FIRST_P50_BAR, len(first)),
            Row("request to first line, p95, ms", percentile(first, 95), FIRST_P95_BAR, len(first)),
        ]
    return found


def jain(values: Sequence[float]) -> float:
    """Return Jain's index of fairness: 1 where all are equal, 1 / n where one has everything."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def proportional_mib(pid: int) -> int:
    """Return the memory of a process and its children, what they share counted once: MiB of PSS."""
    top = psutil.Process(pid)
    total = 0
    for one in (top, *top.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += getattr(one.memory_full_info(), "pss", 0)
    return total >> 20


def requests_held(port: int) -> int:
    """Return how many requests the service and its engine hold, as its metrics say.

    Raises:
        CaretError: the service does not say.
    """
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError as error:
        raise CaretError(f"the service gives no metrics: {error}") from None
    found = re.findall(rf"^({'|'.join(_GAUGES)}) ([\d.]+)$", text, re.MULTILINE)
    if len(found) < len(_GAUGES):
        raise CaretError("the service does not say what its engine holds: it may be stuck")
    return round(sum(float(value) for _, value in found))


def _late_over_early(values: Sequence[float]) -> float:
    """Return the median of the last quarter over that of the second."""
    quarter = max(1, len(values) // 4)
    return statistics.median(values[-quarter:]) / statistics.median(
        values[quarter : 2 * quarter] or values
    )


def _total(outcomes: Sequence[Outcome]) -> Counter[str]:
    return sum((one.ends for one in outcomes), Counter[str]())


def _files(count: int) -> list[Path]:
    """Return real Python files, of which a client types one, the same ones each time."""
    found = sorted(
        path for path in _SOURCES.rglob("*.py")
        if _LEAST_BYTES <= path.stat().st_size <= _MOST_BYTES and "_pb2" not in path.name
    )  # fmt: skip
    random.Random(0).shuffle(found)
    return [found[number % len(found)] for number in range(count)]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
