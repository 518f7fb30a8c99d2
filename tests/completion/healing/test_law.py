"""The law against enumeration, on toy models small enough to count."""

import math
from collections import Counter

import pytest
import torch
from scipy import stats

from completion.healing.law import END, Law
from tests.completion.healing.toy import END_ID, TEXTS, Toy

TYPED = [b"a", b"b", b"ab", b"aba", b"abab", b"bba", b"aabba"]


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("seed", range(8))
def test_the_mass_of_typed_bytes_is_the_sum_over_their_cover(seed, typed):
    toy = Toy(seed)
    assert math.exp(toy.law(typed).log_mass) == pytest.approx(toy.mass(typed), rel=1e-12)


@pytest.mark.parametrize("typed", [b"", *TYPED])
@pytest.mark.parametrize("seed", range(8))
def test_next_bytes_and_the_end_add_up_to_what_was_typed(seed, typed):
    toy = Toy(seed)
    followed = torch.exp(toy.law(typed).next_bytes())
    assert float(followed.sum()) == pytest.approx(1.0, abs=1e-12)
    whole = toy.mass(typed)
    for byte in b"ab":
        expected = toy.mass(typed + bytes([byte])) / whole
        assert float(followed[byte]) == pytest.approx(expected, rel=1e-10)
    assert float(followed[END]) == pytest.approx(toy.mass_of_end(typed) / whole, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_the_chain_rule_holds_with_the_end(seed):
    toy = Toy(seed)
    text = b"abab"
    log_prob = 0.0
    for at in range(len(text)):
        log_prob += float(toy.law(text[:at]).next_bytes()[text[at]])
    log_prob += float(toy.law(text).next_bytes()[END])
    assert math.exp(log_prob) == pytest.approx(toy.mass_of_end(text), rel=1e-10)


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("seed", range(6))
def test_what_is_not_expanded_is_within_its_bound(seed, typed):
    toy = Toy(seed)
    whole = toy.mass(typed)
    law = Law(toy.vocabulary, typed)
    while more := law.heaviest(following=False, tolerance=0.0, most=1):
        law.expand(more[0].ids, toy.row(more[0].ids))
        found = math.exp(law.log_mass)
        bound = law.omitted(following=False)
        assert found <= whole * (1 + 1e-12)
        assert (whole - found) / whole <= bound + 1e-12
    assert law.omitted(following=False) == 0.0


def test_the_law_of_what_follows_is_within_its_bound_too():
    toy, typed = Toy(3), b"abab"
    exact = torch.exp(toy.law(typed).next_bytes())
    law = Law(toy.vocabulary, typed)
    seen = []
    while more := law.heaviest(following=True, tolerance=0.0, most=1):
        law.expand(more[0].ids, toy.row(more[0].ids))
        followed = torch.exp(law.next_bytes())
        if not followed.isnan().any():
            distance = 0.5 * float((followed - exact).abs().sum())
            bound = law.omitted(following=True)
            assert distance <= bound + 1e-12
            seen.append(bound)
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > 0.01
    assert seen[-1] == 0.0


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_leaves_are_drawn_by_their_weights(temperature):
    toy, typed = Toy(5), b"aba"
    law = toy.law(typed)
    leaves = law.best_leaves(1000)
    weights = torch.tensor([leaf.log_prob for leaf in leaves], dtype=torch.float64) / temperature
    expected = torch.softmax(weights, 0).tolist()
    generator = torch.Generator().manual_seed(11)
    draws = 6000
    counts = Counter(law.draw_leaf(temperature, generator).ids for _ in range(draws))
    assert set(counts) <= {leaf.ids for leaf in leaves}
    kept = [(counts[leaf.ids], p * draws) for leaf, p in zip(leaves, expected, strict=True)]
    large = [pair for pair in kept if pair[1] >= 5]
    rest = [pair for pair in kept if pair[1] < 5]
    observed = [*(o for o, _ in large), *([sum(o for o, _ in rest)] if rest else [])]
    wanted = [*(e for _, e in large), *([sum(e for _, e in rest)] if rest else [])]
    assert stats.chisquare(observed, wanted).pvalue > 1e-3


def test_every_leaf_reaches_the_end_of_what_was_typed_and_no_two_are_prefixes():
    toy, typed = Toy(1), b"aabba"
    leaves = [leaf.ids for leaf in toy.law(typed).best_leaves(1000)]
    for ids in leaves:
        assert toy.spell(ids).startswith(typed)
        assert len(toy.spell(ids[:-1])) < len(typed)
    assert len(set(leaves)) == len(leaves)


def test_the_best_leaf_is_the_most_probable_of_all():
    for seed in range(20):
        toy = Toy(seed)
        law = toy.law(b"ab")
        leaves = law.best_leaves(1000)
        assert leaves[0] == law.draw_leaf(0.0)
        assert leaves[0].log_prob == max(leaf.log_prob for leaf in leaves)
        assert leaves[0].log_prob == pytest.approx(toy.log_prob(leaves[0].ids), abs=1e-12)


def _masked(toy, typed):
    law = Law(toy.vocabulary, typed, masked=len(typed))
    while more := law.heaviest(following=True, tolerance=0.0, most=1):
        law.expand(more[0].ids, toy.row(more[0].ids))
    return law


def test_masking_one_token_back_is_not_the_law():
    """What the usual remedy gets wrong: it forgets how probable the rest of the word is."""
    distances = []
    for seed in range(200):
        toy = Toy(seed)
        exact = torch.exp(toy.law(b"ab").next_bytes())
        masked = torch.exp(_masked(toy, b"ab").next_bytes())
        distances.append(0.5 * float((masked - exact).abs().sum()))
    assert 0.02 < sum(distances) / len(distances) < 0.3
    assert max(distances) > 0.2


def test_a_masked_law_spells_what_was_typed_with_certainty():
    toy = Toy(6)
    law = _masked(toy, b"aba")
    assert math.exp(law.log_mass) == pytest.approx(1.0, abs=1e-12)
    one = math.exp(float(toy.row(())[3]))  # "aba", of the first row
    row = torch.exp(toy.row(()))
    agreeing = float(row[0] + row[2] + row[3])  # "a", "ab", "aba"
    best = {leaf.ids: leaf.log_prob for leaf in law.best_leaves(100)}
    assert math.exp(best[(3,)]) == pytest.approx(one / agreeing, rel=1e-12)


def test_at_a_token_boundary_it_is_the_models_own_softmax():
    toy = Toy(2)
    law = toy.law(b"")
    row = torch.exp(toy.row(()))
    followed = torch.exp(law.next_bytes())
    by_byte = {byte: sum(float(row[i]) for i, t in enumerate(TEXTS) if t[:1] == bytes([byte]))
               for byte in b"ab"}  # fmt: skip
    assert float(followed[ord("a")]) == pytest.approx(by_byte[ord("a")], rel=1e-12)
    assert float(followed[END]) == pytest.approx(float(row[END_ID]), rel=1e-12)
    assert law.omitted(following=True) == 0.0


def test_tokens_with_the_same_bytes_all_count():
    toy = Toy(4, (*TEXTS, b"ab", b"a"))
    for typed in (b"a", b"ab", b"aba"):
        assert math.exp(toy.law(typed).log_mass) == pytest.approx(toy.mass(typed), rel=1e-12)


def test_bytes_that_no_token_spells_have_no_mass():
    toy = Toy(0)
    law = toy.law(b"c")
    assert law.log_mass == -math.inf
    with pytest.raises(ValueError, match="no token sequence"):
        law.draw_leaf(0.0)
    with pytest.raises(ValueError, match="no token sequence"):
        law.draw_leaf(1.0)


@pytest.mark.parametrize("count", [1, 3])
def test_without_rivals_the_best_leaves_are_certain(count):
    for seed in range(30):
        toy, typed = Toy(seed), b"abab"
        certain = [leaf.ids for leaf in toy.law(typed).best_leaves(count)]
        law = Law(toy.vocabulary, typed)
        expanded = 0
        while more := law.rivals(count):
            heaviest = max(more, key=lambda c: c.log_weight)
            law.expand(heaviest.ids, toy.row(heaviest.ids))
            expanded += 1
        assert [leaf.ids for leaf in law.best_leaves(count)] == certain
        assert expanded <= len(toy.law(typed).expanded)
