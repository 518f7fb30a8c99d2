"""Byte-level decoding on the real engine, against the law that ``NextBytes`` answers."""

import random

import pytest
import torch

from completion.config import ModelConfig
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.healing.arms import ARMS
from completion.healing.byte_decoding import ByteModel, Care, byte_greedy
from completion.healing.healer import Healer
from completion.healing.law import END
from completion.healing.search import Effort
from completion.healing.sorted_vocabulary import SortedVocabulary
from completion.prompt.views import DocumentView

pytestmark = pytest.mark.engine

NUMERICS = 1e-4
"""Of a probability: a row is not quite the same in another batch."""
MEASURED = Effort(tolerance=1e-4, budget=64)
"""As ``NextBytes`` but for how far it goes, for time's sake."""


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


@pytest.fixture(scope="module")
def vocabulary(checkpoint):
    return SortedVocabulary(checkpoint.vocabulary.token_bytes)


@pytest.fixture(scope="module")
async def engine(checkpoint):
    engine = VllmEngine(checkpoint, ModelConfig(dtype="float32"))
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture(scope="module")
def healer(checkpoint, engine):
    return Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)


def _places(checkpoint, healer, count):
    """Prompts, what is covered behind them, and how the file goes on, at random places."""
    source = (checkpoint.path.parents[1] / "server" / "service.py").read_bytes()
    builder, rng = checkpoint.prompt_builder(layout="spm"), random.Random(3)
    for _ in range(count):
        at = rng.randrange(400, len(source) - 400)
        prefix = source[at - 400 : at]
        typed = healer.typed(prefix, ARMS["exact_spm"])
        document = DocumentView(
            prefix=prefix[: len(prefix) - len(typed)], suffix=source[at + 60 : at + 300]
        )
        yield builder.build(document, max_tokens=96).token_ids, typed, source[at : at + 60]


def _distance(ours, theirs):
    return 0.5 * float((ours.exp() - theirs.exp()).abs().sum())


async def test_byte_for_byte_it_is_the_law_of_next_bytes(checkpoint, engine, vocabulary, healer):
    """Carried on over the text of a file, and found anew behind each of its beginnings."""
    care = Care(tolerance=1e-4, settled=-1.0, longest=1000, budget=64, surprise=1.0)
    worst = 0.0
    for prompt, typed, goes_on in _places(checkpoint, healer, 6):
        model = ByteModel.behind(engine, vocabulary, prompt, care)
        for byte in typed:
            model.push(byte)
        rows, text = healer.behind(prompt), typed
        for byte in goes_on[:8]:
            ours = await model.next_bytes()
            law = await healer.law(rows, text, MEASURED, following=True)
            allowed = model.omitted + law.omitted(following=True) + NUMERICS
            distance = _distance(ours, law.next_bytes())
            assert distance <= allowed
            worst = max(worst, distance)
            model.push(byte)
            text += bytes([byte])
    print(f"worst total variation: {worst:.1e}")
    assert worst < 0.02


async def test_with_a_trunk_it_stays_near_that_law_and_says_what_it_gave_up(
    checkpoint, engine, vocabulary, healer
):
    """As it decodes: ways that are light are not looked at, and the trunk moves."""
    far, moved = [], 0
    for prompt, typed, goes_on in _places(checkpoint, healer, 6):
        model = ByteModel.behind(engine, vocabulary, prompt)
        for byte in typed:
            model.push(byte)
        rows, text = healer.behind(prompt), typed
        for at, byte in enumerate(goes_on[:12]):
            ours = await model.next_bytes()
            if at % 4 == 3:
                law = await healer.law(rows, text, MEASURED, following=True)
                far.append(_distance(ours, law.next_bytes()) - law.omitted(following=True))
            model.push(byte)
            text += bytes([byte])
        moved += len(model.trunk)
        assert 0 <= model.given_up < 1
    assert moved > 6
    print(f"total variation beyond the bound: mean {sum(far) / len(far):.1e}, worst {max(far):.1e}")
    assert sum(far) / len(far) < 0.01


async def test_the_likeliest_bytes_are_those_of_the_law(checkpoint, engine, vocabulary, healer):
    for prompt, typed, _ in _places(checkpoint, healer, 4):
        model = ByteModel.behind(engine, vocabulary, prompt)
        for byte in typed:
            model.push(byte)
        decoded = await byte_greedy([model], limit=8)
        rows, text = healer.behind(prompt), typed
        for byte in decoded.text:
            law = await healer.law(rows, text, MEASURED, following=True)
            assert int(torch.argmax(law.next_bytes())) == byte
            text += bytes([byte])
        if decoded.ended == "end":
            law = await healer.law(rows, text, MEASURED, following=True)
            assert int(torch.argmax(law.next_bytes())) == END
