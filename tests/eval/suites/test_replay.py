"""The suite of keystroke replays: items of a tree, an engine asked, a real `caret lsp` driven."""

from __future__ import annotations

import json
import os
import signal

import pytest

from completion.cli import main
from completion.errors import CaretError, UsageError
from completion.wire.own_server import OwnServer
from eval.build.builders import build
from eval.build.built import write_built
from eval.build.tree import read_tree
from eval.engines.base import Engine, Identity
from eval.engines.dummies import Oracle, Silent
from eval.errors import EngineGone
from eval.item import Answer, Ask, Item
from eval.replay.editor import Manner
from eval.running import codec
from eval.suites import suite_named
from eval.suites.base import Draw
from eval.suites.replay import Replay
from eval.workspace.arms import Arm

BODY = "".join(f"    value_{n} = compute(values[{n}], scale)\n" for n in range(14))
FILE = f'"""A module made for this test."""\n\n\ndef f(values, scale):\n{BODY}\n\nx = 1\n'


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "one.py").write_text(FILE)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "two.py").write_bytes(FILE.replace("\n", "\r\n").encode())
    (tmp_path / "short.py").write_text("x = 1\n")
    return tmp_path


class At(Engine):
    """A service somewhere; only its address is used."""

    name = "server"

    def __init__(self, address: str) -> None:
        self.address = address

    async def start(self) -> Identity:
        return Identity(name="at")

    async def answer(self, item: Item, ask: Ask) -> Answer:
        raise AssertionError("an editor is to ask, not the harness")


def short(item: Item, characters: int) -> Item:
    """Return an item of which only the end is typed."""
    at = len(item.reference) - characters
    data = {name: getattr(item, name) for name in ("id", "suffix", "path", "eol")}
    return Item(prefix=item.prefix + item.reference[:at], reference=item.reference[at:], **data)


def test_one_item_a_file_and_the_parts_make_the_file(tree):
    loaded = Replay().load(tree)
    assert [item.id for item in loaded.items] == ["inner/two.py:4", "one.py:4"]
    for item in loaded.items:
        whole = item.prefix + item.reference + item.suffix
        assert whole == (tree / item.path).read_bytes()
        assert item.reference.startswith(b"def f(")
    assert [item.eol for item in loaded.items] == ["\r\n", "\n"]
    assert len(loaded.data["sha256"]) == 64
    assert str(tree.parent) not in json.dumps(dict(loaded.data))


def test_a_single_file_is_a_tree(tree):
    assert [item.id for item in Replay().load(tree / "one.py").items] == ["one.py:4"]


def test_a_built_file_has_the_items_of_its_tree(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "replay.jsonl"
    call = ["eval", "build", "replay", str(tree), "--out", str(out)]
    assert main(call) == 0
    assert Replay().load(out) == Replay().load(tree)
    assert main([*call, "--limit", "1", "--seed", "3"]) == 0
    assert len(Replay().load(out).items) == 1


def test_a_built_file_that_is_cut_off_or_another_suites_is_refused(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "replay.jsonl"
    write_built(build("replay", read_tree(tree)), out)
    whole = out.read_bytes()
    out.write_bytes(whole[:-50])
    with pytest.raises(UsageError, match="cut off or changed"):
        Replay().load(out)
    out.write_bytes(
        whole.replace(b'"suite": "replay"', b'"suite": "slices"', 1).replace(
            b'"suite":"replay"', b'"suite":"slices"', 1
        )
    )
    with pytest.raises(UsageError, match="built for slices"):
        Replay().load(out)


def test_a_tree_without_such_a_function_is_refused(tree):
    with pytest.raises(UsageError, match="no Python function of 400 to 700 characters"):
        Replay().load(tree / "short.py")


async def test_the_oracle_saves_all_that_the_policy_allows_and_silence_nothing(tree):
    suite = suite_named("replay")
    for item in suite.load(tree).items:
        answers = await suite.answers(item, Oracle(), Draw())
        typed = item.reference.decode().replace("\r\n", "\n")
        whole = len(typed)
        assert suite.judge(item, answers, {})["keystrokes_saved"] == (whole - 2, whole)
        answers = await suite.answers(item, Silent(), Draw())
        assert suite.judge(item, answers, {})["keystrokes_saved"] == (0, whole)


async def test_answers_survive_the_journal(tree):
    suite = Replay()
    (_, item) = suite.load(tree).items
    answers = await suite.answers(item, Oracle(), Draw())
    again = [
        codec.answer_from_json(json.loads(json.dumps(codec.answer_to_json(answer))))
        for answer in answers
    ]
    assert suite.judge(item, again, {}) == suite.judge(item, answers, {})


@pytest.mark.parametrize("draw", [Draw(samples=2), Draw(temperature=0.5), Draw(healing="off")])
async def test_what_no_editor_can_ask_for_is_refused(tree, draw):
    (_, item) = Replay().load(tree).items
    with pytest.raises(UsageError, match="--temperature"):
        await Replay().answers(item, Silent(), draw)


async def test_every_key_goes_through_a_real_language_server(tree):
    told = []
    suite = Replay(
        on_key=lambda item, done, whole: told.append((item.id, done, whole)),
        manner=Manner(other_files=Arm.NONE, always_ask=True),
    )
    async with OwnServer(extra_args=["--engine", "fake"]) as own:
        for item in suite.load(tree).items:
            item = short(item, 30)
            answers = await suite.answers(item, At(str(own.address)), Draw())
            scores = suite.judge(item, answers, {})
            assert scores["model_requests"] == (len(answers), len(answers))
            assert scores["shown"][0] > 0
            assert scores["served_without_model"][0] == 0
            assert 0 <= scores["recomputed_p50_tokens"] <= scores["recomputed_p95_tokens"]
            assert all(a.timings.total_ms and a.timings.prompt_tokens for a in answers)
            # the first line is answered with, and the timings are of the whole
            assert all(a.timings.round_trip_ms >= a.timings.first_token_ms for a in answers)
            assert told[-1] == (item.id, 30, 30)


async def test_what_is_typed_of_a_suggestion_asks_no_model(tree):
    suite = Replay(manner=Manner(other_files=Arm.NONE))
    async with OwnServer(extra_args=["--engine", "fake"]) as own:
        item = short(suite.load(tree).items[1], 60)
        answers = await suite.answers(item, At(str(own.address)), Draw())
        scores = suite.judge(item, answers, {})
        assert 0 < scores["model_requests"][0] < len(answers)
        assert scores["served_without_model"][0] > 0
        asked = [a for a in answers if a.data["model"] == "asked"]
        assert all(a.timings.total_ms and a.timings.prompt_tokens for a in asked)


async def test_a_service_that_is_not_there_is_an_engine_that_is_gone(tree, tmp_path):
    (_, item) = Replay().load(tree).items
    with pytest.raises(EngineGone, match="no completion service"):
        await Replay().answers(item, At(f"unix:{tmp_path / 'none.sock'}"), Draw())


async def test_a_service_that_ends_half_way_is_an_engine_that_is_gone(tree):
    (_, item) = Replay().load(tree).items
    own = OwnServer(extra_args=["--engine", "fake"])
    await own.start()
    stopping = []

    def on_key(item, done, whole):
        if done >= 20 and not stopping:
            stopping.append(done)
            os.kill(own.pid, signal.SIGKILL)

    try:
        with pytest.raises(CaretError) as caught:
            await Replay(on_key=on_key).answers(item, At(str(own.address)), Draw())
    finally:
        await own.stop()
    assert isinstance(caught.value, EngineGone)
    assert stopping
