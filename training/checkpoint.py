"""A run's checkpoint: one file that is whole or not there, of one recipe and one group.

Lives here: writing, reading and refusing. What is in it is the loop's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from completion.errors import UsageError
from training.recipe import PLAIN, Recipe, recipe_of_run, recipe_table

NAME = "checkpoint.pt"


def save_checkpoint(folder: Path, recipe: Recipe, state: dict[str, Any]) -> None:
    """Write ``state``, of tensors and plain values, in one replacing move."""
    temporary = folder / (NAME + ".part")
    torch.save({"recipe": recipe_table(recipe), **state}, temporary)
    temporary.replace(folder / NAME)


def load_checkpoint(
    folder: Path, recipe: Recipe, device: torch.device, processes: int
) -> dict[str, Any] | None:
    """Return the state, or ``None`` where there is none yet.

    Another recipe or another number of ``processes`` is a :class:`UsageError`: going on would not
    be the run that was begun. A checkpoint from before there were objectives has no heads and
    goes on only with all of them off.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if "objectives" not in state["recipe"] and recipe.objectives != PLAIN:
        raise UsageError(
            f"run {folder}: its checkpoint has no heads of objectives; set every value of "
            "[objectives] to 0 to go on with it, or give another --out"
        )
    if recipe_of_run(state["recipe"]) != recipe:
        raise UsageError(f"run {folder}: its checkpoint has another recipe; give another --out")
    state.setdefault("heads", {})
    begun = len(state["data"])
    if begun != processes:
        raise UsageError(f"run {folder}: it was begun with {begun} processes; go on with as many")
    return state
