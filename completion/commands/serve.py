"""``caret serve``: host a model behind gRPC until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from completion.commands.flags import add_model_flags, configured, overlay
from completion.config import Config
from completion.wire.address import Address

HELP = "host a model behind gRPC"

_SWITCH_S = 5e-4
"""How long a thread in the background, such as one that takes in a workspace, may keep the interpreter
while an answer waits."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add_model_flags(parser)
    parser.add_argument(
        "--listen", metavar="HOST:PORT|unix:PATH",
        help="loopback or a socket; where other machines can connect: with TLS and tokens",
    )  # fmt: skip
    parser.add_argument("--tls-cert", metavar="F", help="certificate chain, PEM")
    parser.add_argument("--tls-key", metavar="F", help="its private key, PEM")
    parser.add_argument(
        "--tls-client-ca", metavar="F", help="authorities of clients' certificates: mutual TLS"
    )
    parser.add_argument(
        "--token-file", metavar="F", help="who may ask: a line `name token` or `token` each"
    )
    parser.add_argument(
        "--insecure", action="store_const", const=True,
        help="listen where other machines can connect even without TLS or without tokens",
    )  # fmt: skip
    parser.add_argument("--metrics", metavar="HOST:PORT", help="Prometheus metrics, on loopback")
    parser.add_argument("--max-running", metavar="N", help="requests in the engine at once")
    parser.add_argument("--max-queued", metavar="N", help="requests waiting beyond those")
    parser.add_argument("--max-message-bytes", metavar="N", help="largest request")
    parser.add_argument("--drain-seconds", metavar="S", help="grace of running requests at the end")
    parser.add_argument("--log-level", help="debug, info, warning or error")
    parser.add_argument(
        "--exit-with-parent", nargs="?", type=int, const=os.getppid(), metavar="PID",
        help="end when the starting process does, or is PID no more",
    )  # fmt: skip
    parser.add_argument(
        "--exit-when-idle", type=_seconds, metavar="SECONDS",
        help="end when no client has been connected for so long",
    )  # fmt: skip
    # A descriptor of the lock that the starting process holds: closed once this one listens.
    parser.add_argument("--start-lock", type=int, metavar="FD", help=argparse.SUPPRESS)
    testing = parser.add_argument_group("for tests of clients")
    testing.add_argument(
        "--engine", choices=("vllm", "fake"), default="vllm", help="fake: no model"
    )
    testing.add_argument("--fake-delay-ms", type=float, default=0.0, help="of each fake token")


def run(args: argparse.Namespace) -> int:
    """Serve; returns when drained."""
    if args.start_lock is not None:
        os.set_inheritable(args.start_lock, False)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it would log is raised as well
    config = configured(args)
    given = {
        name: getattr(args, name)
        for name in ("listen", "tls_cert", "tls_key", "tls_client_ca", "token_file", "insecure",
                     "metrics", "max_running", "max_queued", "max_message_bytes", "drain_seconds",
                     "log_level")
    }  # fmt: skip
    config = replace(config, server=overlay(config.server, given))
    sys.setswitchinterval(_SWITCH_S)
    asyncio.run(_serve(config, args))
    sys.stderr.flush()
    if "vllm" in sys.modules:
        os._exit(0)  # everything is closed; taking a million objects apart would take seconds
    return 0


async def _serve(config: Config, args: argparse.Namespace) -> None:
    from completion.server import logs
    from completion.server.app import Loaded, Server

    logs.configure(config.server.log_level)
    asyncio.get_running_loop().set_exception_handler(logs.unhandled)

    def load() -> Loaded:
        if args.engine == "fake":
            from completion.engine.fake import FakeEngine, fake_checkpoint

            return fake_checkpoint(), FakeEngine(delay_ms=args.fake_delay_ms)
        from completion.engine import preload
        from completion.engine.environment import prepare
        from completion.engine.vllm import VllmEngine

        prepare(config.model)  # vLLM is imported in a second process while this one reads on
        from completion.engine.checkpoint import load_checkpoint

        try:
            checkpoint = load_checkpoint(config.model.path)
        except BaseException:
            preload.abandon()
            raise
        return checkpoint, VllmEngine(checkpoint, config.model)

    server = Server(config, load)

    def on_ready() -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"ready: caret complete --server {server.address} FILE:LINE:COL\n")

    def on_listening() -> None:
        if args.start_lock is not None:
            os.close(args.start_lock)

    await server.run(
        exit_with_parent=args.exit_with_parent, exit_when_idle_s=args.exit_when_idle,
        on_listening=on_listening, on_ready=on_ready,
        on_abandoned=lambda: _end_at_once(server.address),
    )  # fmt: skip


def _end_at_once(address: Address) -> NoReturn:
    """End this process and all that it started: vLLM's start cannot be interrupted."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.kill()
    if address.path:
        Path(address.path).unlink(missing_ok=True)
    sys.stderr.flush()
    os._exit(0)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value
