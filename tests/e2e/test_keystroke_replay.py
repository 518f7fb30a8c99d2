"""Keystroke replay through a real `caret lsp` and a real service with the bundled model."""

from pathlib import Path

import pytest

import eval.replay.typist as typist
from eval.engines.base import Engine, Identity
from eval.item import Answer, Ask, Item
from eval.suites.base import Draw
from eval.suites.replay import Replay

pytestmark = pytest.mark.e2e

TYPED = 60
BLOCK = 32
"""Tokens of a KV block on the CPU."""


class Reached(Engine):
    """The running service; the language server asks it."""

    name = "server"

    def __init__(self, address: str) -> None:
        self.address = address

    async def start(self) -> Identity:
        return Identity(name="reached")

    async def answer(self, item: Item, ask: Ask) -> Answer:
        raise AssertionError("an editor is to ask, not the harness")


async def test_sixty_characters_typed_into_a_real_file_end_as_that_file(service):
    source = Path(typist.__file__).read_bytes()
    start = source.index(b"    def key(self)")
    end = start + TYPED
    item = Item(
        id="typist.py", prefix=source[:start], reference=source[start:end], suffix=source[end:],
        path="typist.py",
    )  # fmt: skip
    told = []
    suite = Replay(on_key=lambda item, done, whole: told.append((done, whole)))
    answers = await suite.answers(item, Reached(str(service.address)), Draw())
    scores = suite.judge(item, answers, {})

    assert told[-1] == (TYPED, TYPED)
    for answer in answers:  # what was taken, put where the cursor was, is the file again
        document = (source[:start] + item.reference[: answer.data["at"]]).decode()
        if answer.data["verdict"] == "whole":
            document += answer.cut.decode()
            assert source.decode().startswith(document)
    assert scores["model_requests"][1] == len(answers)
    assert scores["shown"][0] > 0
    asked = [answer.timings for answer in answers if answer.data["model"] == "asked"]
    assert asked
    # The answer goes out at the first final line, and the whole of it may come later.
    assert all(0 < t.first_line_ms <= min(t.total_ms, t.round_trip_ms) for t in asked)
    assert sum(t.cached_tokens for t in asked) > 0, "typing is what the prefix cache is for"
    assert scores["recomputed_p50_tokens"] <= BLOCK + 2
    saved, whole = scores["keystrokes_saved"]
    taken = sum(bool(answer.data["brought"]) for answer in answers)
    assert (saved + taken, whole) == scores["chars_saved"]


async def test_a_key_costs_less_than_a_block_of_the_prompt_with_context_too(service):
    root = Path(typist.__file__).parents[1]
    source = (root / "replay" / "measures.py").read_bytes()
    start = source.index(b"    found = [answer.data")
    end = start + TYPED // 2
    item = Item(
        id="measures.py", prefix=source[:start], reference=source[start:end], suffix=source[end:],
        path="replay/measures.py",
    )  # fmt: skip
    suite = Replay(workspace=root)
    answers = await suite.answers(item, Reached(str(service.address)), Draw())
    scores = suite.judge(item, answers, {})
    assert scores["recomputed_p50_tokens"] <= BLOCK + 2
