"""Byte-greedy engines of the harness, on models over bytes whose laws are known: no vLLM."""

import math
from dataclasses import replace

import pytest

from completion.config import Config, ModelConfig
from completion.engine.fake import fake_checkpoint
from completion.errors import CaretError, UsageError
from completion.server.metrics import Metrics
from completion.server.service import CompletionService
from eval.engines.byte_level import ByteGreedy, Ensemble
from eval.engines.in_process import _HERE
from eval.engines.members import load_members
from eval.engines.requests import asked
from eval.errors import EngineGone
from eval.item import Ask, Item
from eval.suites.base import Draw
from eval.suites.bits import Bits
from tests.eval.engines.scripted import SAYS, Scripted, loading

ONE = Item(id="one", prefix=b"def f(value):\n    ", suffix=b"", reference=b"", path="a.py")


async def answer(engine, item=ONE, **ask):
    async with engine:
        await engine.start()
        return await engine.answer(item, Ask(**ask))


def greedy(*args, **fields):
    return ByteGreedy(Config(), loading(Scripted(*args, **fields)))


async def test_the_raw_text_is_the_models_and_the_cut_one_ends_where_the_rule_says():
    found = await answer(greedy(), lines="single")
    assert (found.raw, found.raw_end) == (SAYS, "model")
    assert (found.cut, found.cut_end) == (b"return value", "line")
    assert found.data["bytes"] == len(SAYS)
    assert found.data["doubtful"] == 0
    assert 0 < found.timings.first_token_ms <= found.timings.total_ms


CURSORS = [
    (b"def f(value):\n    ", b""),
    (b"def f(value):\n    ret", b""),
    (b"def f(value):\n    return val", b"\n"),
    (b"total = f(", b")\n"),
    (b"total = f(", b"value)\nother = 1\n"),
    (b"", b"x = 1\n"),
    (b"x = '\xc3", b"'\n"),
    (b"def f(value):\r\n    ", b"\r\n    return 1\r\n"),
]


@pytest.mark.parametrize("cursor", CURSORS)
@pytest.mark.parametrize("says", [SAYS, b"value)\n", b"", b"ue", b"a = 1\n" * 12, b"\xa9\xc3\x28"])
@pytest.mark.parametrize(("healing", "lines"), [("exact", "single"), ("off", "multi")])
async def test_where_bytes_are_tokens_it_says_what_the_service_says(says, cursor, healing, lines):
    """Then the likeliest byte is the likeliest token, and all else is shared or goes wrong here."""
    prefix, suffix = cursor
    item = Item(id="x", prefix=prefix, suffix=suffix, reference=b"", path="a.py", eol="\n")
    ask = Ask(lines=lines, max_tokens=40, healing=healing)
    exact = replace(Config(), model=ModelConfig(arm="exact_psm_word"))
    service = CompletionService(exact, Metrics())
    service.ready(Scripted(says), fake_checkpoint())

    async def complete(request):
        return await service.Complete(request, _HERE), 1.0

    theirs = await asked(item, ask, complete)
    ours = await answer(greedy(says), item, lines=lines, max_tokens=40, healing=healing)
    for field in ("raw", "raw_end", "cut", "cut_end", "declined", "replace_after"):
        assert getattr(ours, field) == getattr(theirs, field), field


async def test_an_answer_has_as_many_tokens_as_were_asked_for():
    found = await answer(greedy(), max_tokens=7)
    assert (found.raw, found.raw_end) == (SAYS[:7], "length")
    assert found.timings.generated_tokens == 7


async def test_without_the_raw_text_nothing_is_decoded_behind_the_rule():
    engine = greedy()
    found = await answer(engine, lines="single", raw=False)
    assert found.raw is None
    assert found.cut == b"return value"
    assert found.data["bytes"] == len(b"return value\n")


async def test_one_of_several_candidates_is_given():
    found = await answer(greedy(), candidates=5)
    assert found.ranked == (SAYS,)


@pytest.mark.parametrize(
    ("ask", "said"),
    [({"temperature": 0.5}, "--temperature"), ({"healing": "one-token"}, "--healing exact or off")],
)
async def test_what_it_does_not_do_is_refused(ask, said):
    with pytest.raises(UsageError, match=said):
        await answer(greedy(), **ask)


async def test_the_weights_decide_where_two_models_disagree():
    for weight, expected in ((0.8, b"alpha"), (0.2, b"beta")):
        pair = loading(Scripted(b"alpha"), Scripted(b"beta"))
        found = await answer(Ensemble(Config(), "other", weight, pair))
        assert found.raw == expected
        assert found.raw_end == "model"
        assert len(found.data["rows"]) == len(found.data["given_up"]) == 2


async def test_two_that_are_unsure_are_overruled_together_by_what_both_allow():
    """The mean is of probabilities: what each finds second best can be what both find best."""

    class Torn(Scripted):
        def row(self, prompt):
            import torch

            logits = super().row(prompt)
            if not bytes(t for t in prompt if t < 256).endswith(b"common"):
                shared = super(Torn, self.common).row(prompt)
                logits = torch.logaddexp(logits + math.log(0.55), shared + math.log(0.45))
            return logits

        common = None

    engines = [Torn(b"left"), Torn(b"right")]
    for engine in engines:
        engine.common = Torn(b"common")
    both = await answer(Ensemble(Config(), "other", 0.5, loading(*engines)), max_tokens=6)
    assert both.raw == b"common"
    alone = await answer(ByteGreedy(Config(), loading(engines[0])), max_tokens=6)
    assert alone.raw.startswith(b"left")


async def test_both_models_are_named_with_their_weights():
    engine = Ensemble(Config(), "other", 0.8, loading(Scripted(), Scripted(context_tokens=512)))
    async with engine:
        who = await engine.start()
    assert who.name == "0.8 fake-1 + 0.2 fake-2"
    assert who.checksum == "sum-1 + sum-2"
    assert who.engine == "scripted 1"
    assert who.healing == "exact"
    assert who.context_tokens == 512


async def test_one_model_is_itself():
    async with greedy() as engine:
        who = await engine.start()
    assert (who.name, who.checksum, who.arm) == ("fake-1", "sum-1", "exact_psm_word")


async def test_each_model_has_its_own_arm_and_context():
    asked_for = []

    async def load(configs):
        asked_for.extend(config.model for config in configs)
        return await loading(Scripted(), Scripted())(configs)

    config = replace(Config(), model=ModelConfig(path="a", arm="psm", context_tokens=300))
    await answer(Ensemble(config, "b", 0.5, load))
    assert [(one.path, one.arm, one.context_tokens) for one in asked_for] == [
        ("a", "psm", 300),
        ("b", "auto", 0),
    ]


async def test_all_models_are_stopped_and_that_can_be_repeated():
    engines = Scripted(), Scripted()
    engine = Ensemble(Config(), "other", 0.5, loading(*engines))
    async with engine:
        await engine.start()
    await engine.stop()
    assert [one.stops for one in engines] == [1, 1]


async def test_a_model_that_died_ends_the_run_and_says_which():
    engine = Ensemble(Config(), "other", 0.5, loading(Scripted(), Scripted(dies=3)))
    with pytest.raises(EngineGone, match="fake-2: the engine process died"):
        await answer(engine)


async def test_an_item_that_is_refused_is_named():
    with pytest.raises(CaretError, match=r"item one: .*max_tokens"):
        await answer(greedy(context_tokens=512), max_tokens=900)


async def test_a_model_whose_tokens_have_no_known_bytes_is_refused(monkeypatch):
    why = "healing is off with m: its tokens are words"
    monkeypatch.setattr(type(fake_checkpoint()), "unhealed", why, raising=False)
    with pytest.raises(UsageError, match=f"{why}; so its bytes cannot be decoded"):
        await greedy().start()


async def test_a_second_model_that_is_missing_is_said_before_anything_starts(tmp_path):
    engine = Ensemble(Config(), str(tmp_path / "none"))
    with pytest.raises(CaretError, match="none' is no folder"):
        await engine.start()
    await engine.stop()
    with pytest.raises(CaretError, match="none' is no folder"):
        await load_members([engine._configs[1]])


# Bits per byte ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"eos_token_id": 256}')
    return tmp_path


async def bits(engine, text):
    item = Item(id="x", prefix=text, suffix=b"", reference=b"")
    suite = Bits()
    async with engine:
        await engine.start()
        answers = await suite.answers(item, engine, Draw())
    return suite.judge(item, answers, {}), answers[0].data


def direct(engine, text, context):
    """Each byte on its own, from as much as a window of its place has before it."""
    ids, total = [256, *text], 0.0
    for at in range(1, len(ids)):
        window = max(0, math.ceil((at - context) / (context // 2)))
        total -= float(engine.row(ids[window * (context // 2) : at])[ids[at]])
    return total / math.log(2)


@pytest.mark.parametrize("context_tokens", [4096, 33, 10])
async def test_a_file_costs_the_bits_of_its_bytes_in_windows(folder, context_tokens):
    text = b"return value\n    more = 1\nreturn nothing of the kind\n" * 3
    model = Scripted(sure=4.0, context_tokens=context_tokens)
    scores, data = await bits(ByteGreedy(Config(), loading(model, folder=folder)), text)
    part, whole = scores["bits_per_byte"]
    assert whole == len(text)
    assert part == pytest.approx(direct(model, text, context_tokens - 1), rel=1e-5)
    assert data["rows"] == [len(text)]
    assert model.requests < len(text) / 2, "rows come many at a time"


async def test_of_two_models_there_are_the_bits_of_each_and_of_their_mean(folder):
    text = b"alpha beta alpha beta"
    models = Scripted(b"alpha", sure=6.0), Scripted(b"beta", sure=6.0)
    engine = Ensemble(Config(), "other", 0.5, loading(*models, folder=folder))
    scores, _ = await bits(engine, text)
    for name, model in (("bits_per_byte_1", models[0]), ("bits_per_byte_2", models[1])):
        assert scores[name][0] == pytest.approx(direct(model, text, 4095), rel=1e-5)
    rows = [[model.row([256, *text[:at]]).exp() for at in range(len(text))] for model in models]
    mean = -sum(
        math.log2(0.5 * float(one[byte]) + 0.5 * float(two[byte]))
        for one, two, byte in zip(*rows, text, strict=True)
    )
    assert scores["bits_per_byte"][0] == pytest.approx(mean, rel=1e-5)
    assert scores["bits_per_byte"][0] < min(scores[f"bits_per_byte_{n}"][0] for n in (1, 2))
