"""Cursors in real files: prompts of a size, and keys that leave the text behind them as it is."""

from __future__ import annotations

import itertools
import random

import pytest

from completion.engine.checkpoint import load_checkpoint
from eval.bench.places import TYPED, Places


@pytest.fixture(scope="module")
def places():
    return Places(load_checkpoint("bundled"), 32, random.Random(0))


def test_a_prompt_has_the_size_that_is_asked_for(places):
    for tokens in (64, 512, 900):
        for _ in range(5):
            assert 0.95 * tokens < len(places.of(tokens).prompt) <= tokens


def test_typing_adds_to_the_prefix_and_leaves_the_suffix(places):
    keys = places.typing(60)
    text = TYPED.read_bytes()
    for before, after in itertools.pairwise(keys):
        assert after.prefix.startswith(before.prefix)
        typed = after.prefix[len(before.prefix) :]
        assert len(b"".join(typed.split())) <= 1  # and blanks beside it
        assert after.suffix == before.suffix
    assert text.startswith(keys[-1].prefix)
    assert text.endswith(keys[0].suffix)
    # most of a prompt is that of the key before
    shared = []
    for before, after in itertools.pairwise(keys):
        pairs = zip(before.prompt, after.prompt, strict=False)
        shared.append(next((at for at, (a, b) in enumerate(pairs) if a != b), len(before.prompt)))
    assert sorted(shared)[len(shared) // 2] > 0.9 * len(keys[0].prompt)
