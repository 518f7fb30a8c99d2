"""Prometheus metrics: counts and durations, never text.

The engine's own count of running requests is asked for when a scrape asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from completion.engine.base import EngineWork
from completion.errors import UsageError
from completion.wire import completion_pb2 as pb
from completion.wire.address import Address

_SECONDS = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
    0.75,
    1,
    2,
    5,
    10,
)
_SHARES = (1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1)
_TENTHS = tuple(n / 10 for n in range(11))


class Metrics:
    """One registry a server; the names are part of the contract with dashboards."""

    def __init__(self) -> None:
        disable_created_metrics()  # a second series for every one, that nobody reads
        self.registry = CollectorRegistry()
        self.requests = self._counter(
            "caret_requests", "Requests by method and gRPC status.", ["method", "code"]
        )
        self.candidates = self._counter(
            "caret_candidates", "Candidates by why they stopped.", ["stop_reason"]
        )
        self.declined = self._counter(
            "caret_declined", "Answers without a candidate, by reason.", ["reason"]
        )
        self.tokens = self._counter(
            "caret_tokens", "Tokens: prompt, prompt_cached, generated.", ["kind"]
        )
        self.feedback = self._counter(
            "caret_feedback", "What became of completions, as clients tell: each event once.",
            ["kind", "language", "scope"],
        )  # fmt: skip
        self.feedback_unknown = self._counter(
            "caret_feedback_unknown", "Events of completions that this server does not know.", []
        )
        self.dismissed = self._counter(
            "caret_feedback_dismissed", "Completions that went away unused, by reason.", ["reason"]
        )
        self.kept = Histogram(
            "caret_feedback_kept_share", "Share of an accepted text still there, by seconds after.",
            ["after"], buckets=_TENTHS, registry=self.registry,
        )  # fmt: skip
        self.visible = Histogram(
            "caret_feedback_visible_seconds", "How long completions were visible.",
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.omitted = Histogram(
            "caret_omitted_mass", "Bound of the probability in covers that were not summed over.",
            buckets=_SHARES, registry=self.registry,
        )  # fmt: skip
        self.stage = Histogram(
            "caret_stage_seconds", "Time of each stage: queue, prompt, first_token, first_line, total.",
            ["stage"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip

    def _counter(self, name: str, help_text: str, labels: list[str]) -> Counter:
        return Counter(name, help_text, labels, registry=self.registry)

    def observe(self, response: pb.CompleteResponse) -> None:
        """Count a finished answer."""
        for stage in ("queue", "prompt", "first_token", "first_line", "total"):
            self.stage.labels(stage).observe(getattr(response.timings, stage) / 1e3)
        self.tokens.labels("prompt").inc(response.usage.prompt_tokens)
        self.tokens.labels("prompt_cached").inc(response.usage.cached_tokens)
        self.tokens.labels("generated").inc(response.usage.generated_tokens)
        for candidate in response.candidates:
            name = pb.StopReason.Name(candidate.stop_reason).removeprefix("STOP_REASON_").lower()
            self.candidates.labels(name).inc()
        if response.declined:
            self.declined.labels(response.declined).inc()

    def watch(
        self,
        admission_running: Callable[[], int],
        admission_waiting: Callable[[], int],
        engine_running: Callable[[], Coroutine[Any, Any, int]],
    ) -> None:
        """Export these counts as gauges; the last is asked on the running event loop."""
        loop = asyncio.get_running_loop()

        class Gauges:
            def collect(self) -> Iterator[GaugeMetricFamily]:
                for name, text, value in (
                    ("caret_requests_running", "Requests admitted.", admission_running()),
                    ("caret_requests_waiting", "Requests in the queue.", admission_waiting()),
                ):
                    yield GaugeMetricFamily(name, text, value=value)
                asked = asyncio.run_coroutine_threadsafe(engine_running(), loop)
                try:
                    held = asked.result(timeout=2)
                except Exception:  # dead or stuck: the other figures are wanted then most of all
                    asked.cancel()
                    return
                yield GaugeMetricFamily(
                    "caret_engine_running", "Requests the engine holds.", value=held
                )

        self.registry.register(Gauges())  # type: ignore[arg-type]

    def watch_work(self, work: EngineWork) -> None:
        """Export what the engine has computed, that of cancelled requests included."""

        class Work:
            def collect(self) -> Iterator[CounterMetricFamily]:
                tokens = CounterMetricFamily(
                    "caret_engine_tokens",
                    "Tokens worked on: prompt, generated; abandoned: prompts cancelled on the way; "
                    "drafted: proposed to the model, and accepted by it.",
                    labels=["kind"],
                )
                for kind in ("prompt", "generated", "abandoned", "drafted", "accepted"):
                    tokens.add_metric([kind], getattr(work, kind))
                yield tokens

        self.registry.register(Work())  # type: ignore[arg-type]

    def serve(self, address: Address) -> Callable[[], None]:
        """Answer scrapes on ``address``; returns what ends that.

        Raises:
            UsageError: the address is not on this machine, or is in use.
        """
        if address.path or not address.is_local:
            raise UsageError(f"metrics are served on loopback only, not on {address}")
        try:
            server, thread = start_http_server(address.port, address.host, registry=self.registry)
        except OSError as error:
            raise UsageError(f"metrics address {address}: {error.strerror or error}") from None

        def close() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return close
