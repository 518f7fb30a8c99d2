"""The mixed law on the real engine in float32: against transformers and a law written out in full."""

import asyncio
import random

import numpy as np
import pytest
import torch

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.healing.arms import ARMS
from completion.healing.healer import Healer
from completion.healing.search import MEASURING, Effort
from completion.prompt.views import DocumentView
from completion.workspace.request import Mixing
from completion.workspace.store import Store
from tests.completion.workspace.written_out import written_out

pytestmark = pytest.mark.engine

WITHIN = 1e-4
"""Of a log-probability, as in the tests of healing."""
ROUNDING = 1e-4
"""Of a log-probability that is not small, in batches of other sizes."""
ONE, TWO = "1" * 32, "2" * 32
FILES = {
    "widget.py": b"def frobnicate(alpha, beta):\n    gamma = alpha.quux(beta)\n"
    b"    return gamma.zonk(alpha)\n",
    "use.py": b"from widget import frobnicate\n\nprint(frobnicate(gamma_one, beta=gamma_two))\n"
    * 3,
}
OTHER = {"secret.py": b"def frobnicate(alpha, beta):\n    gamma = alpha.hidden(TOKEN)\n" * 4}
DOCUMENT = (
    b"from widget import frobnicate\n\n\ndef main(alpha):\n    gamma = alpha.quux(",
    b")\n    return frobnicate(alpha, gamma)\n",
)


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


@pytest.fixture(scope="module")
async def engine(checkpoint):
    engine = VllmEngine(checkpoint, ModelConfig(dtype="float32"))
    await engine.start()
    for identity in (ONE, TWO):
        await put(engine, checkpoint, FILES if identity == ONE else OTHER, identity)
    yield engine
    assert await engine.running() == 0
    await engine.stop()


async def put(engine, checkpoint, files, identity=ONE, keep=()):
    changes = [
        ["put", path, np.array(checkpoint.encoder.encode(text), np.int32).tobytes()]
        for path, text in files.items()
    ]
    return await engine.workspaces("change", identity, list(keep), changes)


@pytest.fixture(scope="module")
def reference(checkpoint):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32)

    @torch.no_grad()
    def rows(prompt, contexts):
        found = []
        for ids in contexts:
            logits = model(torch.tensor([[*prompt, *ids]])).logits[0, -1]
            found.append(torch.log_softmax(logits.double(), 0))
        return found

    return rows


@pytest.fixture(scope="module")
def store(checkpoint):
    store = Store(len(checkpoint.vocabulary))
    for path, text in FILES.items():
        store.put(path, checkpoint.encoder.encode(text))
    return store


def asked(checkpoint, document=DOCUMENT, typed=b"", identity=ONE):
    """The prompt of a cursor and what is said of it."""
    prefix, suffix = document
    view = DocumentView(prefix=prefix[: len(prefix) - len(typed)], suffix=suffix, path="main.py")
    builder = checkpoint.prompt_builder(layout=ARMS["exact_spm"].layout)
    prompt = builder.build(view, max_tokens=64)
    mixing = Mixing(
        identity, "1.0", "main.py",
        (prompt.prefix_start, prompt.prefix_start + prompt.prefix_tokens),
        (prompt.suffix_start, prompt.suffix_start + prompt.suffix_tokens),
        len(prompt.token_ids),
    )  # fmt: skip
    return prompt.token_ids, mixing


async def test_rows_are_the_law_that_is_written_down(checkpoint, engine, reference, store):
    prompt, mixing = asked(checkpoint)
    more = checkpoint.encoder.encode(b"beta)\n    return gamma.")
    prompts = [[*prompt, *more[:n]] for n in range(len(more))]
    rows = await engine.next_laws(prompts, mixing=mixing)
    differs = 0
    for ids, row, (own,) in zip(prompts, rows, [reference(p, [()]) for p in prompts], strict=True):
        law = torch.tensor(written_out(checkpoint, own, store, mixing, ids), dtype=torch.float64)
        assert float(law.sum()) == pytest.approx(1.0, abs=1e-9)
        assert float(row.exp().sum()) == pytest.approx(1.0, abs=1e-5)
        assert float((row.exp() - law).abs().max()) < WITHIN
        assert float((row - law.log())[law > 1e-12].abs().max()) < 2e-3
        differs += float((law - own.exp()).abs().sum()) > 0.1
    assert differs > len(more) / 2, "or nothing was mixed in"


async def test_no_workspace_is_the_model_s_law_to_the_bit(checkpoint, engine):
    prompt, mixing = asked(checkpoint)
    (own,) = await engine.next_laws([prompt])
    (unknown,) = await engine.next_laws([prompt], mixing=asked(checkpoint, identity="3" * 32)[1])
    assert torch.equal(own, unknown)
    nothing = asked(checkpoint, (b"\xe4\xb8\x96\xe7\x95\x8c", b""))
    for ids, mix in ((nothing[0], nothing[1]), (nothing[0], None)):
        (row,) = await engine.next_laws([ids], mixing=mix)
        assert torch.equal(row, (await engine.next_laws([ids]))[0]), "where nothing matches"
    (other,) = await engine.next_laws([prompt], mixing=mixing)
    assert not torch.equal(own, other)


async def test_ends_keep_their_probability(checkpoint, engine):
    prompt, mixing = asked(checkpoint)
    kept = sorted(checkpoint.vocabulary.special_ids)
    (own,) = await engine.next_laws([prompt])
    (other,) = await engine.next_laws([prompt], mixing=mixing)
    assert torch.allclose(own[kept].exp(), other[kept].exp(), atol=1e-7)


async def test_tokens_are_drawn_from_the_law_of_the_rows(checkpoint, engine):
    """Greedy, step by step: each token is the best of the row behind what went before."""
    prompt, mixing = asked(checkpoint)
    ids, log_probs = await drawn(engine, checkpoint, prompt, mixing, 24)
    assert len(ids) > 8
    rows = await engine.next_laws([[*prompt, *ids[:n]] for n in range(len(ids))], mixing=mixing)
    for token, log_prob, row in zip(ids, log_probs, rows, strict=True):
        assert float(row.max()) == pytest.approx(float(row[token]), abs=1e-5)
        assert float(row[token]) == pytest.approx(log_prob, abs=WITHIN)


async def drawn(engine, checkpoint, prompt, mixing, count, **sampling):
    asked = Sampling(
        max_tokens=count, stop_token_ids=checkpoint.stop_ids, mixing=mixing, **sampling
    )
    ids, log_probs = [], []
    async for step in engine.generate(prompt, asked, RequestStats()):
        ids += step.token_ids
        log_probs += step.log_probs
    return ids, log_probs


@pytest.mark.parametrize("typed", [b"alpha.qu", b"quux(", b"gam", b"frob"])
async def test_the_next_byte_is_the_sum_over_the_cover(checkpoint, engine, reference, store, typed):
    """The law of healing over rows of the mixture, against one over rows mixed by hand."""
    healer = Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)
    prompt, mixing = asked(checkpoint, (DOCUMENT[0] + typed, DOCUMENT[1]), typed)
    law = await healer.law(healer.behind(prompt, mixing), typed, MEASURING, following=True)
    plain = await healer.law(healer.behind(prompt), typed, MEASURING, following=True)
    other = type(law)(law._vocabulary, typed)
    contexts = list(law.expanded)
    for ids, row in zip(contexts, reference(prompt, contexts), strict=True):
        whole = [*prompt, *ids]
        other.expand(
            ids, torch.tensor(written_out(checkpoint, row, store, mixing, whole)).log().float()
        )
    assert law.log_mass == pytest.approx(other.log_mass, abs=1e-3)
    ours, theirs = law.next_bytes().exp(), other.next_bytes().exp()
    assert float(ours.nan_to_num().sum()) == pytest.approx(1.0, abs=1e-5)
    assert float((ours - theirs).nan_to_num().abs().max()) < WITHIN
    assert abs(law.log_mass - plain.log_mass) > 1e-3, "or nothing was mixed in"


async def test_the_law_behind_a_prompt_is_remembered_for_its_view_alone(checkpoint, engine):
    healer = Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)
    prompt, mixing = asked(checkpoint)
    small = Effort(tolerance=1e-2, budget=8)
    one = await healer.law(healer.behind(prompt, mixing), b"be", small, following=False)
    none = await healer.law(healer.behind(prompt), b"be", small, following=False)
    again = await healer.law(healer.behind(prompt, mixing), b"be", small, following=False)
    assert one.log_mass == again.log_mass
    assert one.log_mass != none.log_mass


async def test_a_request_sees_one_state_to_its_end(checkpoint, engine):
    identity = "4" * 32
    await put(engine, checkpoint, FILES, identity)
    prompt, mixing = asked(checkpoint, identity=identity)
    alone, _ = await drawn(engine, checkpoint, prompt, mixing, 32)
    running = asyncio.create_task(drawn(engine, checkpoint, prompt, mixing, 32))
    other = {"widget.py": FILES["widget.py"].replace(b"zonk", b"never").replace(b"beta", b"delta")}
    keep = [[mixing.view, mixing.path]]
    for _ in range(8):
        await put(engine, checkpoint, other, identity, keep)
        await asyncio.sleep(0.005)
    assert (await running)[0] == alone
    assert (await drawn(engine, checkpoint, prompt, mixing, 32))[0] == alone, "while it is kept"
    (before,) = await engine.next_laws([prompt], mixing=mixing)
    await put(engine, checkpoint, other, identity)
    (after,) = await engine.next_laws([prompt], mixing=mixing)
    assert float((before.exp() - after.exp()).abs().max()) > 0.01, "it is kept no longer"
    await engine.workspaces("close", identity)
    own, _ = await drawn(engine, checkpoint, prompt, None, 32)
    assert (await drawn(engine, checkpoint, prompt, mixing, 32))[0] == own


async def load(engine, checkpoint, identity, files, rng):
    """Put the files one by one, some twice, while merges come when they come, and fit them."""
    for path in [*files, *list(files)[::2]]:
        await put(engine, checkpoint, {path: files[path]}, identity)
        await asyncio.sleep(rng.random() * 0.01)
    while await engine.workspaces("fit", identity) != "ready":
        await asyncio.sleep(0)
    await engine.workspaces("adopt", identity, [])


@pytest.fixture
async def neither(engine, checkpoint):
    """Neither of the module's workspaces, until the test is over."""
    for identity in (ONE, TWO):
        await engine.workspaces("close", identity)
    yield
    for identity, files in ((ONE, FILES), (TWO, OTHER)):
        await engine.workspaces("close", identity)
        await put(engine, checkpoint, files, identity)


@pytest.mark.usefixtures("neither")
async def test_two_workspaces_under_load_answer_as_each_does_alone(checkpoint, engine):
    """Each fitted by itself, then again beside the other, whose requests are in the same batches.

    Float32 sums are not the same in batches of other sizes, so that a greedy tie may fall the other way
    and all behind it is another text. So each answer under load is held against rows of its very own
    text, asked while no other workspace was there: every token has their probability, and is the best.
    """
    rng = random.Random(5)
    package = checkpoint.path.parents[1]
    code = {path.name: path.read_bytes() for path in sorted((package / "server").glob("*.py"))}
    files = {ONE: {**code, **FILES}, TWO: {**code, **OTHER}, "": {}}
    prefix, suffix = DOCUMENT
    documents = [(prefix, suffix), *((prefix[: len(prefix) - n], b"") for n in (0, 5, 9))]
    at = package / "server" / "service.py"
    documents.append((at.read_bytes()[:2000], b""))  # text of which there is much in both
    cases = []
    for identity in files:
        for document in documents:
            ids, mixing = asked(checkpoint, document, identity=identity)
            cases.append((identity, ids, mixing if identity else None))

    async def answer(case):
        _, ids, mixing = case
        found, log_probs = await drawn(engine, checkpoint, ids, mixing, 24)
        return case, tuple(found), log_probs

    alone = {}
    for identity in files:
        await load(engine, checkpoint, identity, files[identity], rng)
        alone[identity] = [await answer(case) for case in cases if case[0] == identity]
        await engine.workspaces("close", identity)
    texts = {
        identity: b" ".join(checkpoint.vocabulary.bytes_of(ids) for _, ids, _ in answers)
        for identity, answers in alone.items()
    }
    assert b"zonk" in texts[ONE] and b"hidden" in texts[TWO]

    for identity in (TWO, ONE):  # the other way round
        await load(engine, checkpoint, identity, files[identity], rng)

    async def churn():
        while True:
            await put(engine, checkpoint, {f"{rng.random()}.py": b"x = [hidden]\n" * 9}, "5" * 32)
            await asyncio.sleep(0.002)

    churning = asyncio.create_task(churn())
    try:
        order = cases * 4
        rng.shuffle(order)
        together = await asyncio.gather(*(answer(case) for case in order))
    finally:
        churning.cancel()
        await asyncio.gather(churning, return_exceptions=True)
        await engine.workspaces("close", "5" * 32)

    for identity in files:
        for other in files.keys() - {identity}:
            await engine.workspaces("close", other)
        await load(engine, checkpoint, identity, files[identity], rng)
        rows = {}
        for (of, ids, mixing), tokens, log_probs in [*together, *alone[identity]]:
            if of != identity:
                continue
            key = (tuple(ids), tokens)
            if key not in rows:
                prompts = [[*ids, *tokens[:n]] for n in range(len(tokens))]
                rows[key] = await engine.next_laws(prompts, mixing=mixing)
            for token, log_prob, row in zip(tokens, log_probs, rows[key], strict=True):
                assert log_prob == pytest.approx(float(row[token]), abs=ROUNDING)
                assert float(row.max() - row[token]) < ROUNDING
    assert len(together) == 4 * len(cases)


@pytest.mark.parametrize("temperature", [0.7, 1.0])
async def test_temperature_and_top_p_act_on_the_mixed_law(checkpoint, engine, temperature):
    prompt, mixing = asked(checkpoint)
    (row,) = await engine.next_laws([prompt], mixing=mixing)
    draws = await asyncio.gather(
        *(drawn(engine, checkpoint, prompt, mixing, 1, temperature=temperature, seed=n, top_p=0.9)
          for n in range(160))
    )  # fmt: skip
    tempered = torch.softmax(row / temperature, 0)
    ranked, order = tempered.sort(descending=True)
    kept = set(order[: int((ranked.cumsum(0) < 0.9).sum()) + 1].tolist())
    counts = {}
    for (token,), (log_prob,) in draws:
        assert token in kept
        assert float(row[token]) == pytest.approx(log_prob, abs=WITHIN)
        counts[token] = counts.get(token, 0) + 1
    best = int(order[0])
    expected = float(tempered[best]) / float(sum(tempered[t] for t in kept))
    assert counts.get(best, 0) / 160 == pytest.approx(expected, abs=0.16)
