"""Tiny random bases of several families, and a recipe of adapters that learns within seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.completion.families import make_checkpoint
from training.adapters.base import Base, load_base
from training.recipe import Recipe, recipe_on_base

RECIPE: dict[str, Any] = {
    "name": "tiny-lora",
    "lora": {"rank": 8, "alpha": 16.0, "dropout": 0.1, "learning_rate": 0.01},
    "data": {"lengths": [64, 128], "shares": [0.5, 0.5], "neighbour_rate": 0.3},
    "optim": {"warmup_steps": 2, "ema_share": 0.3, "ema_decay": 0.5, "embedding_lr": 0.01},
    "budget": {"tokens": 10_000},
    "loop": {
        "batch_tokens": 512, "micro_tokens": 256, "log_every": 1, "evaluate_every_minutes": 1e6,
        "checkpoint_every_minutes": 1e6, "evaluate_bytes": 2_000, "compile": False,
        "bfloat16": False,
    },
}  # fmt: skip


def write_recipe(path: Path, table: dict[str, Any] = RECIPE) -> Path:
    flat = {k: v for k, v in table.items() if not isinstance(v, dict)}
    lines = [f"{k} = {json.dumps(v)}" for k, v in flat.items()]
    for name, values in table.items():
        if isinstance(values, dict):
            lines += [f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def recipe_for(base: Base, path: Path, **changed: Any) -> Recipe:
    write_recipe(path, {**RECIPE, **changed})
    return recipe_on_base(path, base.shape, base.fingerprint)


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Returns the folder of a family's tiny checkpoint."""
    root, made = tmp_path_factory.mktemp("bases"), dict[str, Path]()

    def make(name: str) -> Path:
        if name not in made:
            made[name] = make_checkpoint(name, root / name)
        return made[name]

    return make


@pytest.fixture
def qwen(bases: Any) -> Base:
    return load_base(str(bases("qwen")))
