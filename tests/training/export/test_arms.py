from __future__ import annotations

import math

import pytest
from tokenizers import Tokenizer

from tests.training.tiny import HELD
from training.export.arms import draw_parts, fitting, middle_bits, middle_ids
from training.model import Decoder
from training.recipe import Recipe
from training.tokenizer import sentinels_of


def test_counted_tokens_are_the_middle_and_the_end(encoder: Tokenizer) -> None:
    ids = sentinels_of(encoder)
    parts = ("def add(val", "ues, lim", "it):\n")

    def encode(text: str) -> list[int]:
        return encoder.encode(text).ids

    for suffix_first in (False, True):
        tokens, counted = middle_ids(parts, encode, ids, suffix_first=suffix_first)
        assert tokens[-1] == ids.end
        said = encoder.decode(tokens[-counted:-1], skip_special_tokens=False)
        assert said == parts[1] if not suffix_first else said.endswith(parts[1])
    tokens, counted = middle_ids(("value", "", "\n"), encode, ids, suffix_first=True)
    assert counted == 1


def test_both_orders_are_measured_on_the_same_middles(recipe: Recipe, encoder: Tokenizer) -> None:
    model = Decoder(recipe.model)
    for parameter in model.parameters():
        parameter.data.zero_()
    ids = sentinels_of(encoder)
    parts = [p for p in draw_parts(HELD, 20) if len(p[0] + p[2]) < 200] or [("a = ", "b", "\n")]
    a = middle_bits(model, parts, lambda t: encoder.encode(t).ids, ids, suffix_first=False)
    b = middle_bits(model, parts, lambda t: encoder.encode(t).ids, ids, suffix_first=True)
    assert a.bytes == b.bytes == sum(len(m.encode()) for _, m, _ in parts)
    tokens = sum(len(encoder.encode(m).ids) + 1 for _, m, _ in parts)
    assert a.bits == pytest.approx(tokens * math.log2(recipe.model.vocabulary), rel=1e-5)


def test_drawn_parts_are_stretches_of_the_documents() -> None:
    texts = [d.text for d in HELD]
    parts = draw_parts(HELD, 30)
    assert len(parts) == 30
    assert parts == draw_parts(HELD, 30)
    assert all(any("".join(p) in t for t in texts) for p in parts)


def test_parts_that_exceed_the_context_are_left_out(encoder: Tokenizer) -> None:
    def encode(text: str) -> list[int]:
        return encoder.encode(text).ids

    short, long = ("a = ", "b", "\n"), ("a = ", "b", "\n" * 200)
    assert fitting([short, long], encode, 100) == [short]
