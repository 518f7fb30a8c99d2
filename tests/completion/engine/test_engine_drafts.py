"""Drafts on the real engine: the same tokens and probabilities as without them, sooner."""

import asyncio
import random
from collections import Counter
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

import completion.server
from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.prompt.views import DocumentView
from completion.workspace.request import Mixing

pytestmark = pytest.mark.engine

WITHIN = 1e-4
"""Of a log-probability, as in the tests of healing."""
ONE, TWO = "1" * 32, "2" * 32
TOKENS = 40
SOURCES = {
    path.name: path.read_bytes()
    for path in sorted(Path(completion.server.__file__).parent.glob("*.py"))
}
OTHER = {"other.py": b"def frobnicate(alpha, beta):\n    gamma = alpha.hidden(TOKEN)\n" * 9}
SMALL = ("num_gpu_blocks_override=24", "max_num_batched_tokens=64", "max_num_seqs=8",
         "max_model_len=512", "enable_chunked_prefill=true")  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


@pytest.fixture(scope="module")
async def engines(checkpoint):
    """Without drafts, and with them; both hold two workspaces."""
    found = [VllmEngine(checkpoint, ModelConfig(dtype="float32", draft_tokens=n)) for n in (0, 6)]
    for engine in found:
        await engine.start()
        for identity, files in ((ONE, SOURCES), (TWO, OTHER)):
            await hold(engine, checkpoint, identity, files)
    yield found
    for engine in found:
        assert await engine.running() == 0
        await engine.stop()


async def hold(engine, checkpoint, identity, files):
    changes = [
        ["put", path, np.array(checkpoint.encoder.encode(text), np.int32).tobytes()]
        for path, text in files.items()
    ]
    await engine.workspaces("change", identity, [], changes)


def cursors(checkpoint, count, seed=0):
    """Prompts at cursors of real files, each with one workspace, the other, or none mixed in."""
    rng = random.Random(seed)
    builder = checkpoint.prompt_builder(layout="spm")
    for number in range(count):
        path = rng.choice(list(SOURCES))
        text = SOURCES[path]
        at = rng.randrange(200, len(text))
        view = DocumentView(
            prefix=text[max(0, at - 1200) : at], suffix=text[at : at + 300], path=path
        )
        prompt = builder.build(view, max_tokens=64)
        mixing = Mixing(
            (ONE, TWO)[number % 3 % 2], "1.0", path,
            (prompt.prefix_start, prompt.prefix_start + prompt.prefix_tokens),
            (prompt.suffix_start, prompt.suffix_start + prompt.suffix_tokens),
            len(prompt.token_ids),
        )  # fmt: skip
        yield prompt.token_ids, (None if number % 3 == 2 else mixing)


async def drawn(engine, prompt, mixing=None, **how):
    """The tokens of a request and their log-probabilities."""
    sampling = Sampling(**{"max_tokens": TOKENS, "mixing": mixing} | how)
    ids, log_probs = [], []
    async with aclosing(engine.generate(prompt, sampling, RequestStats())) as steps:
        async for step in steps:
            ids += step.token_ids
            log_probs += step.log_probs
    return ids, log_probs


async def drafted(engine):
    """How many drafts there were, and how many of them were right."""
    await engine.running()
    return np.array([engine.work.drafted, engine.work.accepted])


def same(one, other):
    return one[0] == other[0] and np.allclose(one[1], other[1], atol=WITHIN)


async def test_drafts_change_neither_tokens_nor_probabilities(checkpoint, engines):
    plain, drafting = engines
    before, drew = await drafted(drafting), 0
    for prompt, mixing in cursors(checkpoint, 60):
        expected = await drawn(plain, prompt, mixing, stop_token_ids=checkpoint.stop_ids)
        found = await drawn(drafting, prompt, mixing, stop_token_ids=checkpoint.stop_ids)
        assert same(found, expected)
        drew += len(found[0])
    tried, right = await drafted(drafting) - before
    assert right > drew / 5, "or there was nothing to be seen"
    assert right < tried, "and some are wrong"
    assert not (await drafted(plain)).any()


async def test_many_at_once_answer_as_each_alone(checkpoint, engines):
    """Workspaces, the prompt's own text and none of it, begun at different times in one batch."""
    plain, drafting = engines
    cases = list(cursors(checkpoint, 24, seed=1))
    lengths = [1 + n * 7 % TOKENS for n in range(len(cases))]

    async def one(engine, number):
        await asyncio.sleep(number % 5 * 0.01)
        prompt, mixing = cases[number]
        return await drawn(engine, prompt, mixing, max_tokens=lengths[number])

    alone = [await one(plain, number) for number in range(len(cases))]
    together = await asyncio.gather(*(one(drafting, number) for number in range(len(cases))))
    differ = [n for n in range(len(cases)) if not same(alone[n], together[n])]
    assert len(differ) <= 1, "a batch may round a tie the other way"
    assert all(len(ids) <= n for (ids, _), n in zip(together, lengths, strict=True))


async def test_greedy_requests_beside_drawn_and_masked_ones_answer_as_alone(checkpoint, engines):
    """A batch that is not all greedy goes through another sampler."""
    plain, drafting = engines
    cases = list(cursors(checkpoint, 8, seed=2))
    alone = [await drawn(plain, *case) for case in cases]
    some = checkpoint.encoder.encode(b"self.value = (0, 1)\n")
    greedy = [drawn(drafting, *case) for case in cases]
    others = [
        drawn(drafting, *case, temperature=0.8, top_p=0.9, seed=n) for n, case in enumerate(cases)
    ]
    masked = drawn(drafting, *cases[0], allowed_token_ids=tuple(some))
    *together, (few, _) = await asyncio.gather(*greedy, *others, masked)
    assert set(few) <= set(some)
    agree = sum(same(*pair) for pair in zip(alone, together[: len(cases)], strict=True))
    assert agree >= len(cases) - 1, "a batch may round a tie the other way"


@pytest.mark.parametrize("together", [64, 3])
async def test_what_is_drawn_at_a_temperature_has_the_law_of_its_row(checkpoint, engines, together):
    """The second token behind a first, which was drafted where it is what the text had before.

    Few requests at once are decoded ahead, many are not.
    """
    plain, drafting = engines
    text = OTHER["other.py"] + b"def frobnicate(alpha, beta):\n    gamma"
    prompt = checkpoint.encoder.encode(text)
    mixing = Mixing(ONE, "1.0", "x.py", (0, len(prompt)), (0, 0), len(prompt))
    before = await drafted(drafting)
    draws, turn = 1000, asyncio.Semaphore(together)

    async def one():
        async with turn:
            return await drawn(drafting, prompt, mixing, max_tokens=3, temperature=1.6)

    some = await asyncio.gather(*(one() for _ in range(draws)))
    tried, right = await drafted(drafting) - before
    assert draws / 4 < right < 0.95 * tried
    (first, _), *_ = Counter(ids[0] for ids, _ in some).most_common()
    behind = Counter(ids[1] for ids, _ in some if ids[0] == first and len(ids) > 1)
    (law,) = await plain.next_laws([[*prompt, first]], mixing=mixing)
    total = sum(behind.values())
    expected = (law / 1.6).softmax(0).double().numpy() * total
    often = np.flatnonzero(expected >= 5)
    seen = np.array([behind[int(token)] for token in often], float)
    rest = total - expected[often].sum()
    chi = ((seen - expected[often]) ** 2 / expected[often]).sum()
    chi += (total - seen.sum() - rest) ** 2 / rest
    freedom = len(often)
    assert freedom >= 1
    assert chi < freedom + 6 * (2 * freedom) ** 0.5, "six standard deviations"
    for ids, log_probs in some[:20]:
        rows = await plain.next_laws([[*prompt, *ids[:n]] for n in range(len(ids))], mixing=mixing)
        own = [float(row[token]) for row, token in zip(rows, ids, strict=True)]
        assert own == pytest.approx(log_probs, abs=WITHIN), "untempered, each its own row's"


async def test_the_same_seed_draws_the_same_text_with_drafts_and_without(checkpoint, engines):
    plain, drafting = engines
    cases = list(cursors(checkpoint, 8, seed=4))
    how = {"temperature": 0.7, "top_p": 0.95, "seed": 11}
    alone = [await drawn(plain, *case, **how) for case in cases]
    others = (drawn(drafting, *case) for case in cases)
    together = await asyncio.gather(*(drawn(drafting, *case, **how) for case in cases), *others)
    agree = sum(same(*pair) for pair in zip(alone, together[: len(cases)], strict=True))
    assert agree >= len(cases) - 1, "a batch may round a tie the other way"


@pytest.mark.parametrize("drafts", [0, 6])
async def test_a_seeded_request_read_in_several_steps_draws_as_in_one(checkpoint, engines, drafts):
    """vLLM winds its generator back for every part, which a CPU's cannot be."""
    config = ModelConfig(
        dtype="float32", context_tokens=512, engine_args=SMALL, draft_tokens=drafts
    )
    prompt = checkpoint.encoder.encode(SOURCES["service.py"])[:200]
    how = {"temperature": 0.7, "seed": 5, "max_tokens": 12}
    engine = VllmEngine(checkpoint, config)
    await engine.start()
    try:
        assert same(await drawn(engine, prompt, **how), await drawn(engines[0], prompt, **how))
    finally:
        await engine.stop()


async def test_a_request_that_is_preempted_says_what_it_says_alone(checkpoint):
    config = ModelConfig(dtype="float32", context_tokens=512, engine_args=SMALL)
    engine = VllmEngine(checkpoint, config)
    await engine.start()
    try:
        await hold(engine, checkpoint, ONE, SOURCES)
        text = checkpoint.encoder.encode(SOURCES["service.py"])
        prompts = [text[n : n + 240] for n in range(0, 600, 100)]

        async def one(prompt):
            mixing = Mixing(ONE, "1.0", "service.py", (0, len(prompt)), (0, 0), len(prompt))
            return await drawn(engine, prompt, mixing, max_tokens=100)

        alone = [await one(prompt) for prompt in prompts]
        together = await asyncio.gather(*map(one, prompts))
        cache = engine._llm.vllm_config.cache_config
        need = sum(len(prompt) + 100 for prompt in prompts)
        assert cache.num_gpu_blocks_override * cache.block_size < need, "or none is preempted"
        assert (await drafted(engine))[1] > 50
        agree = sum(same(*pair) for pair in zip(alone, together, strict=True))
        assert agree >= len(prompts) - 1, "a batch may round a tie the other way"
        for _ in range(200):
            if not await engine.running():
                break
        assert await engine.running() == 0
    finally:
        await engine.stop()


async def test_the_last_places_of_a_context_are_reached_with_drafts(checkpoint):
    """Where there is no room for all drafts of a step any more."""
    engines = [
        VllmEngine(checkpoint, ModelConfig(dtype="float32", context_tokens=256, draft_tokens=n))
        for n in (0, 6)
    ]
    prompt = checkpoint.encoder.encode(b"x = [1, 2, 3]\ny = [1, 2, 3]\n" * 40)[:200]
    found = []
    for engine in engines:
        await engine.start()
        try:
            found.append(await drawn(engine, prompt, max_tokens=56))
        finally:
            await engine.stop()
    assert len(found[0][0]) == 56
    assert same(*found)


@pytest.mark.parametrize(
    ("tokens", "drafts", "kept"),
    [([7, 8, 9], [7, 8], 3), ([7, 8, 9], [7, 9], 2), ([7, 8, 9], [6, 8], 1), ([5], [], 1)],
)
def test_a_draft_is_right_where_it_is_what_the_row_before_it_drew_and_all_before_it_are(
    tokens, drafts, kept
):
    from completion.engine.confirming_v1 import Confirming

    confirming = Confirming(None)
    assert confirming.count(tokens, drafts) == kept
    assert (confirming.tried, confirming.right) == (len(drafts), kept - 1)


async def test_without_workspaces_or_where_asked_for_there_are_no_drafts(checkpoint):
    for options in ({"workspace_tokens": 0}, {"engine_args": ("async_scheduling=true",)}):
        engine = VllmEngine(checkpoint, ModelConfig(**options))
        await engine.start()
        try:
            assert not engine.drafts
            assert len((await drawn(engine, [5, 6, 7], max_tokens=8))[0]) == 8
        finally:
            await engine.stop()
