"""How candidates of an exact arm begin, against every leaf of a toy model's full cover."""

import asyncio
import math
from contextlib import aclosing

import pytest

from completion.engine.base import Sampling
from completion.errors import CaretError
from completion.filters.cursor import Cursor, Lines
from completion.filters.stop_rule import StopRule
from completion.healing.arms import Heals
from completion.healing.healer import Healer
from completion.healing.vocabulary import Vocabulary
from completion.prompt.views import Prompt
from completion.server.branches import Brancher
from completion.server.candidate import generate
from tests.completion.healing.toy import END_ID, TEXTS, Toy
from tests.completion.healing.toy_engine import ToyEngine

VOCABULARY = Vocabulary(
    token_bytes=TEXTS, special={"<end>": END_ID}, special_ids=frozenset({END_ID}),
    byte_ids=tuple(TEXTS.index(bytes([b])) if bytes([b]) in TEXTS else -1 for b in range(256)),
    spelling="byte_level", dummy_prefix=False, text_tokens={},
)  # fmt: skip
TYPED = [b"a", b"ab", b"ba", b"aba", b"abab", b"bbaab"]
PROMPT = [0, 1]
GREEDY = Sampling(max_tokens=3, stop_token_ids=(END_ID,))


def encode(data: bytes) -> list[int]:
    """The longest token first: one way to spell anything."""
    ids = []
    while data:
        best = max((t for t in TEXTS if t and data.startswith(t)), key=len)
        ids.append(TEXTS.index(best))
        data = data[len(best) :]
    return ids


def prompt_of(typed):
    return Prompt(
        token_ids=list(PROMPT), pieces=(), used=(), dropped=(), stable_tokens=0, arm="exact_spm",
        typed=typed, prefix_text=b"", prefix_start=0, prefix_tokens=0, prefix_bytes=0,
        suffix_text=b"", suffix_start=0, suffix_tokens=0, joined=True,
    )  # fmt: skip


def brancher(engine):
    healer = Healer(engine, VOCABULARY, encode)
    return Brancher(engine, VOCABULARY, (END_ID,), healer)


def leaves_of(toy, typed):
    """Every leaf of the cover behind PROMPT with its log-probability, best first."""
    found, stack = [], [()]
    while stack:
        ids = stack.pop()
        rest = typed[len(toy.spell(ids)) :]
        for token, text in enumerate(TEXTS):
            if text and text.startswith(rest):
                row = [*PROMPT, *ids, token]
                log_prob = sum(
                    float(toy.row(tuple(row[:n]))[row[n]]) for n in range(len(PROMPT), len(row))
                )
                found.append((log_prob, (*ids, token)))
            elif text and rest.startswith(text):
                stack.append((*ids, token))
    return sorted(found, reverse=True)


async def begun_and_settled(engine, typed, samplings):
    """The branches in the end, whatever was guessed, and whether the guess was overturned."""
    begun = await brancher(engine).begin(prompt_of(typed), Heals.EXACT, samplings)
    async with aclosing(begun):
        better = await begun.verdict()
    return (better or begun).branches, better is not None


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("cached", [0.0, 0.7])
async def test_a_greedy_candidate_begins_with_the_best_leaf_of_the_full_cover(typed, cached):
    overturned = 0
    for seed in range(40):
        toy = Toy(seed)
        engine = ToyEngine(toy, seed=seed, cached=cached)
        (branch,), changed = await begun_and_settled(engine, typed, [GREEDY])
        overturned += changed
        assert branch.tokens == leaves_of(toy, typed)[0][1]
        assert engine.open == 0
    if typed == b"bbaab":
        assert overturned, "nothing here would fail if the verdict were never asked for"


@pytest.mark.parametrize("typed", TYPED)
async def test_several_greedy_candidates_are_the_best_leaves_in_order(typed):
    for seed in range(15):
        toy = Toy(seed)
        engine = ToyEngine(toy, seed=seed)
        branches, _ = await begun_and_settled(engine, typed, [GREEDY] * 4)
        assert [b.tokens for b in branches] == [ids for _, ids in leaves_of(toy, typed)[:4]]
        assert engine.open == 0


@pytest.mark.parametrize("typed", TYPED)
async def test_the_text_behind_the_leaf_is_what_plain_decoding_gives_there(typed):
    for seed in range(15):
        toy = Toy(seed)
        engine = ToyEngine(toy, seed=seed)
        begun = await brancher(engine).begin(prompt_of(typed), Heals.EXACT, [GREEDY])
        branch = ((await begun.verdict()) or begun).branches[0]
        made = await generate(
            engine, VOCABULARY, PROMPT, GREEDY, _rule(), branch=branch, deadline=None,
            to_the_end=True,
        )  # fmt: skip
        await begun.aclose()
        ids = [*PROMPT, *leaves_of(toy, typed)[0][1]]
        expected = toy.spell(tuple(ids[len(PROMPT) :]))[len(typed) :]
        for _ in range(GREEDY.max_tokens - bool(expected)):
            token = int(toy.row(tuple(ids)).argmax())
            if token == END_ID:
                break
            ids.append(token)
            expected += TEXTS[token]
        assert made.raw == expected
        assert len(made.ends) <= GREEDY.max_tokens
        assert engine.open == 0


async def test_leaves_are_drawn_as_often_as_they_are_probable():
    toy, typed, count = Toy(3), b"ab", 3000
    samplings = [
        Sampling(max_tokens=1, stop_token_ids=(END_ID,), temperature=0.8, seed=seed)
        for seed in range(count)
    ]
    branches, _ = await begun_and_settled(ToyEngine(toy), typed, samplings)
    leaves = leaves_of(toy, typed)
    weights = [math.exp(log_prob / 0.8) for log_prob, _ in leaves]
    found = [sum(b.tokens == ids for b in branches) for _, ids in leaves]
    expected = [count * weight / sum(weights) for weight in weights]
    kept = [(f, e) for f, e in zip(found, expected, strict=True) if e > 5]
    statistic = sum((f - e) ** 2 / e for f, e in kept)
    assert statistic < len(kept) + 5 * math.sqrt(2 * len(kept))
    assert sum(found) == count


async def test_the_leaf_and_the_token_behind_it_are_drawn_independently():
    """One seed gives both: were they drawn from the same numbers, they would go together."""
    toy, typed, count = Toy(5), b"b", 4000
    pairs = {}
    for seed in range(count):
        sampling = Sampling(max_tokens=2, stop_token_ids=(END_ID,), temperature=1.0, seed=seed)
        engine = ToyEngine(toy, delays=1)
        (branch,), _ = await begun_and_settled(engine, typed, [sampling])
        if branch.tokens == (1,):
            steps = engine.generate([*PROMPT, 1], sampling, None)
            token = (await anext(steps)).token_ids[0]
            await steps.aclose()
            pairs[token] = pairs.get(token, 0) + 1
    total = sum(pairs.values())
    for token, probability in enumerate(toy.row((*PROMPT, 1)).exp().tolist()):
        error = math.sqrt(probability * (1 - probability) / total)
        assert abs(pairs.get(token, 0) / total - probability) < 4.5 * error


@pytest.mark.parametrize("number", range(4))
async def test_a_request_that_fails_ends_all_the_others(number):
    for seed in range(12):
        engine = ToyEngine(Toy(seed), seed=seed, failing=[number])
        try:
            await begun_and_settled(engine, b"bbaab", [GREEDY])
        except CaretError:
            assert number < engine.asked
        for _ in range(8):
            await asyncio.sleep(0)
        assert engine.open == 0


@pytest.mark.parametrize("turns", range(0, 90))
async def test_given_up_at_any_moment_nothing_goes_on(turns):
    engine = ToyEngine(Toy(7), seed=turns, delays=6)
    task = asyncio.ensure_future(begun_and_settled(engine, b"bbaab", [GREEDY] * (1 + turns % 2)))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for _ in range(12):
        await asyncio.sleep(0)
    assert engine.open == 0


async def test_the_next_key_of_a_word_asks_for_nothing_that_is_known():
    toy = Toy(11)
    engine = ToyEngine(toy)
    begins = brancher(engine)
    for typed in (b"a", b"ab", b"aba"):
        before = len(engine.prompts)
        begun = await begins.begin(prompt_of(typed), Heals.EXACT, [GREEDY])
        branch = ((await begun.verdict()) or begun).branches[0]
        await begun.aclose()
        assert branch.tokens == leaves_of(toy, typed)[0][1]
    # 'aba' by itself is one token: all that its first laws need is the law behind the prompt.
    assert tuple(PROMPT) + tuple(encode(b"aba")) not in engine.prompts[before:]


def _rule():
    return StopRule(Cursor(prefix=b"", suffix=b"", language=None, lines=Lines.MULTI, eol=b"\n"))
