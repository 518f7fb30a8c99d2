"""Two ranks on the CPU, tensor parallel and data parallel: the same completions as one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

import completion
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.own_server import OwnServer

pytestmark = [pytest.mark.engine, pytest.mark.slow]

FILES = ("server/admission.py", "wire/address.py", "server/running.py")
PLACES = 6
"""In each file, at line starts and in the middle of words."""
WORKSPACE = "w" * 64


def requests() -> list[pb.CompleteRequest]:
    found = []
    for name in FILES:
        text = (Path(completion.__file__).parent / name).read_bytes()
        for number in range(1, PLACES + 1):
            at = len(text) * number // (PLACES + 1)
            found.append(
                pb.CompleteRequest(
                    document=pb.Document(path=name, prefix=text[:at], suffix=text[at:]),
                    options=pb.GenerationOptions(lines="LINES_MULTI", include_raw=True),
                    workspace_id=WORKSPACE,
                )
            )
    return found


def as_said(answer: pb.CompleteResponse) -> tuple:
    one = answer.candidates[0] if answer.candidates else pb.Candidate()
    return one.raw_text, one.text, one.stop_reason, one.tokens, answer.declined


async def fitted(stub: rpc.CompletionServiceAsyncStub) -> None:
    """Send a workspace and wait until its law is no more about to change."""
    call = stub.SyncWorkspace()
    for version, name in enumerate(("engine/vllm.py", "wire/channel.py", "config.py"), 1):
        text = (Path(completion.__file__).parent / name).read_bytes()
        change = pb.WorkspaceChange(workspace_id=WORKSPACE, path=name, text=text, version=version)
        await call.write(change)
        await call.read()
    version = 3
    while True:
        version += 1
        await call.write(pb.WorkspaceChange(workspace_id=WORKSPACE, version=version))
        if (await call.read()).fitted:
            break
        await asyncio.sleep(0.2)
    await call.done_writing()


async def answers(words: Sequence[str], *, workspace: bool = False) -> tuple[list[tuple], int]:
    """What a `caret serve` in float32 says, one request at a time; and how many processes it has."""
    async with OwnServer(extra_args=["--dtype", "float32", *words]) as own:
        channel = own.channel()
        stub = rpc.CompletionServiceStub(channel)
        if workspace:
            await fitted(stub)
        found = [as_said(await stub.Complete(request)) for request in requests()]
        # and all at once: each is the same however it was batched
        together = await asyncio.gather(*(stub.Complete(request) for request in requests()))
        count = len(psutil.Process(own.pid).children(recursive=True))
        await channel.close()
        assert [as_said(answer) for answer in together] == found
        return found, count


@pytest.fixture(scope="module")
async def one():
    return await answers([])


@pytest.mark.parametrize("kind", ["tensor", "data"])
async def test_two_ranks_say_what_one_says(one, kind):
    expected, processes = one
    found, more = await answers(["--engine-arg", f"{kind}_parallel_size=2"])
    assert more > processes, "it does have more processes"
    assert found == expected


@pytest.mark.parametrize("kind", ["tensor", "data"])
async def test_with_a_workspace_mixed_in_as_well(one, kind):
    plain, _ = one
    expected, _ = await answers([], workspace=True)
    assert expected != plain, "the workspace does make a difference"
    found, _ = await answers(["--engine-arg", f"{kind}_parallel_size=2"], workspace=True)
    assert found == expected
