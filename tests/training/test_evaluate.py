from __future__ import annotations

import math

import pytest
from tokenizers import Tokenizer

from tests.training.tiny import HELD, TRAIN
from training.evaluate import bits_per_byte, overall, sample_documents
from training.model import Decoder
from training.recipe import Recipe
from training.tokenizer import sentinels_of


def measured(recipe: Recipe, encoder: Tokenizer, **options: int):
    model = Decoder(recipe.model)
    for parameter in model.parameters():
        parameter.data.zero_()
    end = sentinels_of(encoder).end
    return bits_per_byte(
        model, HELD + TRAIN[:1], lambda t: encoder.encode(t).ids, end=end, **options
    )


def test_uniform_model_costs_the_vocabularys_bits_a_token(
    recipe: Recipe, encoder: Tokenizer
) -> None:
    found = measured(recipe, encoder, window=50)
    tokens = sum(len(encoder.encode(d.text).ids) for d in HELD)
    size = sum(len(d.text.encode()) for d in HELD)
    assert set(found) == {"gamma", "alpha"}
    assert found["gamma"].bytes == size
    expected = tokens * math.log2(recipe.model.vocabulary) / size
    assert found["gamma"].bits_per_byte == pytest.approx(expected, rel=1e-5)


def test_measure_does_not_depend_on_batching(recipe: Recipe, encoder: Tokenizer) -> None:
    a = measured(recipe, encoder, window=32, batch_tokens=32)
    b = measured(recipe, encoder, window=32, batch_tokens=4096)
    assert overall(a).bits == pytest.approx(overall(b).bits, rel=1e-6)


def test_sample_takes_packages_in_turn_up_to_its_size() -> None:
    chosen = sample_documents(TRAIN, 900, each=300)
    assert {d.package for d in chosen} == {"alpha", "beta"}
    assert all(len(d.text) == 300 for d in chosen)
    assert sample_documents(TRAIN, 900, each=300) == chosen
