"""Bits per byte against a direct computation, on a tiny model with random weights."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import AutoModelForCausalLM

from completion.engine.checkpoint import load_checkpoint
from completion.errors import CaretError, UsageError
from eval.engines.base import Engine, Identity
from eval.engines.dummies import Oracle, Silent
from eval.item import Answer, Ask, Item
from eval.suites import suite_named
from eval.suites.base import Draw
from eval.suites.bits import MOST_BYTES, Bits, start_token, windows
from tests.completion.families import make_checkpoint

TEXT = "def parse(self, text):\n    return self.items[0]  # naïve café 世界\n" * 30


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return load_checkpoint(str(make_checkpoint("caret", tmp_path_factory.mktemp("tiny"))))


class Here(Engine):
    """Knows its checkpoint; is never asked."""

    name = "in-process"

    def __init__(self, checkpoint) -> None:
        self.checkpoint = checkpoint

    async def start(self) -> Identity:
        return Identity(name="here")

    async def answer(self, item: Item, ask: Ask) -> Answer:
        raise AssertionError("the weights are to be read, not the engine asked")


async def bits(checkpoint, text: str):
    suite = Bits()
    item = Item(id="x", prefix=text.encode(), suffix=b"", reference=b"")
    answers = await suite.answers(item, Here(checkpoint), Draw())
    return suite.judge(item, answers, {})["bits_per_byte"]


def direct(checkpoint, text: str, context: int) -> float:
    """Each token on its own, from as much as a window of its place has before it."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32)
    end = checkpoint.vocabulary.special["<|endoftext|>"]
    ids = [end, *checkpoint.encoder.encode(text.encode())]
    total = 0.0
    for at in range(1, len(ids)):
        # The first window that reaches this token begins at a multiple of half a context.
        window = max(0, math.ceil((at - context) / (context // 2)))
        begin = window * (context // 2)
        with torch.no_grad():
            logits = model(torch.tensor([ids[begin:at]])).logits[0, -1].double()
        total -= float(torch.log_softmax(logits, -1)[ids[at]])
    return total / math.log(2)


async def test_a_short_text_is_read_in_one_window(checkpoint):
    text = TEXT[:120]
    found, size = await bits(checkpoint, text)
    assert size == len(text.encode())
    assert found == pytest.approx(direct(checkpoint, text, checkpoint.context_tokens), rel=1e-4)


async def test_a_long_text_is_read_in_windows_that_overlap_by_half(checkpoint):
    tokens = len(checkpoint.encoder.encode(TEXT.encode()))
    assert tokens > 1.5 * checkpoint.context_tokens
    found, size = await bits(checkpoint, TEXT)
    assert size == len(TEXT.encode())
    assert found == pytest.approx(direct(checkpoint, TEXT, checkpoint.context_tokens), rel=1e-4)


@pytest.mark.parametrize("context", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100])
def test_every_token_is_predicted_once_and_from_half_a_context_at_least(count, context):
    predicted = []
    for begin, end, first in windows(count, context):
        assert 0 <= begin <= first < end <= count
        assert end - begin <= context
        assert begin == 0 or first - begin >= context // 2
        predicted += range(first, end)
    assert predicted == list(range(count))


def test_a_document_stands_behind_the_models_own_first_token(tmp_path):
    qwen = load_checkpoint(str(make_checkpoint("qwen", tmp_path / "qwen")))
    assert start_token(qwen) == qwen.vocabulary.special["<|endoftext|>"]
    llama = load_checkpoint(str(make_checkpoint("codellama", tmp_path / "llama")))
    assert start_token(llama) == llama.vocabulary.special["<s>"]


@pytest.mark.parametrize("engine", [Oracle(), Silent()])
async def test_an_engine_without_weights_is_refused(engine):
    item = Item(id="x", prefix=b"x", suffix=b"", reference=b"")
    with pytest.raises(UsageError, match=f"--engine {engine.name}.*in-process"):
        await Bits().answers(item, engine, Draw())


async def test_weights_that_cannot_be_loaded_are_said_in_one_line(tmp_path):
    folder = make_checkpoint("caret", tmp_path / "broken")
    checkpoint = load_checkpoint(str(folder))
    (folder / "config.json").write_text('{"model_type": "nothing_known", "eos_token_id": 0}')
    with pytest.raises(CaretError) as caught:
        await bits(checkpoint, "x = 1\n")
    assert "transformers" in caught.value.message and "\n" not in caught.value.message


def test_items_are_the_beginnings_of_python_files(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "long.py").write_text("value = 12345\n" * 10_000)
    (tmp_path / "b.js").write_text("let x = 1\n")
    items = suite_named("bits").load(tmp_path).items
    assert [item.id for item in items] == ["a.py", "long.py"]
    assert items[0].prefix == b"x = 1\n"
    assert MOST_BYTES - 14 <= len(items[1].prefix) <= MOST_BYTES
    assert items[1].prefix.endswith(b"\n")


def test_a_tree_without_python_is_refused(tmp_path):
    (tmp_path / "b.js").write_text("let x = 1\n")
    with pytest.raises(UsageError, match="no Python"):
        Bits().load(tmp_path)
