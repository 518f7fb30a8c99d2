"""`caret bench drafters`: requests of replayed typing, what a step costs, the rows of the comparison."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from completion.cli import main
from completion.config import ModelConfig
from completion.engine.checkpoint import load_checkpoint
from completion.engine.environment import prepare
from completion.errors import UsageError
from eval.bench import drafters, step_cost
from eval.bench.drafted import Tally
from eval.bench.replayed import Reader, functions, replay

FUNCTION = "\n".join(
    ["def totals(rows, key):", "    found = {}"]
    + [f"    found['größe {n}'] = sum(row[key] * {n} for row in rows)" for n in range(8)]
    + ["    return found"]
)
FILES = {"a.py": f"import os\n\n\n{FUNCTION}\n\n\nprint(os)\n".encode(), "b.py": b"x = 1\n" * 300}


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


class Told:
    """A reader that answers what it is told, whatever was asked."""

    def __init__(self, answers):
        self._answers = answers
        self.asked = []

    def read(self, ids):
        self.asked.append(ids)
        self.rows = [(1, 2)] * len(ids)
        return 0

    def answer(self, stop, most):
        found = self._answers(len(self.asked) - 1)[:most]
        self.rows += [(1, 2)] * (len(found) - 1)
        return found


def replayed(checkpoint, reader, most=0):
    typed = functions(FILES, 3)
    return list(replay(checkpoint, reader, FILES, typed, most, lambda text: None))


def test_the_function_of_a_file_is_typed_behind_what_is_above_it(checkpoint):
    assert [
        (path, FILES[path][start:end].decode()) for path, start, end in functions(FILES, 3)
    ] == [("a.py", FUNCTION)]
    reader = Told(lambda _: [checkpoint.stop_ids[0]])
    requests = replayed(checkpoint, reader)
    assert len(requests) == len(FUNCTION), "nothing is foreseen: one behind each character"
    first, last = requests[0], requests[-1]
    assert checkpoint.vocabulary.bytes_of(first.prompt).endswith(b"import os\n\n\nd")
    assert checkpoint.vocabulary.bytes_of(last.prompt).endswith(b"    return found")
    assert first.document == last.document
    assert last.mixing.path == "a.py"
    assert len(last.prompt_rows) == len(last.prompt)
    assert len(last.answer_rows) == len(last.answer) - 1


def test_a_key_that_the_last_answer_foresaw_is_not_asked_behind(checkpoint):
    rest = checkpoint.encoder.encode(FUNCTION[1:].encode())
    requests = replayed(checkpoint, Told(lambda number: rest if number == 0 else [9, 9]))
    foreseen = len(checkpoint.vocabulary.bytes_of(rest[:32]).decode())
    assert foreseen > 30
    assert len(requests) == 1 + len(FUNCTION) - foreseen


def test_at_most_so_many_requests_are_made(checkpoint):
    assert len(replayed(checkpoint, Told(lambda _: [9]), most=4)) == 4


def test_files_without_a_function_are_said():
    with pytest.raises(UsageError, match="no Python file of the workspace has a function"):
        functions({"b.py": FILES["b.py"], "a.txt": FILES["a.py"]}, 3)


@pytest.fixture(scope="module")
def model():
    """Twelve tokens, so that much repeats itself."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=12, hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@torch.inference_mode()
def greedy(model, ids, stop=(), most=16):
    found = []
    while len(found) < most and (not found or found[-1] not in stop):
        found.append(int(model(torch.tensor([ids + found])).logits[0, -1].argmax()))
    return found


@pytest.mark.parametrize("stop", [(), (3,)])
def test_an_answer_read_ahead_is_the_greedy_one(model, stop):
    reader, rng, steps = Reader(model, 4), random.Random(1), []
    forward = reader._forward
    reader._forward = lambda ids: steps.append(ids) or forward(ids)
    drew = 0
    for _ in range(8):
        ids = 2 * [rng.randrange(12) for _ in range(8)]
        reader.read(ids)
        answer = reader.answer(stop, 16)
        assert answer == greedy(model, ids, stop)
        anew = Reader(model, 4)
        anew.read(ids + answer[:-1])
        assert anew.rows == reader.rows
        drew += len(answer)
    assert len(steps) < drew, "some tokens were foreseen"


def test_a_prompt_is_read_on_from_what_it_shares_with_the_one_before(model):
    going_on, anew = Reader(model, 4), Reader(model, 4)
    going_on.read([1, 2, 3, 4, 5, 6, 7])
    going_on.answer((), 6)
    changed = [1, 2, 3, 4, 9, 8]
    assert going_on.read(changed) == 4
    assert anew.read(changed) == 0
    assert going_on.rows == anew.rows
    assert going_on.answer((), 6) == anew.answer((), 6) == greedy(model, changed, most=6)
    assert going_on.read(changed) == len(changed) - 1, "a row of the last is needed"
    assert going_on.answer((), 6) == greedy(model, changed, most=6)


def test_a_step_between_two_that_were_measured_lies_on_the_line_between_them():
    step = step_cost.between({-1: 1.0, 0: 2.0, 2: 3.0, 10: 11.0})
    assert [step(rows) for rows in (1, 2, 3, 7, 11, 21)] == [2.0, 2.5, 3.0, 7.0, 11.0, 21.0]


def test_every_request_that_drew_drafts_the_wrong_token():
    worker = step_cost.Wrong()
    worker.model_runner = SimpleNamespace(drafter=SimpleNamespace(propose=None))
    worker.caret_draft_wrongly(3, 7)
    assert worker.model_runner.drafter.propose([[5], []], None, None) == [[7, 7, 7], []]


def test_what_is_promised_is_the_time_of_the_steps_that_are_left():
    slow, quick = (
        Tally(steps=10, tokens=10, drafted=60),
        Tally(steps=5, tokens=10, drafted=5, kept=5),
    )
    slow.rows[7], quick.rows[2] = 10, 5
    rows = drafters.table(
        {drafters.NONE: Tally(), "slow": slow, "quick": quick}, lambda rows: 1 + rows, 2.0
    )
    by_name = {row.name: row for row in rows}
    assert by_name["tokens a step, quick"].ratio == 2.0
    assert by_name["share of drafts that is right, quick"].ratio == 1.0
    assert by_name["time a token promised, slow, over none"].ratio == 4.0
    assert by_name["time a token promised, quick, over none"].ratio == 0.75
    best = by_name["time a token promised, the best (quick), over none"]
    assert (best.ratio, best.bar, best.holds) == (0.75, 1 / 1.3, True)


def test_every_drafter_has_its_rows_and_its_bar_in_the_picture(tmp_path, monkeypatch):
    async def costs(*_):
        return {-1: 1.0, 0: 1.0, 80: 3.0}

    monkeypatch.setattr(drafters, "costs", costs)
    for path, text in FILES.items():
        (tmp_path / path).write_bytes(text)
    found, plot = tmp_path / "rows.json", tmp_path / "a.png"
    words = ["bench", "drafters", "--workspace", str(tmp_path), "--limit", "12"]
    assert main([*words, "--json", str(found), "--plot", str(plot)]) in (0, 1)
    rows = json.loads(found.read_text())["rows"]
    tokens = {row["name"]: row["ratio"] for row in rows if row["name"].startswith("tokens a step")}
    assert 3 * len(tokens) + 1 == len(rows)
    assert all(1 <= ratio <= 7 for ratio in tokens.values())
    assert tokens["tokens a step, n-gram lookup"] > 1.2, "eight lines that are nearly the same"
    assert plot.stat().st_size > 1000


@pytest.mark.engine
async def test_a_step_is_timed_with_and_without_drafts(checkpoint, monkeypatch):
    monkeypatch.setattr(step_cost, "DRAFTS", (0, 3))
    prepare(ModelConfig())
    prompt = checkpoint.encoder.encode(FILES["a.py"])
    said = []
    found = await step_cost.costs(checkpoint, ModelConfig(), prompt, 1, 1, said.append)
    assert set(found) == {-1, 0, 3}
    assert all(taken > 0 for taken in found.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drafters", "--workspace", "/none/here"], "no such folder"),
        (["drafters", "--files", "0"], "--files must be at least 1"),
        (["drafters", "--limit", "-1"], "--limit must be at least 0"),
        (["latency", "--rounds", "-1"], "--rounds and --starts must be at least 0"),
        (["start", "--starts", "-1"], "--rounds and --starts must be at least 0"),
        (["latency", "--limit", "3"], "it is for `caret bench drafters`"),
        (["drafters", "--plot", "a.txt"], "ends in .png or .svg"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_before_anything_starts(words, said, capsys):
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err
