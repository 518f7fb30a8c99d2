"""The server process: bind, load, serve, drain.

The port is bound first, so that clients can ask the health service while the model loads. SIGTERM
and SIGINT stop taking requests, let the running ones finish for ``drain_seconds``, free the engine
and end with status 0; a second signal does not wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined]
from grpc_reflection.v1alpha import reflection

from completion.config import Config
from completion.engine.base import Engine
from completion.engine.checkpoint import Checkpoint
from completion.errors import CaretError, UsageError
from completion.server.activity import Activity
from completion.server.callers import Callers
from completion.server.credentials import refuse_exposed, server_credentials
from completion.server.logs import event
from completion.server.metrics import Metrics
from completion.server.readable import Readable
from completion.server.service import CompletionService
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import Address, parse_address
from completion.wire.channel import PINGED_MS, SERVICE_NAME

Loaded = tuple[Checkpoint, Engine]
_PARENT_POLL_S = 0.5
_ENGINE_POLL_S = 1.0
_DRAIN_POLL_S = 0.02
_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
)
"""So that a client whose machine is gone is no client. On a socket the machine is this one, and an
editor that is only stopped shall not be told that its server ended."""
_REFUSING_S = 0.2
"""For calls that came before clients could know that the server ends."""
_LAST_WORDS_S = 0.2
"""For answers that are made and still on their way out."""


class Server:
    """One listening service.

    ``load`` makes the model's checkpoint and its engine, not yet started; it runs in a thread.
    """

    def __init__(self, config: Config, load: Callable[[], Loaded]) -> None:
        self._config = config
        self._load = load
        self._stop = asyncio.Event()
        self._engine: Engine | None = None
        self._health = health_aio.HealthServicer()
        self.metrics = Metrics()
        self.service = CompletionService(config, self.metrics)
        self.address = parse_address(config.server.listen)

    async def run(
        self,
        *,
        exit_with_parent: int | None = None,
        exit_when_idle_s: float | None = None,
        on_listening: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
        on_abandoned: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve until a signal, then drain.

        With ``exit_with_parent`` also until the parent process is another one than that; with
        ``exit_when_idle_s`` also until no call has been open for so long, once it serves.
        ``on_abandoned`` is called when it is stopped while the model loads, which cannot be
        interrupted: whoever has the process to itself ends it there, else the load is waited for.

        Raises:
            UsageError: the address is taken, or open to other machines without what that needs.
            CaretError: the model cannot be loaded.
        """
        begin = time.perf_counter()
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        close_metrics = self._serve_metrics()
        activity = Activity() if exit_when_idle_s is not None else None
        server = self._bind([activity] if activity is not None else [])
        await server.start()
        if self.address.path:
            Path(self.address.path).chmod(0o600)
        event(logging.INFO, "listening", address=self.address.target)
        on_listening()
        watches: list[asyncio.Task[None]] = []
        if exit_with_parent is not None:
            watches.append(asyncio.create_task(self._watch_parent(exit_with_parent)))
        with _signals(self._stop):
            try:
                await self._until_stopped(self._start_engine(), on_abandoned)
                if not self._stop.is_set():
                    await self._say(health_pb2.HealthCheckResponse.SERVING)
                    event(logging.INFO, "serving", seconds=round(time.perf_counter() - begin, 2))
                    on_ready()
                    if activity is not None and exit_when_idle_s is not None:
                        idle = self._watch_idle(activity, exit_when_idle_s)
                        watches.append(asyncio.create_task(idle))
                    await self._until_stopped_or_dead()
            finally:
                await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
                event(logging.INFO, "draining", running=self.service.admission.running)
                await self._drain(server)
                close_metrics()
                if self._engine is not None:
                    await self._engine.stop()
                for watch in watches:
                    watch.cancel()
                # gRPC took its socket away when draining began; what is there now is another's.
                event(logging.INFO, "stopped")

    def stop(self) -> None:
        """Begin to drain; safe to call twice."""
        self._stop.set()

    async def _start_engine(self) -> None:
        checkpoint, engine = await asyncio.to_thread(self._load)
        for message in checkpoint.messages:
            event(logging.WARNING, message)
        self._engine = engine
        await engine.start()
        self.service.ready(engine, checkpoint)
        admission = self.service.admission
        self.metrics.watch(lambda: admission.running, lambda: admission.waiting, engine.running)
        self.metrics.watch_work(engine.work)
        info = engine.info
        event(
            logging.INFO, "model loaded", model=checkpoint.name, engine=info.engine,
            device=info.device, dtype=info.dtype, context_tokens=info.context_tokens,
        )  # fmt: skip

    async def _until_stopped_or_dead(self) -> None:
        """Return on a signal. Raises CaretError when the engine has died: it cannot be mended."""
        assert self._engine is not None
        while not self._stop.is_set():
            if not await self._engine.alive():
                # Said before the drain, which clients take for the end and ask the log for why.
                event(logging.ERROR, "the engine process died")
                raise CaretError("the engine process died; start `caret serve` again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _ENGINE_POLL_S)

    async def _drain(self, server: grpc.aio.Server) -> None:
        """Let admitted requests finish, then end what is left: a watcher of health never ends.

        Under load there are calls that gRPC has read and not yet handed over. It would cancel those, so
        they are refused first, with a status that says what to do.
        """
        self.service.end()
        if self.service.admission.busy:
            await asyncio.sleep(_REFUSING_S)
        stopping = asyncio.create_task(server.stop(self._config.server.drain_seconds))
        while self.service.admission.busy and not stopping.done():
            await asyncio.sleep(_DRAIN_POLL_S)
        await server.stop(_LAST_WORDS_S)
        await stopping

    async def _until_stopped(
        self, work: Coroutine[Any, Any, None], on_abandoned: Callable[[], None]
    ) -> None:
        """Await ``work``; when a signal comes first, say so."""
        task = asyncio.create_task(work)
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not task.done():
            event(logging.INFO, "stopped while loading")
            on_abandoned()
        await task

    def _bind(self, interceptors: Sequence[grpc.aio.ServerInterceptor]) -> grpc.aio.Server:
        address, config = self.address, self._config.server
        limit = config.max_message_bytes
        refuse_exposed(address, config)
        tls = None if address.path else server_credentials(config)
        has_certificates = tls is not None and bool(config.tls_client_ca)
        callers = Callers(config, self.metrics, certificates=has_certificates)
        server = grpc.aio.server(
            interceptors=[*interceptors, callers, Readable(self.metrics)],
            options=[
                ("grpc.max_receive_message_length", limit),
                ("grpc.max_send_message_length", limit),
                ("grpc.so_reuseport", 0),  # a second server on the port is an error
                ("grpc.http2.min_recv_ping_interval_without_data_ms", PINGED_MS),
                *(() if address.path else _KEEPALIVE),
            ],
        )
        rpc.add_CompletionServiceServicer_to_server(self.service, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (SERVICE_NAME, "grpc.health.v1.Health", reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        if address.path:
            _refuse_live_socket(Path(address.path))
        before = os.umask(0o177)  # the socket is never open to others, not even for a moment
        try:
            if tls is None:
                port = server.add_insecure_port(address.target)
            else:
                port = server.add_secure_port(address.target, tls)
        except RuntimeError:
            raise UsageError(
                f"{address} cannot be listened on: in use, or not permitted; choose another --listen"
            ) from None
        finally:
            os.umask(before)
        if not address.path:
            self.address = Address(host=address.host, port=port)
        return server

    def _serve_metrics(self) -> Callable[[], None]:
        text = self._config.server.metrics
        return self.metrics.serve(parse_address(text)) if text else lambda: None

    async def _say(self, status: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> None:
        for name in ("", SERVICE_NAME):
            await self._health.set(name, status)

    async def _watch_idle(self, activity: Activity, seconds: float) -> None:
        await activity.wait_idle(seconds)
        event(logging.INFO, "idle", seconds=seconds)
        self._stop.set()

    async def _watch_parent(self, parent: int) -> None:
        while os.getppid() == parent:
            await asyncio.sleep(_PARENT_POLL_S)
        event(logging.INFO, "parent is gone")
        if self._engine is None or not self._stop.is_set():
            self._stop.set()


@contextlib.contextmanager
def _signals(stop: asyncio.Event):
    """Set ``stop`` on the first SIGTERM or SIGINT; the second ends the process at once."""
    loop = asyncio.get_running_loop()

    def handle() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _refuse_live_socket(path: Path) -> None:
    """Remove a socket that nobody answers on; refuse one that is alive, or is no socket.

    gRPC itself unlinks whatever socket stands at the path, a living server's too.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise UsageError(f"the folder of the socket does not exist: {path.parent}") from None
        return
    if not stat.S_ISSOCK(mode):
        raise UsageError(f"{path} exists and is no socket; choose another --listen")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
        except OSError as error:  # another user's, or of another kind: not ours to remove
            raise UsageError(
                f"{path} cannot be taken over ({error.strerror}); choose another --listen"
            ) from None
    raise UsageError(f"unix:{path} is in use by a running server; choose another --listen")
