"""Changes of workspaces as they come in over the wire: checked, and taken together where many come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from completion.server.job import InvalidField
from completion.wire import completion_pb2 as pb

LEAST_ID_CHARS, MOST_ID_CHARS = 16, 256
MOST_PATH_BYTES = 4096
BATCH_BYTES = 64 << 10
"""Of text, that are encoded and sent to the engine core at once: some milliseconds between steps."""


def check(change: pb.WorkspaceChange) -> None:
    """Check one change.

    Raises:
        InvalidField: with the field and the limit.
    """
    size = len(change.workspace_id)
    if not LEAST_ID_CHARS <= size <= MOST_ID_CHARS:
        raise InvalidField(
            f"workspace_id must have {LEAST_ID_CHARS} to {MOST_ID_CHARS} characters, "
            "128 random bits at least"
        )
    if len(change.path.encode()) > MOST_PATH_BYTES:
        raise InvalidField(f"path must be at most {MOST_PATH_BYTES} bytes")
    if not change.path and (change.text or change.edits or change.removed):
        raise InvalidField("path must be the file's, relative to the workspace root")


async def batches(
    changes: AsyncIterator[pb.WorkspaceChange],
) -> AsyncIterator[list[pb.WorkspaceChange]]:
    """Yield what has come, together, up to :data:`BATCH_BYTES` of text."""
    queue: asyncio.Queue[pb.WorkspaceChange | BaseException | None] = asyncio.Queue(256)

    async def read() -> None:
        try:
            async for change in changes:
                check(change)
                await queue.put(change)
            await queue.put(None)
        except Exception as error:
            await queue.put(error)

    reader = asyncio.create_task(read())
    try:
        batch: list[pb.WorkspaceChange] = []
        size = 0
        while True:
            if batch and (queue.empty() or size > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            one = await queue.get()
            if one is None or isinstance(one, BaseException):
                if batch:
                    yield batch
                if one is not None:
                    raise one
                return
            batch.append(one)
            size += len(one.text) + sum(len(edit.text) for edit in one.edits)
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


def by_workspace(
    batch: Sequence[pb.WorkspaceChange],
) -> Iterator[tuple[str, list[pb.WorkspaceChange]]]:
    """Yield runs of changes of one workspace; one that closes it is a run of its own."""
    run: list[pb.WorkspaceChange] = []
    for change in batch:
        if run and (change.workspace_id != run[0].workspace_id or change.close):
            yield run[0].workspace_id, run
            run = []
        run.append(change)
        if change.close:
            yield change.workspace_id, run
            run = []
    if run:
        yield run[0].workspace_id, run
