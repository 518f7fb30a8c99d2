"""The law on the real engine in float32, against transformers: the same sums from other logits."""

import asyncio
import random

import pytest
import torch

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.healing.arms import ARMS
from completion.healing.healer import Healer
from completion.healing.search import Effort
from completion.prompt.views import DocumentView

pytestmark = pytest.mark.engine

CUTS = 200
WITHIN = 1e-4
"""Of a log-probability. Two implementations of one float32 model differ by about 1e-5."""
SMALL = Effort(tolerance=1e-2, budget=8)


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


@pytest.fixture(scope="module")
async def engine(checkpoint):
    engine = VllmEngine(checkpoint, ModelConfig(dtype="float32"))
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture(scope="module")
def reference(checkpoint):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32)

    @torch.no_grad()
    def rows(prompt, contexts):
        found = []
        for ids in contexts:
            logits = model(torch.tensor([[*prompt, *ids]])).logits[0, -1]
            found.append(torch.log_softmax(logits.float(), 0))
        return found

    return rows


def _cuts(checkpoint, healer, count):
    """Prompts and what is covered behind them, at random places of a real file."""
    source = (checkpoint.path.parents[1] / "server" / "service.py").read_bytes()
    builder, rng = checkpoint.prompt_builder(), random.Random(7)
    while count:
        at = rng.randrange(300, len(source) - 300)
        typed = healer.typed(source[at - 300 : at], ARMS["exact_spm"])
        if not typed:
            continue
        document = DocumentView(
            prefix=source[at - 300 : at - len(typed)], suffix=source[at : at + 200]
        )
        yield builder.build(document, max_tokens=64).token_ids, typed
        count -= 1


async def test_laws_agree_with_another_implementation(checkpoint, engine, reference):
    healer = Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)
    worst = 0.0
    for prompt, typed in _cuts(checkpoint, healer, CUTS):
        rows = healer.behind(prompt)
        law = await healer.law(rows, typed, SMALL, following=True)
        other = type(law)(law._vocabulary, typed)
        contexts = list(law.expanded)
        for ids, row in zip(contexts, reference(prompt, contexts), strict=True):
            other.expand(ids, row)
        differences = [abs(law.log_mass - other.log_mass)]
        for ids, context in law.expanded.items():
            differences.append(abs(context.log_weight - other.expanded[ids].log_weight))
        ours, theirs = law.next_bytes(), other.next_bytes()
        both = torch.isfinite(ours) & torch.isfinite(theirs)
        assert bool((torch.isfinite(ours) == torch.isfinite(theirs)).all())
        differences.append(float((ours - theirs)[both].abs().max()))
        worst = max(worst, *differences)
    print(f"worst difference of {CUTS} cuts: {worst:.2e}")
    assert worst < WITHIN


async def test_with_nothing_to_cover_it_is_the_model_s_own_softmax(checkpoint, engine):
    healer = Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)
    prompt = checkpoint.prompt_builder().build(DocumentView(prefix=b"x = 1\n")).token_ids
    law = await healer.law(healer.behind(prompt), b"", SMALL, following=True)
    (row,) = await engine.next_laws([prompt])
    first = torch.zeros(257, dtype=torch.float64)
    for token, text in enumerate(checkpoint.vocabulary.token_bytes):
        first[text[0] if text else 256] += float(torch.exp(row[token].double()))
    assert float((torch.exp(law.next_bytes()) - first).abs().max()) < 1e-6


async def test_rows_are_the_same_cached_or_not_alone_or_among_others(checkpoint, engine):
    prompt = checkpoint.encoder.encode(b"def f(x):\n    return x\n" * 12)[:90]
    (alone,) = await engine.next_laws([prompt])
    stats = RequestStats()
    (cached,) = await engine.next_laws([prompt], stats)
    assert stats.cached_tokens >= 32

    async def traffic():
        async for _ in engine.generate(prompt[:50], Sampling(max_tokens=24), RequestStats()):
            pass

    others = [asyncio.create_task(traffic()) for _ in range(6)]
    among = await engine.next_laws([prompt[:n] for n in (90, 40, 70, 90)])
    await asyncio.gather(*others)
    for row in (cached, among[0], among[3]):
        assert float((row - alone).abs().max()) < WITHIN


async def test_rows_that_nobody_waits_for_leave_nothing_behind(checkpoint, engine):
    for number in range(100):
        prompt = checkpoint.encoder.encode(b"x = %d\n" % number * 40)
        asking = asyncio.create_task(engine.next_laws([prompt, prompt[:50]]))
        while not asking.done() and not await engine.running():
            await asyncio.sleep(0)
        if not asking.done():
            break  # now and then it has its rows before the engine was looked at
    assert not asking.done()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    while await engine.running():
        await asyncio.sleep(0.001)
    (row,) = await engine.next_laws([prompt])
    assert float(torch.exp(row.double()).sum()) == pytest.approx(1.0, abs=1e-4)


async def test_the_law_does_not_depend_on_how_the_engine_works(checkpoint, engine):
    """Last here: the engines of one process share a fork server, which ends with the first stop."""
    healer = Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)
    cuts = list(_cuts(checkpoint, healer, 4))
    known = [await healer.law(healer.behind(p), t, SMALL, following=False) for p, t in cuts]
    for arguments in (
        ("block_size=64",),
        ("enable_prefix_caching=false",),
        ("max_num_batched_tokens=64", "max_num_seqs=8", "enable_chunked_prefill=true"),
    ):
        other = VllmEngine(checkpoint, ModelConfig(dtype="float32", engine_args=arguments))
        await other.start()
        try:
            second = Healer(other, checkpoint.vocabulary, checkpoint.encoder.encode)
            for (prompt, typed), one in zip(cuts, known, strict=True):
                two = await second.law(second.behind(prompt), typed, SMALL, following=False)
                assert one.log_mass == pytest.approx(two.log_mass, abs=WITHIN), arguments
                assert one.best_leaves(1)[0].ids == two.best_leaves(1)[0].ids
        finally:
            await other.stop()
