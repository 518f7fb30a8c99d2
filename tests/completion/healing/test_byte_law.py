"""The law grown byte by byte, against the law found anew, on toy models small enough to count."""

import math

import pytest
import torch

from completion.healing.byte_law import ByteLaw
from completion.healing.law import Law
from tests.completion.healing.toy import TEXTS, Toy

NEVER = -1.0
"""A share of disagreement that the trunk never moves at."""
FAR = 1000
"""Bytes behind the trunk that no text here has."""


def filled(law, row, tolerance=0.0):
    """Expand all that ``tolerance`` asks for, behind the trunk."""
    while more := law.heaviest(tolerance=tolerance, most=1):
        law.expand(more[0].ids, row((*law.trunk, *more[0].ids)))
    return law


def typed(toy, text, tolerance=0.0):
    """Return the law behind a text that was pushed before any row was asked for."""
    law = ByteLaw(toy.vocabulary)
    for byte in text:
        law.push(byte)
    return filled(law, toy.row, tolerance)


def anew(toy, trunk, text, without=()):
    """Return the law by :class:`Law`, behind the trunk; nothing is expanded behind ``without``."""
    law = Law(toy.vocabulary, text)
    while more := [c for c in law.pending.values() if not any(_behind(c.ids, w) for w in without)]:
        law.expand(more[0].ids, toy.row((*trunk, *more[0].ids)))
    return law


def _behind(ids, way):
    return ids[: len(way)] == way


def same(ours, theirs, within=1e-12):
    torch.testing.assert_close(ours.next_bytes(), theirs.next_bytes(), rtol=0, atol=within)


def texts(length):
    return [bytes(b"ab"[n >> i & 1] for i in range(length)) for n in range(2**length)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", texts(5))
def test_grown_or_found_anew_it_is_the_same_law(seed, text):
    toy = Toy(seed)
    law = ByteLaw(toy.vocabulary)
    for at in range(len(text) + 1):
        filled(law, toy.row)
        assert law.omitted == 0.0
        same(law, anew(toy, (), text[:at]))
        if at < len(text):
            law.push(text[at])


@pytest.mark.parametrize("seed", range(8))
def test_asked_for_late_the_rows_make_the_same_law(seed):
    toy, text = Toy(seed), b"abbaba"
    same(typed(toy, text), anew(toy, (), text))


@pytest.mark.parametrize("tolerance", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("seed", range(8))
def test_what_is_left_out_is_within_its_bound_at_every_byte(seed, tolerance):
    toy, text, seen = Toy(seed), b"ababbaab", []
    law = ByteLaw(toy.vocabulary)
    for at in range(len(text)):
        filled(law, toy.row, tolerance)
        assert law.omitted <= tolerance
        exact = torch.exp(anew(toy, (), text[:at]).next_bytes())
        distance = 0.5 * float((torch.exp(law.next_bytes()) - exact).abs().sum())
        assert distance <= law.omitted + 1e-12
        seen.append(distance)
        law.push(text[at])
    assert max(seen) > 0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("settled", [0.3, 0.8])
def test_behind_a_moved_trunk_it_is_the_law_behind_that_trunk(seed, settled):
    toy, text = Toy(seed), b"abaabbabab"
    law = ByteLaw(toy.vocabulary)
    for at in range(1, len(text) + 1):
        filled(law, toy.row)
        law.push(text[at - 1])
        filled(law, toy.row)
        law.settle(settled, FAR)
        assert toy.spell(law.trunk) + law.text == text[:at]
        same(law, anew(toy, law.trunk, law.text))
    assert law.trunk
    assert law.given_up > 0


@pytest.mark.parametrize("seed", range(8))
def test_a_light_way_stays_light_behind_bytes_that_were_expected(seed):
    """It counts as if it went on as the law does, so its share stays what it was."""
    toy, text = Toy(seed), b"abb"
    law = ByteLaw(toy.vocabulary, surprise=1e-12)
    for byte in text:
        filled(law, toy.row)
        law.push(byte)
    left = min(law.pending.values(), key=lambda way: way.log_weight)
    share = math.exp(left.log_weight) / toy.mass(text)
    for byte in b"abab":
        for ids in set(law.pending) - {left.ids}:
            law.expand(ids, toy.row(ids))
        assert law.omitted == pytest.approx(share, rel=1e-9)
        same(law, anew(toy, (), law.text, without=[left.ids]))
        law.push(byte)


def test_what_surprised_the_law_brings_up_what_could_have_known_better():
    law_of_nothing_but_a = torch.log(torch.tensor([1 - 1e-9, 1e-9, 0.0, 0.0, 0.0, 0.0, 0.0]))
    law = ByteLaw(Toy(0).vocabulary, surprise=0.1)
    law.expand((), torch.log(torch.tensor([0.01, 0.0, 0.0, 0.99, 0.0, 0.0, 0.0])))
    law.push(ord("a"))  # "a" alone, or as the beginning of "aba"
    assert law.omitted == pytest.approx(0.01, rel=1e-6)
    law.push(ord("b"))  # expected
    assert law.omitted == pytest.approx(0.01, rel=1e-6)
    law.expand((0,), law_of_nothing_but_a)
    assert set(law.pending) == {(0, 1)}
    assert law.omitted < 1e-10
    law.push(ord("b"))  # impossible with what is known
    assert law.omitted == 1.0
    assert law.lost


def _share_through(toy, text):
    """Return, by enumeration, the first token that most covers of ``text`` begin with, and its share.

    A token that reaches beyond the text counts for none: the trunk cannot move over it.
    """
    through, whole, stack = {}, 0.0, [()]
    while stack:
        ids = stack.pop()
        rest = text[len(toy.spell(ids)) :]
        ends = [t for t, spelled in enumerate(TEXTS) if spelled and spelled.startswith(rest)]
        if rest:
            stack += [(*ids, t) for t, s in enumerate(TEXTS) if s and rest.startswith(s)]
            ends = [t for t in ends if len(TEXTS[t]) > len(rest)]
        mass = sum(math.exp(toy.log_prob((*ids, t))) for t in ends)
        if not rest:
            mass = math.exp(toy.log_prob(ids))  # whatever follows, the end included
        whole += mass
        if ids:
            through[ids[0]] = through.get(ids[0], 0.0) + mass
    token = max(through, key=lambda t: through[t])
    return token, through[token] / whole


@pytest.mark.parametrize("seed", range(8))
def test_the_trunk_moves_just_where_the_share_that_disagrees_allows(seed):
    toy, text = Toy(seed), b"aab"
    token, share = _share_through(toy, text)
    assert typed(toy, text).settle(1 - share - 1e-9, FAR) == ()
    law = typed(toy, text)
    assert law.settle(1 - share + 1e-9, FAR)[0] == token
    assert law.given_up >= 1 - share - 1e-9


def test_a_long_text_moves_the_trunk_whatever_that_gives_up():
    toy = Toy(3)
    law = ByteLaw(toy.vocabulary)
    for byte in b"ab" * 40:
        filled(law, toy.row, 0.05)
        law.push(byte)
        law.settle(NEVER, 12)
        assert len(law.text) <= 12
    assert law.given_up > 0
    assert toy.spell(law.trunk) + law.text == b"ab" * 40


def test_far_from_the_prompt_weights_do_not_vanish():
    """Two thousand bytes at some bits each are beyond what a double can hold as one number."""
    toy = Toy(5)
    law = ByteLaw(toy.vocabulary)
    for byte in b"abba" * 500:
        filled(law, toy.row, 0.2)
        law.push(byte)
        law.settle(0.3, 8)
    assert toy.log_prob(law.trunk) < -1000
    filled(law, toy.row)
    same(law, anew(toy, law.trunk, law.text), within=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_likeliest_way_is_the_one_that_most_of_the_probability_goes_on_from(seed):
    toy, text = Toy(seed), b"abab"
    masses, stack = {}, [()]
    while stack:
        ids = stack.pop()
        rest = text[len(toy.spell(ids)) :]
        onward = [t for t, s in enumerate(TEXTS) if s.startswith(rest) and len(s) > len(rest)]
        weight = math.exp(toy.log_prob(ids))
        masses[ids] = weight * sum(math.exp(float(toy.row(ids)[t])) for t in onward)
        if not rest:
            masses[ids] = weight
            continue
        stack += [(*ids, t) for t, s in enumerate(TEXTS) if s and rest.startswith(s)]
    assert typed(toy, text).likeliest == max(masses, key=lambda ids: masses[ids])


def test_pending_ways_are_held_to_a_number_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr("completion.healing.byte_law.MOST_PENDING", 6)
    toy = Toy(2)
    law = ByteLaw(toy.vocabulary)
    for byte in b"abaabbab" * 4:
        for way in law.heaviest(tolerance=0.0, most=3):
            law.expand(way.ids, toy.row((*law.trunk, *way.ids)))
        law.push(byte)
        assert len(law.pending) <= 6
    assert law.given_up > 0


@pytest.mark.parametrize("seed", range(8))
def test_a_law_that_is_lost_is_found_again_in_two_rows(seed):
    toy = Toy(seed)
    law = ByteLaw(toy.vocabulary)
    filled(law, toy.row, 0.5)
    for byte in b"bbab":
        law.push(byte)
    rows = 0
    while law.lost:
        (way,) = law.farthest()
        law.expand(way.ids, toy.row((*law.trunk, *way.ids)))
        rows += 1
    assert rows <= 2
    assert float(law.next_bytes().exp().sum()) == pytest.approx(1.0, abs=1e-12)


def test_bytes_that_no_token_spells_leave_no_law():
    toy = Toy(0)
    law = filled(ByteLaw(toy.vocabulary), toy.row)
    law.push(ord("c"))
    assert law.ways == 0
    assert law.pending == {}
    assert bool(law.next_bytes().isnan().all())
    assert law.omitted == 1.0
    with pytest.raises(KeyError):
        law.expand((), toy.row(()))


def test_tokens_with_the_same_bytes_all_count():
    toy = Toy(4, (*TEXTS, b"ab", b"a"))
    law = ByteLaw(toy.vocabulary)
    for at, byte in enumerate(b"abab"):
        filled(law, toy.row)
        same(law, anew(toy, (), b"abab"[:at]))
        law.push(byte)
