"""Changes of a workspace and their states, by the real service with little room."""

import pytest

from completion.engine.fake import FakeEngine, fake_checkpoint
from completion.errors import CaretError
from completion.server.workspaces import Workspaces
from completion.wire import completion_pb2 as pb
from eval.workspace.stream import Stream

ONE = "1" * 32


def put(number: int, size: int) -> pb.WorkspaceChange:
    return pb.WorkspaceChange(workspace_id=ONE, path=f"{number}.py", text=b"x" * size)


@pytest.fixture
async def stream():
    engine = FakeEngine()
    await engine.start()
    found = Stream(Workspaces(engine, fake_checkpoint().encoder).sync)
    yield found
    await found.close()


async def test_each_change_has_its_state_where_others_lose_their_room(stream):
    """The last one costs several of those before it theirs, of each of which the server tells."""
    await stream.send(put(number, 20_000) for number in range(40))
    states = await stream.send([put(number, 100_000) for number in range(40, 46)])
    assert [state.acked_version for state in states] == list(range(41, 47))
    (last,) = await stream.send([pb.WorkspaceChange(workspace_id=ONE)])
    assert last.acked_version == 47
    assert last.files < 40  # six are new, and each took the place of five


async def test_a_refused_change_is_an_error_that_says_why(stream):
    with pytest.raises(Exception, match="path must be the file's"):
        await stream.send([pb.WorkspaceChange(workspace_id=ONE, text=b"x")])
    with pytest.raises(CaretError, match="ended the stream"):
        await stream.send([put(1, 10)])
