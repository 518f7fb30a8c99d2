"""Answers of the service with drafts and without: healed cursors, several candidates, a workspace."""

import random
from pathlib import Path

import pytest

import completion.server
from completion.config import ModelConfig
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.wire import completion_pb2 as pb
from eval.workspace.keeper import Keeper

pytestmark = pytest.mark.engine

FOLDER = Path(completion.server.__file__).parent
CUTS = 40


def requests(workspace):
    """Cursors anywhere, most of them inside a token; one candidate or three; a workspace or none."""
    rng = random.Random(3)
    files = [path for path in sorted(FOLDER.glob("*.py")) if path.stat().st_size > 600]
    for number in range(CUTS):
        path = rng.choice(files)
        text = path.read_bytes()
        at = rng.randrange(200, len(text) - 50)
        yield pb.CompleteRequest(
            document=pb.Document(path=path.name, prefix=text[:at], suffix=text[at : at + 400]),
            options=pb.GenerationOptions(
                max_tokens=32, candidates=(1, 3)[number % 2], include_raw=True
            ),
            workspace_id=workspace if number % 3 else "",
        )


async def answers(serving, checkpoint, drafts):
    engine = VllmEngine(checkpoint, ModelConfig(dtype="float32", draft_tokens=drafts))
    files = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.py"))}
    async with serving(engine, arm="exact_spm", checkpoint=checkpoint) as (_, stub):
        keeper = Keeper(stub.SyncWorkspace)
        try:
            async with keeper.holding(0, files) as held:
                found = [await stub.Complete(request) for request in requests(held.id)]
        finally:
            await keeper.close()
        await engine.running()
        return found, engine.work


async def test_answers_are_the_same_with_drafts(serving, checkpoint):
    plain, _ = await answers(serving, checkpoint, 0)
    drafted, work = await answers(serving, checkpoint, 6)
    assert work.accepted > 50
    healed = several = 0
    for one, other in zip(plain, drafted, strict=True):
        assert [c.raw_text for c in one.candidates] == [c.raw_text for c in other.candidates]
        assert [c.text for c in one.candidates] == [c.text for c in other.candidates]
        for a, b in zip(one.candidates, other.candidates, strict=True):
            assert a.log_prob == pytest.approx(b.log_prob, abs=1e-3)
            assert a.stop_reason == b.stop_reason
        healed += one.usage.healed_bytes > 0
        several += len(one.candidates) > 1
    assert healed > CUTS / 3
    assert several > CUTS / 5


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")
