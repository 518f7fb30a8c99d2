"""The workspace's model taken apart: ways that differ, and drafts whose acceptance can be counted."""

import math

import numpy as np
import pytest
import torch

from completion.engine.fake import fake_checkpoint
from completion.workspace.fit import Fit
from eval.workspace_law import Package
from eval.workspace_variants import Constant, Variant, compare, draft, variants

LINE = b"alpha = beta(gamma)\n"


@pytest.fixture(scope="module")
def package():
    checkpoint = fake_checkpoint()
    return Package("p", {"a.py": LINE * 20, "b.py": LINE * 20}, checkpoint.encoder, 2)


def flat(ids):
    return torch.zeros(len(ids), 263)


def test_a_constant_is_what_it_says(package):
    """A model that knows nothing, and a workspace that is always right once it has seen a line."""
    ways = {"half": Variant(Constant(0.5)), "most": Variant(Constant(0.9))}
    found = compare(package, flat, list(range(256, 263)), ways)
    assert found["half"]["bits_per_byte"] == pytest.approx(1.0, abs=0.1)
    assert found["most"]["bits_per_byte"] == pytest.approx(-math.log2(0.9), abs=0.1)
    assert found["most"]["top1"] > 0.98


def test_every_way_is_its_own(package):
    found = compare(package, flat, list(range(256, 263)), variants(Fit(), Fit()))
    assert found["as served"]["bits_per_byte"] == pytest.approx(
        found["not fitted to the workspace"]["bits_per_byte"]
    )
    constants = [row["bits_per_byte"] for name, row in found.items() if name.startswith("constant")]
    assert len(set(constants)) == len(constants)


def test_a_drafter_of_four_brings_five_tokens_a_step_where_all_repeats(package):
    drafted = draft(package, 4)
    assert drafted.tokens == sum(len(ids) - 1 for ids in package.ids.values())
    assert 0 <= drafted.accepted - (drafted.tokens - drafted.steps) <= 2, "at the ends of the files"
    assert drafted.table()["tokens_per_step"] == pytest.approx(5.0, abs=0.1)


def test_a_drafter_is_stopped_by_the_first_that_did_not_come():
    ids = np.array([1, 2, 3, 4, 9, 9, 1, 2, 3, 5, 9, 9, 7] * 20)
    checkpoint = fake_checkpoint()
    text = bytes(ids.tolist())
    drafted = draft(Package("p", {"a.py": text, "b.py": b"x" * 300}, checkpoint.encoder, 1), 8)
    assert 1.0 < drafted.table()["tokens_per_step"] < 9.0
    assert drafted.accepted < drafted.proposed
