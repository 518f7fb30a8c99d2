"""Bad input on the real engine and the bundled model, through the service's handlers in each arm."""

import asyncio
import logging
from dataclasses import replace

import pytest

from completion.config import Config, ModelConfig
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.server.metrics import Metrics
from completion.server.service import CompletionService
from completion.wire import completion_pb2 as pb
from tests.completion.server.bad_input import (
    HALF,
    SECRET,
    SENTINELS,
    TOGETHER,
    Here,
    check_completion,
    check_law,
    check_scores,
    document,
)

pytestmark = pytest.mark.engine

ARMS = ["exact_spm", "exact_psm_word", "exact_psm_line", "one_token_spm", "naive_psm"]
ODD = [pair for pair in TOGETHER if pair[0] not in ("100 kB of line ends", "one byte", "one space")]
RAW = ("half an emoji", "a continuation byte alone", "nothing", "one token", "zero bytes")
"""Those that are a whole prompt by themselves too."""


@pytest.fixture(scope="module")
async def engine():
    engine = VllmEngine(load_checkpoint("bundled"), ModelConfig())
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture(autouse=True)
async def nothing_left_and_nothing_logged(engine, caplog):
    """After each test no request is left in the engine, and no source text is in a log."""
    caplog.set_level(logging.DEBUG, logger="caret")
    yield
    while await engine.running():
        await asyncio.sleep(0.01)
    logged = [*caplog.messages, *(str(vars(record)) for record in caplog.records)]
    assert not any(SECRET.decode() in line for line in logged)


def service_of(engine, arm):
    service = CompletionService(replace(Config(), model=ModelConfig(arm=arm)), Metrics())
    service.ready(engine, load_checkpoint("bundled"))
    return service


@pytest.mark.timeout(300)
@pytest.mark.parametrize("arm", ARMS)
async def test_every_document_is_completed(engine, arm):
    service = service_of(engine, arm)
    for number, (prefix, suffix) in enumerate(ODD):
        ask = pb.CompleteRequest(document=document(prefix, suffix))
        ask.options.CopyFrom(pb.GenerationOptions(max_tokens=4, candidates=2, seed=number))
        ask.options.temperature = float(number % 2)
        check_completion(await service.Complete(ask, Here()))
        if number % 3 == 0:
            chunks = [chunk async for chunk in service.StreamComplete(ask, Here())]
            check_completion(chunks[-1].summary)
            whole = [c.text for c in chunks[-1].summary.candidates] or [b""]
            assert b"".join(chunk.text for chunk in chunks) == whole[0]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("arm", ["exact_spm", "exact_psm_word"])
async def test_every_document_has_a_law(engine, arm):
    service = service_of(engine, arm)
    for prefix, suffix in ODD:
        where = document(prefix, suffix)
        check_law(await service.NextBytes(pb.NextBytesRequest(document=where), Here()))
        if arm == "exact_spm" and prefix in RAW:
            raw = pb.NextBytesRequest(document=where, raw_prompt=True)
            check_law(await service.NextBytes(raw, Here()))


@pytest.mark.timeout(300)
async def test_odd_texts_have_scores(engine):
    service = service_of(engine, "exact_spm")
    texts = [b"", b"x", HALF, SENTINELS[:14]]
    for prefix, suffix in (("half an emoji", "usual"), ("nothing", "nothing")):
        ask = pb.ScoreRequest(document=document(prefix, suffix), texts=texts)
        check_scores(await service.Score(ask, Here()), len(texts))


@pytest.mark.parametrize("arm", ARMS)
async def test_sentinels_in_other_files_and_names_are_text(engine, arm):
    ask = pb.CompleteRequest(document=document("sentinels", "sentinels"), repo_name=SENTINELS)
    ask.options.max_tokens = 4
    ask.snippets.add(path=SENTINELS.decode() + ".py", text=SENTINELS + b" = 1\n", relevance=1.0)
    shown = await service_of(engine, arm).Explain(ask, Here())
    special = load_checkpoint("bundled").vocabulary.special
    counts = {name: list(shown.token_ids).count(i) for name, i in special.items()}
    assert len(shown.used) == 1
    assert counts["<|fim_prefix|>"] == counts["<|fim_suffix|>"] == counts["<|fim_middle|>"] == 1
    assert counts["<|file_sep|>"] == 2
    assert counts["<|endoftext|>"] == 0
