"""A model whose tokenizer cannot be mapped to bytes: served, unhealed, and said everywhere."""

import argparse
import asyncio
import json
import logging
from dataclasses import replace

import grpc
import pytest

from completion.commands import doctor, explain
from completion.config import Config, ModelConfig
from completion.engine.fake import fake_checkpoint
from completion.prompt.encoder import TextEncoder
from completion.wire import completion_pb2 as pb
from tests.completion.families import make_checkpoint
from tests.completion.unmapped import WHY, unmapped_json

KNOWN = b"total_weight = 1\nprint(total_weight)\nx = total_w"
LINE = "healing is off with fake: its tokenizer has no token for byte 0xA9"


def unmapped_checkpoint():
    """The fake model, but for one byte that has no token."""
    made = fake_checkpoint()
    ids = tuple(-1 if byte == 0xA9 else i for byte, i in enumerate(made.vocabulary.byte_ids))
    vocabulary = replace(made.vocabulary, byte_ids=ids)
    encoder = TextEncoder(vocabulary, lambda text: [b for b in text.encode() if b != 0xA9])
    return replace(made, encoder=encoder, vocabulary=vocabulary, messages=(LINE,))


def request(healing=pb.HEALING_EXACT, prefix=KNOWN, **options):
    return pb.CompleteRequest(
        document=pb.Document(path="a.py", prefix=prefix, suffix=b"\n"),
        options=pb.GenerationOptions(healing=healing, **options),
    )


async def refusal(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize("arm", ["auto", "exact_psm_word", "one_token_psm", "psm"])
async def test_get_model_and_the_log_say_it_in_one_line(serving, caplog, arm):
    caplog.set_level(logging.INFO, logger="caret")
    async with serving(checkpoint=unmapped_checkpoint(), arm=arm) as (_, stub):
        model = await stub.GetModel(pb.GetModelRequest())
    assert (model.arm, model.healing) == ("naive_psm", pb.HEALING_OFF)
    assert model.healing_reason == LINE
    assert [m for m in caplog.messages if "healing" in m] == [LINE]


@pytest.mark.parametrize("healing", [pb.HEALING_EXACT, pb.HEALING_ONE_TOKEN, pb.HEALING_OFF])
async def test_every_way_of_healing_is_answered_without(serving, healing):
    async with serving(checkpoint=unmapped_checkpoint()) as (_, stub):
        answer = await stub.Complete(request(healing))
        others = await stub.Complete(request(healing, candidates=3))
        shown = await stub.Explain(request(healing))
        chunks = [chunk async for chunk in stub.StreamComplete(request(healing))]
    assert [c.text for c in answer.candidates] == [b"eight)"]
    assert len(others.candidates) == 3
    assert answer.usage.healed_bytes == 0
    assert shown.arm == "naive_psm"
    assert b"x = total_w<|fim_suffix|>" in shown.prompt
    assert b"".join(chunk.text for chunk in chunks) == answer.candidates[0].text


async def test_text_that_has_no_token_is_no_reason_to_fail(serving):
    async with serving(checkpoint=unmapped_checkpoint()) as (_, stub):
        shown = await stub.Explain(request(prefix="x = 'caf\u00e9".encode()))
    assert bytes(i for i in shown.token_ids if i < 256) == b"x = 'caf?\n"


async def test_there_is_no_law_over_bytes(serving):
    document = request().document
    async with serving(checkpoint=unmapped_checkpoint()) as (_, stub):
        for call in (
            stub.NextBytes(pb.NextBytesRequest(document=document)),
            stub.NextBytes(pb.NextBytesRequest(document=document, raw_prompt=True)),
            stub.NextBytes(pb.NextBytesRequest(document=document, healing=pb.HEALING_OFF)),
            stub.Score(pb.ScoreRequest(document=document, texts=[b"eight"])),
            stub.Score(pb.ScoreRequest(document=document)),
        ):
            assert await refusal(call) == (grpc.StatusCode.FAILED_PRECONDITION, LINE)


@pytest.mark.parametrize("as_json", [True, False])
async def test_explain_shows_it_where_it_shows_the_arm(serving, tmp_path, capsys, as_json):
    path = tmp_path / "a.py"
    path.write_bytes(KNOWN)
    parser = argparse.ArgumentParser()
    explain.configure(parser)
    async with serving(checkpoint=unmapped_checkpoint()) as (server, _):
        words = [f"{path}:3:12", "--server", str(server.address), *(["--json"] * as_json)]
        assert await asyncio.to_thread(explain.run, parser.parse_args(words)) == 0
    shown = capsys.readouterr().out
    if as_json:
        tree = json.loads(shown)
        assert (tree["arm"], tree["healing_reason"]) == ("naive_psm", LINE)
    else:
        assert f"naive_psm ({LINE})" in " ".join(shown.split())


def test_the_doctor_shows_it_beside_the_model(tmp_path):
    folder = make_checkpoint("qwen", tmp_path / "lower", unmapped_json("lower-case"))
    found = doctor._model(Config(model=ModelConfig(path=str(folder))))
    assert found.status == "note"
    assert "asked as naive_psm" in found.found
    assert found.mend == f"healing is off with lower: {WHY['lower-case']}"
