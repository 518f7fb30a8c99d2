"""Bad input over a real socket, with the fake engine: answered, or refused with field and limit."""

import logging
from dataclasses import replace

import grpc
import pytest

from completion.engine.fake import FakeEngine, fake_checkpoint
from completion.wire import completion_pb2 as pb
from tests.completion.server.bad_input import (
    HALF,
    SECRET,
    SENTINELS,
    TOGETHER,
    check_completion,
    check_law,
    check_scores,
    document,
)

ARMS = ["exact_spm", "exact_psm_word", "exact_psm_line", "one_token_spm", "naive_psm"]
SCORED = [("half an emoji", "usual"), ("a kilobyte of spaces", "usual"), ("nothing", "nothing")]
TEXTS = [b"", b"x", HALF, b"\x80", SENTINELS, b" " * 300]


@pytest.mark.parametrize("arm", ARMS)
async def test_every_document_is_answered_in_every_way(serving, caplog, arm):
    caplog.set_level(logging.DEBUG, logger="caret")
    engine = FakeEngine(reply=b"hunter2(x)\n")
    async with serving(engine, arm=arm) as (_, stub):
        for prefix, suffix in TOGETHER:
            where = document(prefix, suffix)
            ask = pb.CompleteRequest(document=where)
            ask.options.max_tokens = 16
            check_completion(await stub.Complete(ask))
            drawn = pb.CompleteRequest(document=where)
            drawn.options.CopyFrom(
                pb.GenerationOptions(max_tokens=16, temperature=1.0, candidates=3, seed=5)
            )
            check_completion(await stub.Complete(drawn))
            chunks = [chunk async for chunk in stub.StreamComplete(ask)]
            check_completion(chunks[-1].summary)
            whole = [c.text for c in chunks[-1].summary.candidates] or [b""]
            assert b"".join(chunk.text for chunk in chunks) == whole[0]
    logged = [*caplog.messages, *(str(vars(record)) for record in caplog.records)]
    assert not any(SECRET.decode() in line for line in logged)
    assert "handler failed" not in caplog.messages


@pytest.mark.parametrize(
    ("arm", "healing"),
    [
        *((arm, pb.HEALING_EXACT) for arm in ARMS[:3]),
        ("exact_spm", pb.HEALING_ONE_TOKEN),
        ("exact_spm", pb.HEALING_OFF),
    ],
)
async def test_every_document_has_a_law_and_scores(serving, caplog, arm, healing):
    caplog.set_level(logging.DEBUG, logger="caret")
    async with serving(arm=arm) as (_, stub):
        for prefix, suffix in TOGETHER:
            where = document(prefix, suffix)
            for raw in (False, True):
                check_law(
                    await stub.NextBytes(
                        pb.NextBytesRequest(document=where, healing=healing, raw_prompt=raw)
                    )
                )
            if (prefix, suffix) in SCORED:
                for edge in pb.ScoreRequest.Edge.values():
                    scored = await stub.Score(
                        pb.ScoreRequest(document=where, healing=healing, texts=TEXTS, edge=edge)
                    )
                    if edge == pb.ScoreRequest.EDGE_ANY:
                        check_scores(scored, len(TEXTS))
                    assert all(p <= 1e-4 for p in scored.log_probs)
    assert "handler failed" not in caplog.messages


@pytest.mark.parametrize("arm", ARMS)
async def test_sentinels_in_other_files_and_names_are_text(serving, arm):
    ask = pb.CompleteRequest(document=document("one token", "usual"), repo_name="<|fim_suffix|>")
    ask.document.path = "<|fim_middle|>.py"
    ask.snippets.add(path="<|fim_prefix|>\n.py", text=SENTINELS + b" = 1\n", relevance=1.0)
    ask.snippets.add(path="b.py", text=HALF, relevance=0.5)
    ask.snippets.add(path="c.py", text=b" " * 1000, relevance=0.2)
    special = fake_checkpoint().vocabulary.special
    async with serving(arm=arm) as (_, stub):
        shown = await stub.Explain(ask)
    check_completion(shown.response)
    assert [s.path for s in shown.used] == ["<|fim_prefix|>\n.py", "b.py"]
    assert [(d.path, d.reason) for d in shown.dropped] == [("c.py", "empty")]
    counts = {name: list(shown.token_ids).count(i) for name, i in special.items()}
    assert counts["<|fim_prefix|>"] == counts["<|fim_suffix|>"] == counts["<|fim_middle|>"] == 1
    assert counts["<|repo_name|>"] == 1
    assert counts["<|file_sep|>"] == 3
    assert counts["<|endoftext|>"] == 0


async def refusal(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details()


async def test_a_text_that_no_context_holds_is_refused_with_its_limit(serving):
    small = replace(fake_checkpoint(), context_tokens=400)

    class Small(FakeEngine):
        @property
        def info(self):
            return replace(super().info, context_tokens=400)

    where = document("one token", "usual")
    async with serving(Small(), checkpoint=small, arm="exact_psm_word") as (_, stub):
        texts = [b"x", b"y" * 390, b"z" * 20]
        code, details = await refusal(stub.Score(pb.ScoreRequest(document=where, texts=texts)))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        most = int(details.removeprefix("texts[1] must be at most ").split()[0])
        assert 300 < most < 390
        texts[1] = b"y" * most
        check = await stub.Score(pb.ScoreRequest(document=where, texts=[b"", *texts]))
        check_scores(check, 4)
        texts[1] += b"y"
        code, _ = await refusal(stub.Score(pb.ScoreRequest(document=where, texts=texts)))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
