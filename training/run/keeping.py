"""What a run keeps and takes up again: the checkpoint, the weights, and the way back to good ones.

Lives here: which parts of a run change as it goes, and their passage to files and back. Files are
written by the first process; what another must give for them, it gives in the same call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from completion.errors import CaretError, UsageError
from training.data.rows import BatchStream
from training.distributed import Group
from training.export.weights import is_finished, write_weights
from training.learner import Learner
from training.optim import Optimizers, TailAverage
from training.recipe import BudgetRecipe, Recipe, recipe_table
from training.run.checkpoint import (
    BEFORE,
    NAME,
    check_shapes,
    load_checkpoint,
    read_checkpoint,
    save_checkpoint,
    step_of,
)
from training.run.metrics import keep_rows
from training.run.start import Start
from training.run.watch import Watch
from training.sharding import like, whole_state


@dataclass(kw_only=True)
class Position:
    """Where a run stands."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Accumulated over all resumptions."""
    last_saved: float = 0.0
    last_evaluated: float = 0.0

    def progress(self, budget: BudgetRecipe) -> float:
        """Return the share of ``budget`` that is used, 0 to 1."""
        if budget.tokens:
            return min(1.0, self.tokens / budget.tokens)
        return min(1.0, self.seconds / (60 * budget.minutes))


@dataclass(kw_only=True)
class Moving:
    """Everything of a run that changes as it goes on."""

    learner: Learner
    optimizers: Optimizers
    average: TailAverage
    stream: BatchStream
    watch: Watch
    position: Position


class Keeper:
    """Saves and takes up one run in one folder."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        device: torch.device,
        group: Group,
        moving: Moving,
        start: Start | None = None,
    ) -> None:
        """Keep ``moving`` in ``folder``; ``start`` is what a run without a checkpoint begins with."""
        self._recipe, self._folder, self._device = recipe, folder, device
        self._group, self._moving, self._start = group, moving, start
        self._saved: int | None = None
        """The step behind which the newest checkpoint was saved."""

    def save(self, chosen: dict[str, Tensor] | None = None, word: str = "") -> None:
        """Write the checkpoint, then the weights of this moment, or the ``chosen`` ones at the end.

        The former checkpoint is kept beside it if the loss has shown since that it was good.

        Raises:
            CaretError: it cannot be written; on every process.
        """
        moving, group, step = self._moving, self._group, self._moving.position.step
        data = group.gather(moving.stream.state())
        last = whole_parameters(moving.learner.decoder)
        average = whole_state(moving.average.weights)
        state = {
            "model": last,
            "heads": whole_parameters(moving.learner.heads),
            "optimizers": moving.optimizers.state_dict(),
            "average": average,
            "data": data,
            "random": torch.get_rng_state(),
            "watch": moving.watch.state(),
            "position": vars(moving.position).copy(),
        }
        keep = self._saved is not None and moving.watch.sound(self._saved, step)

        def write() -> None:
            save_checkpoint(self._folder, self._recipe, state, keep=keep)
            self._write_weights(state, chosen, word)

        group.lead(write)
        self._saved = step

    def resume(self) -> None:
        """Take up the checkpoint where there is one, and drop metrics that were written after it.

        Raises:
            UsageError: the checkpoint is damaged, of another recipe, shape or number of processes.
        """
        moving, place = self._moving, "cpu" if self._group.sharded else self._device
        state = load_checkpoint(self._folder, self._recipe, torch.device(place), self._group.size)
        if state:
            ours = {n: p.detach() for n, p in moving.learner.decoder.named_parameters()}
            check_shapes(self._folder, ours, state["model"])
            put(moving.learner.decoder, state["model"])
            self._put_heads(state["heads"])
            moving.optimizers.load_state_dict(state["optimizers"])
            moving.average.weights = {n: like(w, ours[n]) for n, w in state["average"].items()}
            moving.stream.load(state["data"][self._group.rank])
            if "watch" in state:  # not in checkpoints of before there was one
                moving.watch.load(state["watch"])
            torch.set_rng_state(state["random"].cpu())
            vars(moving.position).update(state["position"])
            self._saved = moving.position.step
        elif self._start:
            self._begin(self._start)
        kept = moving.position.step if state else -1
        finished = is_finished(self._folder)
        self._group.lead(lambda: keep_rows(self._folder, kept, finished=finished))

    def stopped(self, what: str, seen: int, remedy: str) -> CaretError:
        """Go back to the last good checkpoint and return the error that ends the run.

        ``what`` happened; ``seen`` is the last update whose loss the watch has judged.
        """
        good = self._group.lead(lambda: self._go_back(seen))
        state = f"the checkpoint and weights of step {good} are good"
        if good is None:
            state = "nothing was saved before that is known to be good"
        return CaretError(f"run {self._folder}: {what}; {state}; {remedy}")

    def _go_back(self, seen: int) -> int | None:
        newest, before = (step_of(self._folder / name) for name in (NAME, BEFORE))
        if newest is not None and self._moving.watch.sound(newest, seen):
            return newest
        if before is None or not self._moving.watch.sound(before, seen):
            return None
        (self._folder / BEFORE).replace(self._folder / NAME)
        state = read_checkpoint(self._folder / NAME, torch.device("cpu"))
        self._write_weights(state, None, "")
        return before

    def _write_weights(
        self, state: dict[str, Any], chosen: dict[str, Tensor] | None, word: str
    ) -> None:
        """Write the ``chosen`` weights, or those of a checkpoint: the average where there is one."""
        position, average = state["position"], state["average"]
        about = {
            "recipe": recipe_table(self._recipe),
            "parameters": sum(w.numel() for w in state["model"].values()),
            "finished": chosen is not None,
            "step": position["step"],
            "tokens": position["tokens"],
            "seconds": position["seconds"],
            "weights": word or ("average" if average else "last"),
            "epochs": self._moving.stream.epoch,
            "device": str(self._device),
            **({"started_from": self._start.about} if self._start else {}),
        }
        dtype = torch.float32 if self._recipe.lora else torch.bfloat16  # small, and added to much
        write_weights(self._folder, chosen or average or state["model"], about, dtype=dtype)

    def _begin(self, start: Start) -> None:
        """Take another run's weights, and what its heads and optimisers know if it has the same."""
        learner = self._moving.learner
        start.check({n: p.detach() for n, p in learner.decoder.named_parameters()})
        put(learner.decoder, start.weights)
        heads = {n: p.shape for n, p in learner.heads.named_parameters()}
        if {n: w.shape for n, w in start.heads.items()} == heads:
            put(learner.heads, start.heads)
            if start.optimizers:
                self._moving.optimizers.load_state_dict(start.optimizers)

    def _put_heads(self, weights: dict[str, Tensor]) -> None:
        heads = self._moving.learner.heads
        ours = {name: value.shape for name, value in heads.named_parameters()}
        if {name: value.shape for name, value in weights.items()} != ours:
            raise UsageError(
                f"run {self._folder}: the heads in its checkpoint are of another version; "
                "give another --out"
            )
        put(heads, weights)


def whole_parameters(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters, whole; of a sharded model every process must ask."""
    return whole_state({n: p.detach() for n, p in module.named_parameters()})


@torch.no_grad()
def put(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Take ``weights``, whole or laid out as the parameters are."""
    for name, parameter in module.named_parameters():
        parameter.copy_(like(weights[name], parameter))
