"""One training run from files to files: what ``caret train`` and a pack's ``run.py`` both do.

Lives here: reading the inputs, choosing the device, and leaving beside the weights what an export
needs later: the tokenizer and what the corpus was made of.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from completion.errors import CaretError, UsageError
from training.corpus.link_files import Links
from training.corpus.mapped import FOLDER, MappedDocuments
from training.corpus.mapping import ensure_mapped
from training.corpus.shards import read_manifest
from training.distributed import Group, leave
from training.loop import Inputs, Run
from training.recipe import Recipe, recipe_from
from training.run.checkpoint import NAME as CHECKPOINT
from training.run.progress import Progress
from training.run.start import read_start
from training.tokenizer import load_text_encoder

if TYPE_CHECKING:
    from training.adapters.base import Base

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def run_training(
    recipe: Recipe,
    corpus: Path,
    tokenizer: Path,
    out: Path,
    device: str = "auto",
    base: Base | None = None,
    start: Path | None = None,
    *,
    sharded: bool = False,
) -> dict[str, Any]:
    """Train to the end of the budget or to a signal; return where it stands.

    A new run begins with the weights in ``start``, a run or a model folder, where one is given.
    With a ``base``, whose folder ``tokenizer`` then is, adapters in it are trained.
    ``sharded`` gives each process a slice of the model instead of the whole; the curve is the same.
    Under ``torchrun`` every process calls this, and all but the first get an empty result.
    """
    group = Group.from_environment(sharded=sharded)
    try:
        ordered = recipe.data.order == "repository"
        mapped = group.lead(lambda: _mapped(corpus, out, ordered=ordered))
        inputs = Inputs(
            train=MappedDocuments(mapped, "train"),
            held_out=MappedDocuments(mapped, "held_out"),
            tokenizer=base.tokenizer if base else load_text_encoder(tokenizer),
            base=base,
            start=read_start(start) if start else None,
            links=Links(corpus) if recipe.data.definitions_rate else None,
        )
        if not inputs.train:
            raise UsageError(f"corpus {corpus}: it has no documents")
        if base and group.leads:
            base.note_in(out)
        _refuse_other_data(out, corpus, tokenizer)
        run = Run(recipe, inputs, out, choose_device(device, group), group)
        if group.leads:
            _accompany(out, corpus, tokenizer)
        finished = run.train()
    finally:
        group.close()
    here = run.position
    done = {"finished": finished, "step": here.step, "tokens": here.tokens, "seconds": here.seconds}
    return done if group.leads else {}


def _mapped(corpus: Path, out: Path, *, ordered: bool) -> Path:
    """Map the corpus where it is not, and return the folder: beside it, or in the run if it is
    read-only."""
    folder = (corpus if os.access(corpus, os.W_OK) else out) / FOLDER
    bar = Progress("mapping the corpus")
    try:
        ensure_mapped(corpus, folder, bar.show, ordered=ordered)
    finally:
        bar.close()
    return folder


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


def _refuse_other_data(out: Path, corpus: Path, tokenizer: Path) -> None:
    """Refuse to go on with a run on another corpus or tokenizer than it was begun with."""
    if not (out / CHECKPOINT).is_file():
        return
    words, kept = tokenizer / TOKENIZER_FILES[0], out / "tokenizer" / TOKENIZER_FILES[0]
    if words.is_file() and kept.is_file() and words.read_bytes() != kept.read_bytes():
        raise UsageError(f"run {out}: begun with another tokenizer; give that or another --out")
    account = out / "corpus.json"
    if account.is_file():
        begun = json.loads(account.read_text(encoding="utf-8")).get("checksum")
        if begun != read_manifest(corpus).get("checksum"):
            raise UsageError(f"run {out}: begun with another corpus; give that or another --out")


def _accompany(out: Path, corpus: Path, tokenizer: Path) -> None:
    """Copy the tokenizer and the account of the corpus beside the weights to come."""
    (out / "tokenizer").mkdir(parents=True, exist_ok=True)
    for name in (n for n in TOKENIZER_FILES if (tokenizer / n).is_file()):
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
    parser.add_argument("--shard", action="store_true", help="a slice of the model a process")
    args = parser.parse_args()
    try:
        recipe = recipe_from(json.loads((root / "recipe.json").read_text(encoding="utf-8")))
        done = run_training(
            recipe,
            root / "corpus",
            root / "tokenizer",
            args.out,
            args.device,
            sharded=args.shard,
        )
    except CaretError as error:
        sys.stderr.write(f"run.py: {error.message}\n")
        return error.exit_code
    if done:
        sys.stdout.write(json.dumps(done) + "\n")
    return leave(0)
