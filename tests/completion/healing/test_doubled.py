"""Vocabularies in which several ids have the same bytes: all of them count, everywhere.

Every SentencePiece vocabulary is one: ``a`` and ``<0x61>``, ``▁`` and ``<0x20>``.
"""

import math
from collections import Counter

import pytest
import torch
from scipy import stats

from completion.healing.cover import Covers
from completion.healing.law import END
from completion.healing.one_token import Speller
from completion.healing.sorted_vocabulary import SortedVocabulary
from completion.healing.vocabulary import Vocabulary
from completion.prompt.encoder import TextEncoder
from tests.completion.families import tokenizer_json
from tests.completion.healing.toy import TEXTS, Toy

DOUBLED = (*TEXTS, b"ab", b"a", b"a", b"")
"""Ids 0, 8 and 9 are all ``a``, 2 and 7 are both ``ab``, 6 and 10 both end the text."""
TYPED = [b"a", b"ab", b"ba", b"aba", b"abab"]


def leaves_of(toy, typed):
    """Every leaf of the cover with its log-probability, by its definition."""
    found, stack = {}, [()]
    while stack:
        ids = stack.pop()
        rest = typed[len(toy.spell(ids)) :]
        for token, text in enumerate(toy.texts):
            if text and text.startswith(rest):
                found[(*ids, token)] = toy.log_prob((*ids, token))
            elif text and rest.startswith(text):
                stack.append((*ids, token))
    return found


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("seed", range(4))
def test_the_law_of_what_follows_sums_over_all_ids_of_the_same_bytes(seed, typed):
    toy = Toy(seed, DOUBLED)
    law = toy.law(typed)
    whole = toy.mass(typed)
    assert math.exp(law.log_mass) == pytest.approx(whole, rel=1e-12)
    followed = torch.exp(law.next_bytes())
    assert float(followed.sum()) == pytest.approx(1.0, abs=1e-12)
    for byte in b"ab":
        expected = toy.mass(typed + bytes([byte])) / whole
        assert float(followed[byte]) == pytest.approx(expected, rel=1e-10)
    exact = [ids for ids in leaves_of(toy, typed) if toy.spell(ids) == typed]
    ended = sum(
        math.exp(toy.log_prob(ids)) * float(torch.exp(toy.row(ids)[[6, 10]]).sum()) for ids in exact
    )
    assert float(followed[END]) == pytest.approx(ended / whole, rel=1e-10)


@pytest.mark.parametrize("typed", TYPED)
def test_leaves_are_told_apart_by_their_ids(typed):
    toy = Toy(3, DOUBLED)
    expected = leaves_of(toy, typed)
    found = {leaf.ids: leaf.log_prob for leaf in toy.law(typed).best_leaves(10_000)}
    assert found.keys() == expected.keys()
    assert all(found[ids] == pytest.approx(expected[ids], abs=1e-10) for ids in expected)
    spelled = Counter(toy.spell(ids) for ids in found)
    assert max(spelled.values()) > 1


def test_leaves_of_the_same_bytes_are_drawn_each_by_its_own_weight():
    toy, typed = Toy(8, DOUBLED), b"ab"
    law = toy.law(typed)
    expected = leaves_of(toy, typed)
    generator = torch.Generator().manual_seed(2)
    draws = 6000
    counts = Counter(law.draw_leaf(1.0, generator).ids for _ in range(draws))
    whole = sum(map(math.exp, expected.values()))
    large = {i: math.exp(p) / whole * draws for i, p in expected.items()}
    large = {i: count for i, count in large.items() if count >= 5}
    observed = [*(counts[i] for i in large), draws - sum(counts[i] for i in large)]
    wanted = [*large.values(), draws - sum(large.values())]
    assert stats.chisquare(observed, wanted).pvalue > 1e-3
    assert {(2,), (7,)} <= counts.keys(), "both tokens of these bytes"


def test_under_a_mask_all_of_them_may_be_drawn():
    byte_ids = tuple(DOUBLED.index(bytes([b])) if bytes([b]) in DOUBLED else -1 for b in range(256))
    vocabulary = Vocabulary(
        token_bytes=DOUBLED, special={}, special_ids=frozenset(), byte_ids=byte_ids,
        spelling="byte_level", dummy_prefix=False, text_tokens={},
    )  # fmt: skip
    speller = Speller(vocabulary)
    assert sorted(speller.allowed(b"a")) == [0, 2, 3, 5, 7, 8, 9]
    assert sorted(speller.allowed(b"ab")) == [0, 2, 3, 7, 8, 9]
    for typed in (b"a", b"ab", b"bb", b"abab"):
        assert speller.count(typed) == len(speller.allowed(typed)), (
            "all that the engine has to mask"
        )


@pytest.mark.parametrize("name", ["codellama", "codestral", "codegemma", "unigram"])
def test_canonical_contexts_have_the_ids_that_the_tokenizer_writes(name):
    encoder = TextEncoder.from_json(tokenizer_json(name))
    table = encoder.vocabulary.token_bytes
    order = SortedVocabulary(table)
    low, high = order.spelling(b"r")
    assert high - low >= 2, "the letter and its byte"
    covers, single = Covers(order, table, encoder.encode), set()
    for typed in (b" retur", b"x == yr", b"qr", b"(r, z"):
        for ids in covers.contexts(typed):
            single |= {token for token in ids if len(table[token]) == 1}
    assert single
    assert all(encoder.encode(table[token]) == [token] for token in single)
