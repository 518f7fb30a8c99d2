"""Two processes with a slice each, two with the whole each, and one: the same curve."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.tiny import HELD, TRAIN
from training.export.weights import read_weights
from training.loop import Inputs, Run
from training.recipe import PLAIN, BudgetRecipe, Recipe, recipe_table
from training.run.metrics import read_rows
from training.sharding import ShardedMuon

TOLERANCE = 2e-5
"""Relative, between losses of equal steps; sums are taken in another order."""


def run_two(recipe: Recipe, tokenizer: Path, out: Path, *, shard: bool, steps: int | None) -> None:
    """Run two processes of one thread each to their end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= {"OMP_NUM_THREADS": "1"}
    asked = {"recipe": recipe_table(recipe), "tokenizer": str(tokenizer), "out": str(out)}
    text = json.dumps({**asked, "shard": shard, "steps": steps})
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.runs"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, **shared, "RANK": str(rank)},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for worker in workers:
        assert worker.stdin
        worker.stdin.write(text)
        worker.stdin.close()
        worker.stdin = None
    for worker in workers:
        said = worker.communicate()[1]
        assert worker.returncode == 0, said


def curve(folder: Path) -> list[tuple[int, float]]:
    return [(r["step"], r["loss"]) for r in read_rows(folder) if "loss" in r]


def agree(a: Path, b: Path) -> None:
    ours, theirs = curve(a), curve(b)
    assert len(ours) >= 6
    assert [s for s, _ in ours] == [s for s, _ in theirs]
    assert [x for _, x in ours] == pytest.approx([x for _, x in theirs], rel=TOLERANCE)
    for name, value in read_weights(a)[0].items():
        other = read_weights(b)[0][name]
        assert torch.allclose(value.float(), other.float(), rtol=0.02, atol=2e-3), name


@pytest.fixture
def two(recipe: Recipe) -> Recipe:
    loop = replace(recipe.loop, batch_tokens=1024)
    return replace(recipe, loop=loop, budget=BudgetRecipe(tokens=6_000))


def test_sharded_curve_is_the_replicated_one_and_each_goes_on_from_the_other(
    two: Recipe, tokenizer_folder: Path, tmp_path: Path
) -> None:
    whole, mixed = tmp_path / "whole", tmp_path / "mixed"
    run_two(two, tokenizer_folder, whole, shard=False, steps=None)
    run_two(two, tokenizer_folder, mixed, shard=True, steps=3)
    run_two(two, tokenizer_folder, mixed, shard=False, steps=2)
    run_two(two, tokenizer_folder, mixed, shard=True, steps=None)
    agree(mixed, whole)
    final = [r for r in read_rows(mixed) if r.get("final")]
    assert len(final) == 1
    norms = [[r["gradient_norm"] for r in read_rows(f) if "loss" in r] for f in (mixed, whole)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-3)


class Both:
    """The batches of two processes, in turn: what one process must see for the same update."""

    def __init__(self, streams: list[Any]) -> None:
        self._streams, self._next = streams, 0
        self.epoch = 0.0

    def next(self) -> Any:
        self._next += 1
        return self._streams[(self._next - 1) % 2].next()

    def state(self) -> dict[str, Any]:
        return {}


def test_one_process_that_sees_both_shares_has_the_same_curve(
    two: Recipe, encoder: Any, tokenizer_folder: Path, tmp_path: Path
) -> None:
    """Two processes read alternate documents; one is given the very same batches."""
    two = replace(two, objectives=PLAIN)
    run_two(two, tokenizer_folder, tmp_path / "sharded", shard=True, steps=None)
    inputs = Inputs(train=TRAIN, held_out=HELD, tokenizer=encoder)
    run = Run(two, inputs, tmp_path / "one")
    streams: list[Any] = []
    for rank in range(2):
        stream = Run(two, inputs, tmp_path / "unused")._stream
        stream._rank, stream._size = rank, 2
        streams.append(stream)
    run._updater._moving.stream = Both(streams)  # pyright: ignore[reportAttributeAccessIssue]
    run.train()
    agree(tmp_path / "sharded", tmp_path / "one")


def test_steps_of_muon_on_slices_are_those_on_whole_matrices() -> None:
    """Run on whole tensors, where a slice is all there is: the arithmetic is the same."""
    torch.manual_seed(0)
    shapes = [(24, 16), (16, 24), (16, 16)]
    ours = [torch.nn.Parameter(torch.randn(s)) for s in shapes]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    settings = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
    a, b = ShardedMuon(ours, **settings), torch.optim.Muon(theirs, **settings)
    for _ in range(5):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        assert torch.allclose(p, q, rtol=1e-6, atol=1e-7)
