"""What holding a workspace costs: indexing it, its memory, and an edit in a long file, part by part."""

from __future__ import annotations

import random
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from completion.engine.base import Engine
from completion.prompt.encoder import TextEncoder
from completion.server.synced_file import FileEncoder, SyncedFile
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.workspace.store import Store
from eval.bench.latency import Row
from eval.metrics.latency import percentile
from eval.workspace.keeper import Keeper

LINES = 5000
"""Of the file that is edited, as the bar is stated."""
EDIT_MS = 2.0
INDEX_S = 10.0
"""A bar: for a million tokens."""
MEMORY_MB = 16.0
"""A bar: for a million tokens, in millions of bytes."""
_MILLION = 1e6


@dataclass(frozen=True, kw_only=True)
class Texts:
    """A workspace that is measured with."""

    files: Mapping[str, bytes]
    tokens: Sequence[np.ndarray]
    """Of each file, int32."""

    @classmethod
    def of(cls, files: Mapping[str, bytes], encoder: TextEncoder, most: int) -> Texts:
        """Take files until there are ``most`` tokens."""
        encode = FileEncoder(encoder).encode
        kept: dict[str, bytes] = {}
        tokens: list[np.ndarray] = []
        for path, text in files.items():
            if sum(map(len, tokens)) >= most:
                break
            kept[path] = text
            tokens.append(encode(text))
        return cls(files=kept, tokens=tokens)

    @property
    def count(self) -> int:
        """Tokens of all files."""
        return sum(map(len, self.tokens))


def in_core(texts: Texts, vocabulary: int) -> list[Row]:
    """Return what the store alone takes for a million tokens: seconds of one core, and memory.

    All files are put, then indexed at once.
    """
    store = Store(vocabulary, most_tokens=4 * texts.count, most_file_tokens=4 * texts.count)
    begun = time.process_time()
    for path, ids in zip(texts.files, texts.tokens, strict=True):
        store.put(path, ids)
    store.merge()
    took = time.process_time() - begun
    scale = _MILLION / texts.count
    return [
        Row("index, the store alone, s of one core a million tokens", took * scale, INDEX_S, 1),
        Row("memory of the store, MB a million tokens", store.nbytes * scale / 1e6, MEMORY_MB, 1),
    ]


async def through_service(
    stub: rpc.CompletionServiceAsyncStub, texts: Texts, say: Callable[[str], None]
) -> list[Row]:
    """Send the workspace with ``SyncWorkspace``; return times and memory for a million tokens."""
    scale = _MILLION / texts.count
    identity = secrets.token_hex(16)
    begun = time.perf_counter()
    async for _ in stub.SyncWorkspace(_whole(identity, texts.files)):
        pass
    sent = time.perf_counter() - begun
    await _closed(stub, identity)
    begun = time.perf_counter()
    keeper = Keeper(stub.SyncWorkspace)
    try:
        async with keeper.holding(0, texts.files) as held:
            fitted = time.perf_counter() - begun - sent
            # What is indexed in the background is counted with the next change.
            state = await _changed(stub, held.id)
    finally:
        await keeper.close()
    say(
        f"{state.files:,} files, {state.tokens:,} tokens, {state.memory_bytes:,} bytes: sent in "
        f"{sent:.1f} s, fitted {fitted:.1f} s later"
    )
    memory = state.memory_bytes * _MILLION / max(1, state.tokens) / 1e6
    return [
        Row("index, SyncWorkspace, s a million tokens", sent * scale, INDEX_S, 1),
        Row("memory, the server's own report, MB a million tokens", memory, MEMORY_MB, 1),
    ]


async def edits(
    engine: Engine,
    stub: rpc.CompletionServiceAsyncStub,
    encoder: TextEncoder,
    texts: Texts,
    rounds: int,
    say: Callable[[str], None],
) -> list[Row]:
    """Return what one edit in a file of :data:`LINES` lines costs, beside the whole workspace.

    Encoding between two sure cuts; the splice in the store; the engine core's call, which has that
    splice in it; and from sending the change to its acknowledgement, as a client waits for it.
    """
    text = _long(texts.files)
    rng = random.Random(0)
    encode = FileEncoder(encoder)
    vocabulary = len(encoder.vocabulary.token_bytes)
    store = Store(vocabulary, most_tokens=4 * texts.count, most_file_tokens=4 * texts.count)
    for path, ids in zip(texts.files, texts.tokens, strict=True):
        store.put(path, ids)
    store.merge()
    file = SyncedFile(encode, text, 1)
    name, identity = "edited.py", secrets.token_hex(16)
    store.put(name, file.ids)
    whole = [["put", p, i.tobytes()] for p, i in zip(texts.files, texts.tokens, strict=True)]
    await engine.workspaces("change", identity, [], [*whole, ["put", name, file.ids.tobytes()]])
    taken: dict[str, list[float]] = {}

    def took(what: str, begun: float) -> None:
        taken.setdefault(what, []).append((time.perf_counter() - begun) * 1e3)

    for number in range(rounds):
        edit = _edit(file.text, rng)
        begun = time.perf_counter()
        (splice,) = file.edit([edit], number + 2)
        took("encoding", begun)
        start, gone, ids = splice
        begun = time.perf_counter()
        store.splice(name, start, gone, ids)
        took("splice", begun)
        if store.merge_due:
            store.merge()
        begun = time.perf_counter()
        change = ["splice", name, start, gone, ids.tobytes()]
        await engine.workspaces("change", identity, [], [change])
        took("the engine core's call", begun)
    await engine.workspaces("close", identity)
    work = [a + b for a, b in zip(taken["encoding"], taken["the engine core's call"], strict=True)]
    taken["encoding and call"] = work
    taken["change to acknowledged"] = await _acknowledged(stub, texts, text, rounds)
    say(f"the file has {len(text):,} bytes, {len(file.ids):,} tokens")
    title = f"an edit in {LINES:,} lines"
    found: list[Row] = []
    for what, times in taken.items():
        found += [
            Row(f"{title}, {what}, p50, ms", statistics.median(times), EDIT_MS, len(times)),
        ]
    found.append(Row(f"{title}, encoding and call, p95, ms", percentile(work, 95), EDIT_MS, rounds))
    return found


async def _acknowledged(
    stub: rpc.CompletionServiceAsyncStub, texts: Texts, text: bytes, rounds: int
) -> list[float]:
    """Return the milliseconds from each change of a client to its acknowledgement."""
    identity, rng = secrets.token_hex(16), random.Random(1)
    call = stub.SyncWorkspace()
    taken: list[float] = []
    for path, one in {**texts.files, "edited.py": text}.items():
        await call.write(pb.WorkspaceChange(workspace_id=identity, path=path, text=one, version=1))
        await call.read()
    for number in range(rounds):
        edit = _edit(text, rng)
        begun = time.perf_counter()
        await call.write(
            pb.WorkspaceChange(
                workspace_id=identity, path="edited.py", edits=[edit],
                version=number + 2, base_version=number + 1,
            )
        )  # fmt: skip
        await call.read()
        taken.append((time.perf_counter() - begun) * 1e3)
        text = text[: edit.start] + edit.text + text[edit.end :]
    await call.write(pb.WorkspaceChange(workspace_id=identity, close=True))
    await call.read()
    await call.done_writing()
    return taken


def _edit(text: bytes, rng: random.Random) -> pb.Edit:
    """Return a key that is pressed at some place of the file."""
    at = rng.randrange(len(text))
    while text[at] & 0xC0 == 0x80:  # not inside a character
        at -= 1
    return pb.Edit(start=at, end=at, text=rng.choice((b"x", b" ", b"(", b"\n    ")))


def _long(files: Mapping[str, bytes]) -> bytes:
    """Return the files' lines up to :data:`LINES`, from the beginning again where they end."""
    lines = [line for text in files.values() for line in text.splitlines(keepends=True)]
    return b"".join((lines * (1 + LINES // max(1, len(lines))))[:LINES])


async def _whole(identity: str, files: Mapping[str, bytes]) -> AsyncIterator[pb.WorkspaceChange]:
    for path, text in files.items():
        yield pb.WorkspaceChange(workspace_id=identity, path=path, text=text, version=1)


async def _closed(stub: rpc.CompletionServiceAsyncStub, identity: str) -> None:
    async def close() -> AsyncIterator[pb.WorkspaceChange]:
        yield pb.WorkspaceChange(workspace_id=identity, close=True)

    async for _ in stub.SyncWorkspace(close()):
        pass


async def _changed(stub: rpc.CompletionServiceAsyncStub, identity: str) -> pb.WorkspaceState:
    """Add a small file; return the state behind it."""
    added = _whole(identity, {"added.py": b"pass\n"})
    return [state async for state in stub.SyncWorkspace(added)][-1]
