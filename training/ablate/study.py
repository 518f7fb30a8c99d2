"""All runs of an ablation, each trained, exported and measured once, whatever comes between.

Lives here: the folder and the order of things. ``study.json`` says what is compared and holds still;
``runs/ROW-SEED`` has one run's training, its model, the harness's results and, last, its figures.
Runs go seed by seed, so that a whole table is there when the first seed is done.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from training.ablate.figures import SUITES, Scores
from training.ablate.measuring import Asking, bits, build_items, completions
from training.ablate.rows import ALL_ON, Row
from training.corpus.shards import read_manifest
from training.export.folder import ExportSettings, export
from training.export.weights import is_finished
from training.recipe import BudgetRecipe, Recipe, recipe_from, recipe_table
from training.run.files import replacing
from training.run.progress import duration
from training.run.session import run_training

STUDY, FIGURES = "study.json", "figures.json"
WARMUP_SHARE = 0.1
"""The most of a shortened run that is warm-up: the recipe's is meant for its own budget."""
SAVE_EVERY_MINUTES = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What is the same for all runs."""

    corpus: Path
    tokenizer: Path
    out: Path
    start: Path | None
    """Weights that every run begins with; ``None``: random ones, the same for each seed."""
    seeds: int
    device: str
    asking: Asking


def shortened(recipe: Recipe, tokens: int) -> Recipe:
    """Return ``recipe`` with a budget of ``tokens`` and a warm-up that fits it."""
    updates = max(1, tokens // recipe.loop.batch_tokens)
    warmup = min(recipe.optim.warmup_steps, max(1, round(WARMUP_SHARE * updates)))
    return dataclasses.replace(
        recipe,
        budget=BudgetRecipe(tokens=tokens),
        optim=dataclasses.replace(recipe.optim, warmup_steps=warmup),
    )


def run_study(rows: Sequence[Row], setting: Setting, say: Callable[[str], None]) -> bool:
    """Run what has not been run; return whether all of it is done.

    A signal during training ends it behind a checkpoint, and the same call goes on.

    Raises:
        UsageError: the folder holds an ablation of something else.
    """
    _begin(rows, setting)
    items = {suite: setting.out / "items" / f"{suite}.jsonl" for suite in SUITES}
    for suite, path in items.items():
        build_items(suite, path)
    planned = list(_planned(rows, setting))
    clock, finished = time.monotonic(), 0
    for number, (row, seed, folder) in enumerate(planned, 1):
        if (folder / FIGURES).is_file():
            continue
        left = ""
        if finished:
            undone = sum(not (f / FIGURES).is_file() for _, _, f in planned)
            left = f"; about {duration((time.monotonic() - clock) / finished * undone)} left"
        run = f"run {number} of {len(planned)}: {row.name}, seed {seed}"
        if not _one(
            row, seed, folder, items, setting, lambda what, r=run, t=left: say(f"{r}: {what}{t}")
        ):
            return False
        finished += 1
    return True


def _planned(rows: Sequence[Row], setting: Setting) -> Iterator[tuple[Row, int, Path]]:
    for number in range(setting.seeds):
        for row in rows:
            seed = row.recipe.seed + number
            yield row, seed, setting.out / "runs" / f"{row.name}-{seed}"


def _one(
    row: Row,
    seed: int,
    folder: Path,
    items: dict[str, Path],
    setting: Setting,
    say: Callable[[str], None],
) -> bool:
    """Train, export and measure one run, from wherever it stands; whether it was finished."""
    loop = row.recipe.loop
    every = min(loop.checkpoint_every_minutes, SAVE_EVERY_MINUTES)
    recipe = dataclasses.replace(
        row.recipe, seed=seed, loop=dataclasses.replace(loop, checkpoint_every_minutes=every)
    )
    trained, model = folder / "training", folder / "model"
    if not is_finished(trained):
        say("training")
        _forget_compiled()
        done = run_training(
            recipe, setting.corpus, setting.tokenizer, trained, setting.device, start=setting.start
        )
        if not done["finished"]:
            return False
    if not model.is_dir():
        say("exporting")
        part = folder / "model.part"
        shutil.rmtree(part, ignore_errors=True)
        export(ExportSettings(run=trained, out=part))
        part.replace(model)
    begun = time.monotonic()
    scores: Scores = {}
    about: dict[str, Any] = {}
    for suite, path in items.items():
        say(f"caret eval {suite}")
        result = folder / f"{suite}.json"
        scores |= completions(model, path, suite, result, setting.asking)
        about = json.loads(result.read_text(encoding="utf-8"))["caret"]
    say("bits per byte")
    scores |= bits(trained, setting.corpus)
    index = json.loads((trained / "weights.json").read_text(encoding="utf-8"))
    figures = {
        "row": row.name,
        "off": row.off,
        "seed": seed,
        "tokens": index["tokens"],
        "steps": index["step"],
        "training_seconds": round(index["seconds"], 1),
        "measuring_seconds": round(time.monotonic() - begun, 1),
        "caret": about,
        "scores": scores,
    }
    _write(folder / FIGURES, figures)
    for checkpoint in trained.glob("checkpoint*.pt"):  # ten times the weights, and of no more use
        checkpoint.unlink()
    return True


def _begin(rows: Sequence[Row], setting: Setting) -> None:
    """Say what is compared, or find that the folder says the same; rows and seeds may be added."""
    whole = next(row.recipe for row in rows if row.name == ALL_ON)
    start = setting.start
    study = {
        "recipe": recipe_table(whole),
        "corpus": read_manifest(setting.corpus)["checksum"],
        "tokenizer": _sha256(setting.tokenizer / "tokenizer.json"),
        "start": _start(start) if start else None,
        "limit": setting.asking.limit,
        "arm": setting.asking.arm,
    }
    path = setting.out / STUDY
    text = json.dumps(study, indent=1, sort_keys=True) + "\n"
    if not path.is_file():
        setting.out.mkdir(parents=True, exist_ok=True)
        _write(path, study)
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    now = json.loads(text)
    # A version since may have added keys to recipes; at their defaults they change nothing.
    before["recipe"] = now["recipe"] if recipe_from(before["recipe"]) == whole else {}
    if changed := [key for key in now if before.get(key) != now[key]]:
        raise UsageError(
            f"--out {setting.out}: holds an ablation with another {changed[0]}; give another folder"
        )


def _start(folder: Path) -> str:
    """Return what tells the weights in a run or model folder from others."""
    for name in ("weights.json", "model.safetensors", "checkpoint.pt"):
        if (folder / name).is_file():
            return _sha256(folder / name)
    raise UsageError(f"--from {folder}: neither a run nor a model folder")


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def _write(path: Path, table: dict[str, Any]) -> None:
    with replacing(path) as file:
        file.write((json.dumps(table, indent=1, sort_keys=True) + "\n").encode("utf-8"))


def _forget_compiled() -> None:
    """Let torch compile the next run: it gives up on a function after a few models' worth."""
    import torch

    torch.compiler.reset()
