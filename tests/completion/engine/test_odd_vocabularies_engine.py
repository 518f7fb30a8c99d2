"""Vocabularies that are not one byte string an id, on the real engine with tiny random weights."""

import asyncio
import math
from dataclasses import replace

import grpc
import pytest
import torch

from completion.config import Config, ModelConfig
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.healing.healer import Healer
from completion.healing.law import END
from completion.healing.search import Effort
from completion.server.metrics import Metrics
from completion.server.service import CompletionService
from completion.wire import completion_pb2 as pb
from tests.completion.families import make_checkpoint
from tests.completion.server.bad_input import Here, Refused, check_completion, check_law
from tests.completion.unmapped import WHY, unmapped_json

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

EVERYTHING = Effort(tolerance=0.0, budget=100_000)
WITHIN = 1e-4
DOCUMENT = pb.Document(path="m.py", prefix=b"def f(x):\n    ret", suffix=b"\nf(1)\n")


def by_enumeration(checkpoint, prompt, typed):
    """P(typed) and the law of the next byte behind it, over every sequence of ids there is."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32)
    texts = checkpoint.vocabulary.token_bytes
    whole, followed = 0.0, torch.zeros(257, dtype=torch.float64)
    stack = [((), 0.0)]
    sequences = 0
    with torch.no_grad():
        while stack:
            ids, log_prob = stack.pop()
            at = sum(len(texts[i]) for i in ids)
            row = torch.log_softmax(model(torch.tensor([[*prompt, *ids]])).logits[0, -1], 0)
            probs = torch.exp(row.double() + log_prob).tolist()
            sequences += 1
            if at == len(typed):
                for token, prob in enumerate(probs):
                    text = texts[token] if token < len(texts) else b""
                    followed[text[0] if text else END] += prob
                continue
            rest = typed[at:]
            for token, text in enumerate(texts):
                if text.startswith(rest):
                    whole += probs[token]
                    if len(text) > len(rest):
                        followed[text[len(rest)]] += probs[token]
                if text and rest.startswith(text):
                    stack.append(((*ids, token), log_prob + float(row[token])))
    return whole, followed / whole, sequences


@pytest.mark.parametrize("name", ["codellama", pytest.param("unigram", marks=pytest.mark.slow)])
async def test_the_law_counts_every_id_of_the_same_bytes(name, tmp_path):
    checkpoint = load_checkpoint(str(make_checkpoint(name, tmp_path / name)))
    engine = VllmEngine(checkpoint, ModelConfig(path=str(checkpoint.path), dtype="float32"))
    await engine.start()
    try:
        healer = Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)
        prompt = checkpoint.prompt_builder().plain(b"def parse", max_tokens=8)
        for typed in (b"r", b"(s", b" ret", "é".encode()[:1], "🙂".encode()[:3]):
            law = await healer.law(healer.behind(prompt), typed, EVERYTHING, following=True)
            whole, followed, sequences = by_enumeration(checkpoint, prompt, typed)
            assert len(law.expanded) == sequences
            assert law.log_mass == pytest.approx(math.log(whole), abs=WITHIN)
            ours = torch.exp(law.next_bytes())
            assert float((ours - followed).abs().max()) < WITHIN
            assert law.omitted(following=True) == 0.0
        config = replace(Config(), model=ModelConfig(path=str(checkpoint.path)))
        service = CompletionService(config, Metrics())
        service.ready(engine, checkpoint)
        model = await service.GetModel(pb.GetModelRequest(), Here())
        assert (model.healing, model.healing_reason) == (pb.HEALING_EXACT, "")
        check_law(await service.NextBytes(pb.NextBytesRequest(document=DOCUMENT), Here()))
        ask = pb.CompleteRequest(document=DOCUMENT, options=pb.GenerationOptions(max_tokens=6))
        check_completion(await service.Complete(ask, Here()))
    finally:
        await engine.stop()


async def test_a_tokenizer_that_cannot_be_mapped_to_bytes_is_served_unhealed(tmp_path):
    folder = make_checkpoint("qwen", tmp_path / "words", unmapped_json("word-piece"))
    checkpoint = load_checkpoint(str(folder))
    engine = VllmEngine(checkpoint, ModelConfig(path=str(folder), dtype="float32"))
    await engine.start()
    try:
        service = CompletionService(Config(), Metrics())
        service.ready(engine, checkpoint)
        model = await service.GetModel(pb.GetModelRequest(), Here())
        line = f"healing is off with words: {WHY['word-piece']}"
        assert (model.arm, model.healing, model.healing_reason) == (
            "naive_psm", pb.HEALING_OFF, line)  # fmt: skip
        for healing in pb.Healing.values():
            ask = pb.CompleteRequest(document=DOCUMENT)
            ask.options.CopyFrom(
                pb.GenerationOptions(max_tokens=6, healing=healing, candidates=2, include_raw=True)
            )
            answer = await service.Complete(ask, Here())
            check_completion(answer)
            assert answer.usage.healed_bytes == 0
            assert any(c.raw_text.strip() for c in answer.candidates)
        with pytest.raises(Refused) as refused:
            await service.NextBytes(pb.NextBytesRequest(document=DOCUMENT), Here())
        assert (refused.value.code, refused.value.details) == (
            grpc.StatusCode.FAILED_PRECONDITION, line)  # fmt: skip
        while await engine.running():
            await asyncio.sleep(0.01)
    finally:
        await engine.stop()
