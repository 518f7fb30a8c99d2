"""A run's checkpoint: one file that is whole or not there, of one recipe and one group.

Lives here: writing, reading and refusing. What is in it is the loop's. The one before is kept
beside it: a loss shows only later that weights were bad.
"""

from __future__ import annotations

import dataclasses
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from completion.errors import CaretError, UsageError
from training.recipe import PLAIN, LoopRecipe, Recipe, recipe_of_run, recipe_table
from training.run.files import replacing, sync_folder

NAME = "checkpoint.pt"
BEFORE = "checkpoint.before.pt"
KEYS = {"recipe", "model", "optimizers", "average", "data", "random", "position"}
"""What every checkpoint has, those of before there were heads too."""
FREE = (
    "log_every",
    "evaluate_every_minutes",
    "evaluate_bytes",
    "checkpoint_every_minutes",
    "spike_window",
    "spike_deviations",
    "spike_updates",
)
"""Keys of ``[loop]`` that do not decide the weights: a run may go on with others."""


def save_checkpoint(folder: Path, recipe: Recipe, state: dict[str, Any], *, keep: bool) -> None:
    """Write ``state``, of tensors and plain values, in one replacing move.

    With ``keep``, the former checkpoint becomes the one before; otherwise the one before stays.
    """
    with replacing(folder / NAME) as file:
        torch.save({"recipe": recipe_table(recipe), **state}, file)
        file.flush()
        if keep and (folder / NAME).is_file():
            (folder / NAME).replace(folder / BEFORE)
            sync_folder(folder)


def load_checkpoint(
    folder: Path, recipe: Recipe, device: torch.device, processes: int
) -> dict[str, Any] | None:
    """Return the state, or ``None`` where there is none yet.

    Another recipe or another number of ``processes`` is a :class:`UsageError`: going on would not
    be the run that was begun. A checkpoint from before there were objectives has no heads and
    goes on only with all of them off.
    """
    # A kill between two moves leaves the former checkpoint under its second name only.
    path = next((p for p in (folder / NAME, folder / BEFORE) if p.is_file()), None)
    if path is None:
        return None
    state = read_checkpoint(path, device)
    if "objectives" not in state["recipe"] and recipe.objectives != PLAIN:
        raise UsageError(
            f"run {folder}: its checkpoint has no heads of objectives; set every value of "
            "[objectives] to 0 to go on with it, or give another --out"
        )
    if _deciding(_recipe_of(path, state)) != _deciding(recipe):
        raise UsageError(f"run {folder}: its checkpoint has another recipe; give another --out")
    state.setdefault("heads", {})
    begun = len(state["data"])
    if begun != processes:
        raise UsageError(f"run {folder}: it was begun with {begun} processes; go on with as many")
    return state


def read_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Return what is in one file; anything but a checkpoint is a :class:`UsageError`."""
    try:
        state: Any = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError,
            zipfile.BadZipFile) as error:  # fmt: skip
        if "out of memory" in str(error):
            raise CaretError(f"run {path.parent}: no memory for {path.name}") from error
        raise UsageError(f"run {path.parent}: {path.name} is {_damage(path)}") from error
    if not isinstance(state, dict) or not state.keys() >= KEYS:
        raise UsageError(f"run {path.parent}: {path.name} is {_damage(path)}")
    return state


def step_of(path: Path) -> int | None:
    """Return the step that a checkpoint was saved behind, ``None`` where there is none."""
    if not path.is_file():
        return None
    # Mapped, not read: the tensors stay on the disk.
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return int(state["position"]["step"])


def check_shapes(folder: Path, ours: dict[str, Tensor], saved: dict[str, Tensor]) -> None:
    """Refuse weights of another shape, which a recipe of the same words cannot have."""
    theirs = {name: value.shape for name, value in saved.items()}
    for name, value in ours.items():
        if theirs.get(name) != value.shape:
            found = tuple(theirs[name]) if name in theirs else "missing"
            raise UsageError(
                f"run {folder}: {name} in its checkpoint is {found}, the recipe's model has "
                f"{tuple(value.shape)}; give another --out"
            )
    if more := sorted(set(theirs) - set(ours)):
        raise UsageError(
            f"run {folder}: its checkpoint has {more[0]}, the recipe's model does not; "
            "give another --out"
        )


def _damage(path: Path) -> str:
    other = path.with_name(BEFORE if path.name == NAME else NAME)
    if other.is_file():
        return f"damaged or no checkpoint; remove it to go on from {other.name}"
    return "damaged or no checkpoint; remove it to begin anew, or give another --out"


def _recipe_of(path: Path, state: dict[str, Any]) -> Recipe:
    try:
        return recipe_of_run(state["recipe"])
    except (UsageError, TypeError) as error:
        raise UsageError(
            f"run {path.parent}: {path.name} has a recipe that this version cannot read; "
            "go on with the version that wrote it, or give another --out"
        ) from error


def _deciding(recipe: Recipe) -> Recipe:
    """The recipe without what may change: those keys at their defaults."""
    usual = {f.name: f.default for f in dataclasses.fields(LoopRecipe) if f.name in FREE}
    return dataclasses.replace(recipe, loop=dataclasses.replace(recipe.loop, **usual))
