"""Byte-greedy decoding and the mean of models, against enumeration on toy models."""

import math

import pytest
import torch

from completion.healing.byte_decoding import (
    ByteModel,
    Care,
    average,
    byte_greedy,
    read,
    shares,
)
from completion.healing.law import END
from tests.completion.healing.byte_models import OTHER, ToyEngine
from tests.completion.healing.toy import Toy

EXACT = Care(tolerance=0.0, surprise=1.0, settled=-1.0, longest=1000, budget=1000)
"""All of the cover: nothing is left out, and the trunk never moves."""
WITHIN = 1e-6
"""Rows are in single precision, as any engine gives them."""


def model(toy, care=None, prompt=(), context_tokens=64):
    engine = ToyEngine(toy, context_tokens)
    return ByteModel.behind(engine, toy.vocabulary, list(prompt), care), engine


def exact(toy, text):
    """Return the law of the next byte by its definition, over every sequence."""
    whole = toy.mass(text)
    law = [0.0] * 257
    for byte in b"ab":
        law[byte] = toy.mass(text + bytes([byte])) / whole
    law[END] = 1 - law[ord("a")] - law[ord("b")]
    return torch.tensor(law, dtype=torch.float64)


def likeliest(law):
    return int(torch.argmax(law))


@pytest.mark.parametrize("seed", range(20))
async def test_it_takes_the_likeliest_byte_until_the_end_is_likeliest(seed):
    toy = Toy(seed)
    ours, _ = model(toy)
    decoded = await byte_greedy([ours], limit=8)
    text = b""
    while len(text) < 8 and (best := likeliest(exact(toy, text))) != END:
        text += bytes([best])
    assert decoded.text == text
    assert decoded.ended == ("limit" if len(text) == 8 else "end")
    assert decoded.doubtful == 0
    if decoded.ended == "end":
        assert len(decoded.log_probs) == len(text) + 1


async def test_its_probabilities_are_those_of_the_text():
    for seed in range(10):
        toy = Toy(seed)
        ours, _ = model(toy, EXACT)
        law = await ours.next_bytes()
        torch.testing.assert_close(law.exp(), exact(toy, b""), rtol=0, atol=WITHIN)
        for byte in b"abba":
            ours.push(byte)
        law = await ours.next_bytes()
        torch.testing.assert_close(law.exp(), exact(toy, b"abba"), rtol=0, atol=WITHIN)


@pytest.mark.parametrize("parts", [(0.5, 0.5), (0.8, 0.2)])
@pytest.mark.parametrize("seed", range(6))
async def test_two_vocabularies_are_averaged_byte_by_byte_with_their_end(seed, parts):
    one, two = Toy(seed), Toy(seed + 100, OTHER)
    models = [model(one, EXACT)[0], model(two, EXACT)[0]]
    text = b""
    for byte in b"abab":
        mean = average([await each.next_bytes() for each in models], parts)
        expected = parts[0] * exact(one, text) + parts[1] * exact(two, text)
        torch.testing.assert_close(mean.exp(), expected, rtol=0, atol=WITHIN)
        assert float(mean.exp().sum()) == pytest.approx(1.0, abs=1e-12)
        for each in models:
            each.push(byte)
        text += bytes([byte])


@pytest.mark.parametrize("seed", range(20))
async def test_two_models_decode_what_is_likeliest_in_their_mean(seed):
    one, two = Toy(seed), Toy(seed + 100, OTHER)
    decoded = await byte_greedy([model(one)[0], model(two)[0]], weights=(3, 1), limit=6)
    text = b""
    while len(text) < 6:
        mean = 0.75 * exact(one, text) + 0.25 * exact(two, text)
        if likeliest(mean) == END:
            break
        text += bytes([likeliest(mean)])
    assert decoded.text == text


async def test_the_mean_is_neither_model_s_own_choice_always():
    """Else the average would be no more than a switch between the two."""
    differing = 0
    for seed in range(40):
        one, two = Toy(seed), Toy(seed + 100, OTHER)
        alone = [(await byte_greedy([model(toy)[0]], limit=5)).text for toy in (one, two)]
        both = (await byte_greedy([model(one)[0], model(two)[0]], limit=5)).text
        differing += both not in alone
    assert differing > 3


async def test_twice_the_same_model_is_that_model():
    for seed in range(10):
        toy = Toy(seed)
        alone = await byte_greedy([model(toy)[0]], limit=12)
        twice = await byte_greedy([model(toy)[0], model(toy)[0]], weights=(0.3, 0.7), limit=12)
        assert twice.text == alone.text
        assert twice.ended == alone.ended
        assert twice.log_probs == pytest.approx(alone.log_probs, abs=1e-9)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, -1.0), (1.0, math.nan), (1, 2, 3)])
async def test_weights_are_one_above_0_for_each_model(weights):
    models = [model(Toy(1))[0], model(Toy(2))[0]]
    with pytest.raises(ValueError, match="2 models want 2 weights"):
        await byte_greedy(models, weights=weights, limit=1)
    assert shares((1, 3), 2) == [0.25, 0.75]
    assert shares((), 4) == [0.25] * 4


async def test_it_stops_where_the_caller_says_so_and_at_the_limit():
    toy = Toy(11)
    free = await byte_greedy([model(toy)[0]], limit=6)
    assert len(free.text) >= 3
    heard = []

    def after_two(new):
        heard.append(new)
        return len(heard) == 2

    stopped = await byte_greedy([model(toy)[0]], limit=6, stop=after_two)
    assert (stopped.text, stopped.ended) == (free.text[:2], "stop")
    assert b"".join(heard) == free.text[:2]
    limited = await byte_greedy([model(toy)[0]], limit=3)
    assert (limited.text, limited.ended) == (free.text[:3], "limit")


async def test_what_was_typed_is_pushed_before_anything_is_asked():
    for seed in range(10):
        toy = Toy(seed)
        ours, engine = model(toy, EXACT)
        for byte in b"abb":
            ours.push(byte)
        assert engine.asked == []
        law = await ours.next_bytes()
        torch.testing.assert_close(law.exp(), exact(toy, b"abb"), rtol=0, atol=WITHIN)


async def test_no_row_is_asked_for_twice_and_all_are_behind_prompt_and_trunk():
    toy, prompt, text = Toy(7), (0, 2), b"ab" * 12
    ours, engine = model(toy, Care(settled=0.3, longest=4), prompt)
    for byte in text:
        await ours.next_bytes()
        ours.push(byte)
    assert len(engine.asked) == len(set(engine.asked)) == ours.rows_asked
    assert all(asked[:2] == prompt for asked in engine.asked)
    spelled = toy.spell(ours.trunk)
    assert text.startswith(spelled)
    assert len(text) - len(spelled) <= 4 + 3  # the longest token may reach over it


async def test_a_moved_trunk_keeps_the_cost_of_a_byte_where_it_is():
    toy = Toy(7)
    costs = []
    for limit in (20, 40):
        ours, _ = model(toy, Care(settled=0.3, longest=4))
        for byte in (b"ab" * 20)[:limit]:
            await ours.next_bytes()
            ours.push(byte)
        costs.append(ours.rows_asked)
    assert costs[1] <= 2.5 * costs[0]


async def test_beyond_its_room_a_model_is_lost_and_it_is_said():
    toy = Toy(11)
    ours, engine = model(toy, context_tokens=4)
    decoded = await byte_greedy([ours], limit=100)
    assert decoded.ended == "lost"
    assert 0 < len(decoded.text) < 100
    assert max(map(len, engine.asked)) == 3


async def test_a_model_that_cannot_spell_the_text_leaves_it_to_the_others():
    one = Toy(4)
    ones, _ = model(one, EXACT)
    only_a, _ = model(Toy(5, (b"a", b"aa", b"")), EXACT)
    for byte in b"ab":
        for each in (ones, only_a):
            each.push(byte)
    laws = [await each.next_bytes() for each in (ones, only_a)]
    assert bool(laws[1].isnan().all())
    torch.testing.assert_close(
        average(laws, (0.1, 0.9)).exp(), exact(one, b"ab"), rtol=0, atol=WITHIN
    )
    assert bool(average([laws[1]], (1.0,)).isnan().all())


async def test_a_text_that_is_read_costs_what_its_bytes_cost():
    one, two = Toy(3), Toy(103, OTHER)
    text, whole, alone = b"abbab", 0.0, [0.0, 0.0]
    models = [model(one, EXACT)[0], model(two, EXACT)[0]]
    async for log_prob, each in read(models, text, weights=(0.6, 0.4)):
        whole += log_prob
        alone = [a + b for a, b in zip(alone, each, strict=True)]
    for toy, found in zip((one, two), alone, strict=True):
        assert found == pytest.approx(math.log(toy.mass(text)), abs=1e-5)
    expected = 0.0
    for at in range(len(text)):
        mean = 0.6 * exact(one, text[:at]) + 0.4 * exact(two, text[:at])
        expected += math.log(float(mean[text[at]]))
    assert whole == pytest.approx(expected, abs=1e-5)


async def test_no_byte_is_impossible_for_what_was_left_out():
    """A code has to have a word for every byte, whatever the ways that were looked at say."""
    toy, text = Toy(3), b"abbabbaabab"
    ours, _ = model(toy, Care(tolerance=0.5, settled=-1.0, longest=1000))
    impossible = possible = 0
    async for log_prob, alone in read([ours], text):
        assert math.isfinite(log_prob)
        assert alone == [pytest.approx(log_prob, rel=1e-12)]  # sums in another order
        possible += 1
    other, _ = model(toy, Care(tolerance=0.5, settled=-1.0, longest=1000))
    for byte in text:
        impossible += not math.isfinite(float((await other.next_bytes())[byte]))
        other.push(byte)
    assert possible == len(text)
    assert impossible > 0


async def test_loosely_asked_the_choice_is_certain_all_the_same():
    """The saving: a law that leaves a tenth out mostly settles which byte is likeliest."""
    loose = tight = 0
    for seed in range(30):
        toy = Toy(seed)
        ours, _ = model(toy, Care(tolerance=1e-6, surprise=1.0, settled=-1.0, longest=1000))
        decoded = await byte_greedy([ours], limit=5)
        loose += ours.rows_asked
        other, _ = model(toy, EXACT)
        for byte in decoded.text:
            assert likeliest(await other.next_bytes()) == byte
            other.push(byte)
        tight += other.rows_asked
        assert decoded.doubtful == 0
    assert loose < 0.9 * tight
