"""What goes along of other files with a request from the command line: as the language server has it.

The workspace is the folder that ``--root`` names, or the one that the files above the document
tell of; without one, or with ``--no-context``, only the document itself is sent.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from completion.commands.place import Place
from completion.config import Config
from completion.config_sources import load
from completion.errors import UsageError
from completion.shown import one_line
from completion.wire import completion_pb2 as pb
from completion.wire.address import parse_address
from completion.wire.names import as_utf8

if TYPE_CHECKING:
    from grpc.aio import Channel

    from lsp.context.collect import Gathered


@dataclass(frozen=True, kw_only=True)
class Context:
    """The workspace of a request, and what was gathered in it."""

    root: Path | None = None
    gathered: Gathered | None = None
    off: str = ""
    """Why nothing was gathered, if nothing was."""
    config: Config = field(default_factory=Config)
    """As the workspace's file and the user's own have it."""
    masked: int = field(default=0)
    """Bytes of the document that are a secret and were sent as filler."""


def add_context_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--root`` and ``--no-context``."""
    parser.add_argument(
        "--root", metavar="DIR",
        help="the workspace folder; without it the nearest one above the file that is a "
        "repository, has a .caret.toml, or is a project",
    )  # fmt: skip
    parser.add_argument(
        "--no-context", action="store_true", help="send nothing of other files of the workspace"
    )
    parser.add_argument(
        "--no-workspace", action="store_true",
        help="mix nothing of the workspace into the model's law",
    )  # fmt: skip


def with_context(
    args: argparse.Namespace, place: Place, request: pb.CompleteRequest
) -> tuple[pb.CompleteRequest, Context]:
    """Return ``request`` with its place in the workspace and what goes along, and how it came about.

    Raises:
        UsageError: ``--root`` is no folder, or the file is not inside of it.
    """
    # Here and not above: nobody who asks for help need wait for it.
    from lsp.context import secrets
    from lsp.context.gather_now import gather_now, workspace_of

    path = Path(os.path.normpath(place.path.absolute()))
    root = _root(args.root) if args.root else workspace_of(path)
    out = pb.CompleteRequest()
    out.CopyFrom(request)
    whole = request.document.prefix + request.document.suffix
    masked = secrets.masked(whole, str(path))
    cut = len(request.document.prefix)
    out.document.prefix, out.document.suffix = masked[:cut], masked[cut:]
    hidden = sum(a != b for a, b in zip(whole, masked, strict=True)) if whole != masked else 0
    if root is None:
        return out, Context(
            off="no workspace folder above the file; --root names one", masked=hidden
        )
    if not path.is_relative_to(root):
        raise UsageError(f"{place.path} is not inside {root}; give a folder above it with --root")
    out.document.path = as_utf8(path.relative_to(root).as_posix())
    out.repo_name = as_utf8(root.name)
    if args.no_context:
        return out, Context(root=root, off="--no-context", masked=hidden)
    loaded = load(root)
    for message in loaded.messages:
        sys.stderr.write(f"caret: {one_line(message)}\n")
    if not loaded.config.context.enabled:
        return out, Context(root=root, off="context.enabled is false", masked=hidden)
    gathered = gather_now(
        root, path, place.prefix + place.suffix, len(place.prefix), loaded.config.context
    )
    out.snippets.extend(gathered.snippets)
    return out, Context(root=root, gathered=gathered, config=loaded.config, masked=hidden)


@asynccontextmanager
async def in_workspace(
    args: argparse.Namespace, context: Context, request: pb.CompleteRequest, channel: Channel
) -> AsyncGenerator[pb.CompleteRequest, None]:
    """Give the server the workspace as the language server would, and say so in the request.

    Not where nothing of other files is sent, nor with ``--no-workspace``, nor to another machine
    unless the user has said so.
    """
    is_allowed = context.config.workspace_model.remote or (
        not args.server or parse_address(args.server).is_local
    )
    if context.root is None or context.gathered is None or args.no_workspace or not is_allowed:
        yield request
        return
    from completion.wire import completion_pb2_grpc as rpc
    from lsp.workspace.sync_now import synced

    stub = rpc.CompletionServiceStub(channel)
    near = request.document.path.rpartition("/")[0]
    say = progress_line()
    async with synced(stub, context.root, context.config, near=near, say=say) as identity:
        say("")
        request.workspace_id = identity
        yield request


def progress_line() -> Callable[[str], None]:
    """Return what shows a stage on a terminal's last line; an empty one takes it away."""
    if not sys.stderr.isatty():
        return lambda stage: None

    def say(stage: str) -> None:
        sys.stderr.write(f"\r\x1b[K{one_line(stage) + ' …' if stage else ''}")
        sys.stderr.flush()

    return say


def _root(name: str) -> Path:
    root = Path(os.path.normpath(Path(name).absolute()))
    if not root.is_dir():
        raise UsageError(f"--root {name}: there is no such folder")
    return root
