"""One training run from files to files: what ``caret train`` and a pack's ``run.py`` both do.

Lives here: reading the inputs, choosing the device, and leaving beside the weights what an export
needs later: the tokenizer and what the corpus was made of.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from completion.errors import CaretError, UsageError
from training.corpus.shards import read_documents, read_manifest
from training.distributed import Group
from training.loop import Inputs, Run
from training.recipe import Recipe, recipe_from
from training.tokenizer import load_text_encoder

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def run_training(
    recipe: Recipe, corpus: Path, tokenizer: Path, out: Path, device: str = "auto"
) -> dict[str, Any]:
    """Train to the end of the budget or to a signal; return where it stands.

    Under ``torchrun`` every process calls this, and all but the first get an empty result.
    """
    group = Group.from_environment()
    try:
        inputs = Inputs(
            train=list(read_documents(corpus)),
            held_out=list(read_documents(corpus, "held_out")),
            tokenizer=load_text_encoder(tokenizer),
        )
        if not inputs.train:
            raise UsageError(f"corpus {corpus}: it has no documents")
        run = Run(recipe, inputs, out, choose_device(device, group), group)
        if group.leads:
            _accompany(out, corpus, tokenizer)
        finished = run.train()
    finally:
        group.close()
    here = run.position
    done = {"finished": finished, "step": here.step, "tokens": here.tokens, "seconds": here.seconds}
    return done if group.leads else {}


def choose_device(name: str, group: Group) -> str:
    """Return a torch device for ``auto``, ``cpu`` or ``cuda``; a process takes the card of its rank."""
    if name not in {"auto", "cpu", "cuda"}:
        raise UsageError(f"--device {name}: must be auto, cpu or cuda")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("--device cuda: torch finds no CUDA device here; give --device cpu")
    if name == "cpu" or not available:
        return "cpu"
    card = f"cuda:{group.rank % torch.cuda.device_count()}"
    torch.cuda.set_device(card)
    return card


def _accompany(out: Path, corpus: Path, tokenizer: Path) -> None:
    """Copy the tokenizer and the account of the corpus beside the weights to come."""
    (out / "tokenizer").mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        shutil.copyfile(tokenizer / name, out / "tokenizer" / name)
    manifest = read_manifest(corpus)
    manifest.pop("parts")
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (out / "corpus.json").write_text(text, encoding="utf-8")


def main(root: Path) -> int:
    """Run the pack in ``root``: its recipe on its corpus. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Train what this folder holds; goes on by itself.")
    parser.add_argument("--out", type=Path, default=root / "out", help="the run's folder")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    args = parser.parse_args()
    try:
        recipe = recipe_from(json.loads((root / "recipe.json").read_text(encoding="utf-8")))
        done = run_training(recipe, root / "corpus", root / "tokenizer", args.out, args.device)
    except CaretError as error:
        sys.stderr.write(f"run.py: {error.message}\n")
        return error.exit_code
    if done:
        sys.stdout.write(json.dumps(done) + "\n")
    return 0
