"""``caret lsp``: the language server on standard input and output."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from typing import Any

HELP = "the language server, on standard input and output"

SWITCH_S = 5e-4
"""How long a thread in the background may keep the interpreter while an editor's message waits;
Python's own 5 ms would come before each of the few waits that a keystroke has."""

_LEVELS = ("debug", "info", "warning", "error")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``caret lsp``."""
    parser.add_argument(
        "--server", default="", metavar="ADDR",
        help="a running `caret serve` (HOST:PORT or unix:PATH), or several that serve the same, with "
        "commas between; without it one is started or, where another editor has started it, found",
    )  # fmt: skip
    parser.add_argument(
        "--own-server", action="store_true",
        help="start a server that is not shared with other editors and ends with this one",
    )  # fmt: skip
    parser.add_argument(
        "--serve-arg", action="append", default=[], metavar="WORD",
        help="a further word for the `caret serve` that is started; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--log-level", choices=_LEVELS, default="warning",
        help="least severe line on standard error (default: warning); never holds source text",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Serve one editor; return 0 after shutdown and exit, 1 when it went without."""
    from completion.wire.address import parse_address

    for address in filter(None, args.server.split(",")):
        parse_address(address.strip())  # a wrong flag is said before an editor waits for anything
    _log_to_stderr(args.log_level)
    return asyncio.run(_serve(args))


async def _serve(args: argparse.Namespace) -> int:
    from lsp import stdio
    from lsp.server import Server

    sys.setswitchinterval(SWITCH_S)
    asyncio.get_running_loop().set_exception_handler(_log_unhandled)
    server = Server(address=args.server, serve_args=args.serve_arg, own_server=args.own_server)
    return await stdio.serve(server.protocol, server.close)


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("caret").setLevel(level.upper())
    # These write whole messages, reprs of arguments and tracebacks.
    for name in ("asyncio", "pygls", "grpc"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _log_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    from lsp.protocol import describe

    error = context.get("exception")
    reason = describe(error) if isinstance(error, BaseException) else context.get("message", "")
    logging.getLogger("caret.lsp").error("unhandled: %s", reason)
