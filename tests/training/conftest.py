"""A tiny corpus, tokenizer and recipe: everything of the pipeline in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.training.tiny import HELD, TRAIN, VOCABULARY
from training.corpus.shards import write_manifest, write_shards
from training.recipe import (
    BudgetRecipe,
    DataRecipe,
    LoopRecipe,
    ModelRecipe,
    OptimRecipe,
    Recipe,
)
from training.tokenizer import load_text_encoder, save_tokenizer, train_tokenizer


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(train_tokenizer([d.text for d in TRAIN], VOCABULARY), folder)
    return folder


@pytest.fixture(scope="session")
def encoder(tokenizer_folder: Path) -> Tokenizer:
    return load_text_encoder(tokenizer_folder)


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    packages = {
        name: {
            "part": part,
            "version": "1.0",
            "licence": "MIT",
            "files_seen": count,
            "files": count,
            "bytes": 1000,
            "dropped": {},
        }
        for name, part, count in (
            ("alpha", "train", 4),
            ("beta", "train", 4),
            ("gamma", "held_out", 2),
        )
    }
    total = {"packages": 2, "files_seen": 8, "files": 8, "bytes": 2000, "dropped": {}}
    parts = {
        "train": write_shards(TRAIN, folder, "train"),
        "held_out": write_shards(HELD, folder, "held"),
    }
    write_manifest(
        folder,
        {
            "parts": parts,
            "packages": packages,
            "skipped": {},
            "totals": {"train": total, "held_out": total},
            "settings": {"decontaminated_items": 0},
            "checksum": "0" * 64,
        },
    )
    return folder


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        name="tiny",
        model=ModelRecipe(
            vocabulary=VOCABULARY, width=32, layers=2, heads=4, kv_heads=2, head_dim=8, ffn=48,
            context=256,
        ),
        data=DataRecipe(lengths=(64, 128), shares=(0.7, 0.3), neighbour_rate=0.3),
        optim=OptimRecipe(warmup_steps=2, ema_share=0.5, ema_decay=0.5),
        budget=BudgetRecipe(tokens=3_000),
        loop=LoopRecipe(
            batch_tokens=512, micro_tokens=256, log_every=1, evaluate_every_minutes=1e6,
            checkpoint_every_minutes=1e6, evaluate_bytes=2_000, compile=False, bfloat16=False,
        ),
    )  # fmt: skip
