"""A folder's copy at the server, made at once and waited for: as the language server would have it.

For commands and for the harness. The same files by the same rules, in the same order.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio

from completion.config import Config
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as pb_grpc
from lsp.context.ignore import Rules
from lsp.context.reading import Refused
from lsp.workspace import choice, sources
from lsp.workspace.folder import ID_BYTES

FITTED_S = 60.0
"""How long the server may take to weigh the workspace against its model; then it is used as it is."""
_ASK_AGAIN_S = 0.1
_NO_WORKSPACES = (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.FAILED_PRECONDITION)


@asynccontextmanager
async def synced(
    stub: pb_grpc.CompletionServiceAsyncStub,
    root: Path,
    config: Config,
    *,
    near: str = "",
    say: Callable[[str], None] = lambda stage: None,
) -> AsyncGenerator[str, None]:
    """Give the server the files of ``root``, and let it forget them at the end.

    Yields the workspace's id; nothing where the server keeps no workspaces, or the settings send
    none. ``near``: the folder, relative to ``root``, whose files come first where not all are sent.

    Raises:
        Unreachable: the folder cannot be read.
    """
    settings = config.workspace_model
    if not (settings.enabled and config.context.enabled and settings.max_bytes):
        yield ""
        return
    rules = Rules.of(root, config.context)
    limit = min(sources.LARGEST, config.context.max_file_bytes)
    chosen = await asyncio.to_thread(
        choice.choose, rules, near=[near], limit=limit, max_bytes=settings.max_bytes
    )
    identity = secrets.token_hex(ID_BYTES)
    sent = 0
    is_kept = asyncio.Event()

    async def changes() -> AsyncIterator[pb.WorkspaceChange]:
        nonlocal sent
        yield pb.WorkspaceChange(workspace_id=identity)
        await is_kept.wait()
        for version, path in enumerate(chosen.files if chosen is not None else (), 1):
            text = await asyncio.to_thread(_text, rules, path, limit)
            if text:
                sent += 1
                yield pb.WorkspaceChange(
                    workspace_id=identity, path=path, text=text, version=version
                )

    say("sending the workspace")
    try:
        async for _ in stub.SyncWorkspace(changes()):
            is_kept.set()
    except grpc.aio.AioRpcError as error:
        # What is written to a stream that the server has ended at once hides why it did.
        hidden = error.code() is grpc.StatusCode.INTERNAL and not is_kept.is_set()
        if error.code() not in _NO_WORKSPACES and not hidden:
            raise
        yield ""
        return
    try:
        if sent:
            say(f"weighing {sent} files against the model")
            await _until_fitted(stub, identity)
        yield identity
    finally:
        farewell = pb.WorkspaceChange(workspace_id=identity, close=True)
        async for _ in stub.SyncWorkspace(_one(farewell)):
            pass


async def _until_fitted(stub: pb_grpc.CompletionServiceAsyncStub, identity: str) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + FITTED_S
    while loop.time() < end:
        async for state in stub.SyncWorkspace(_one(pb.WorkspaceChange(workspace_id=identity))):
            if state.fitted:
                return
        await asyncio.sleep(_ASK_AGAIN_S)


def _one(change: pb.WorkspaceChange) -> Iterator[pb.WorkspaceChange]:
    return iter([change])


def _text(rules: Rules, path: str, limit: int) -> bytes:
    """Return a file's text as it may be sent; nothing where it may not, or is not there any more."""
    try:
        return sources.of_file(rules, path, limit)[0]
    except (Refused, OSError, ValueError, sources.Changing):
        return b""
