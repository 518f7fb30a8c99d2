"""The training loop: steps, metrics, checkpoints; stops and goes on without a trace.

Lives here: the order of things in a step and everything that resuming needs. A run folder holds
``metrics.jsonl``, ``checkpoint.pt`` and the weights in parts. The schedule follows the budget,
accumulated over resumptions: minutes of training, or tokens.
"""

from __future__ import annotations

import math
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from completion.errors import UsageError
from training.checkpoint import load_checkpoint, save_checkpoint
from training.corpus.shards import Document
from training.distributed import Group
from training.evaluate import bits_per_byte, overall, sample_documents
from training.examples import ExampleMaker
from training.learner import Learner, Losses, SumsOf, accumulate
from training.metrics import append_row, keep_rows
from training.model import IGNORE, parameter_count
from training.optim import Optimizers, TailAverage, rate_scale
from training.progress import Progress, duration
from training.reading import Reader
from training.recipe import Recipe, recipe_table
from training.rows import BatchStream
from training.tokenizer import sentinels_of, token_bytes
from training.weights import is_finished, write_weights


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a run reads: documents to train on, documents to measure, the text's encoder."""

    train: list[Document]
    held_out: list[Document]
    tokenizer: Tokenizer
    """With ``encode_special_tokens`` set, as :func:`load_text_encoder` returns it."""


@dataclass(kw_only=True)
class Position:
    """Where a run stands."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Accumulated over all resumptions."""
    last_saved: float = 0.0
    last_evaluated: float = 0.0


class Run:
    """One run in one folder; :meth:`train` goes on from wherever its checkpoint stands."""

    def __init__(
        self,
        recipe: Recipe,
        inputs: Inputs,
        folder: Path,
        device: str = "cpu",
        group: Group | None = None,
    ) -> None:
        """Build the model and its optimisers; nothing is read or written before :meth:`train`."""
        self._group = group or Group()
        self._micros, rest = divmod(
            recipe.loop.batch_tokens, recipe.loop.micro_tokens * self._group.size
        )
        if rest or not self._micros:
            raise UsageError(
                f"recipe: loop.batch_tokens must be a multiple of loop.micro_tokens times "
                f"{self._group.size} processes"
            )
        self.recipe, self.folder, self.device = recipe, folder, torch.device(device)
        self._inputs = inputs
        sentinels = sentinels_of(inputs.tokenizer)
        vocabulary = inputs.tokenizer.get_vocab_size()
        if vocabulary > recipe.model.vocabulary:
            raise UsageError(
                f"recipe: model.vocabulary is {recipe.model.vocabulary}, the tokenizer has {vocabulary}"
            )
        torch.manual_seed(recipe.seed)
        self.learner = Learner(recipe.model, recipe.objectives).to(self.device)
        self.model = self.learner.decoder
        self._optimizers = Optimizers(self.learner, recipe.optim)
        self._average = TailAverage(recipe.optim.ema_decay)
        reader = Reader(recipe.objectives, inputs.tokenizer)
        maker = ExampleMaker(
            inputs.train, inputs.tokenizer, sentinels, recipe.data, recipe.seed, reader
        )
        self._stream = BatchStream(
            maker,
            recipe.data.lengths,
            pad=sentinels.fim_pad,
            tokens=recipe.loop.micro_tokens,
            workers=recipe.data.workers,
            rank=self._group.rank,
            size=self._group.size,
        )
        sizes = [len(b) for b in token_bytes(inputs.tokenizer)]
        sizes += [0] * (recipe.model.vocabulary - len(sizes))
        self._bytes = torch.tensor(sizes)
        self._end = sentinels.end
        self._sample = sample_documents(inputs.held_out, recipe.loop.evaluate_bytes)
        self.position = Position()
        self._stop = False

    @property
    def progress(self) -> float:
        """The share of the budget that is used, 0 to 1."""
        budget = self.recipe.budget
        if budget.tokens:
            return min(1.0, self.position.tokens / budget.tokens)
        return min(1.0, self.position.seconds / (60 * budget.minutes))

    def train(self, *, stop_after_steps: int | None = None) -> bool:
        """Train to the end of the budget; return whether it was reached.

        SIGTERM and SIGINT, or ``stop_after_steps`` more steps, end it early behind a checkpoint.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        if self.progress >= 1.0 and is_finished(self.folder):
            return True
        restore = self._catch_signals()
        sums_of: SumsOf = self.learner.sums
        if self.recipe.loop.compile:
            sums_of = torch.compile(self.learner.sums, dynamic=False)
        bar = Progress(self.recipe.name) if self._group.leads else None
        limit = None if stop_after_steps is None else self.position.step + stop_after_steps
        try:
            self._steps(sums_of, bar, limit)
        finally:
            if bar:
                bar.close()
            for name, handler in restore.items():
                signal.signal(name, handler)
        done = self.progress >= 1.0
        self._save(*(self._final_weights() if done else (None, "")))
        return done

    def _steps(self, sums_of: SumsOf, bar: Progress | None, limit: int | None) -> None:
        loop, here = self.recipe.loop, self.position
        clock = time.monotonic()
        logged = (clock, here.tokens)
        while self.progress < 1.0 and here.step != limit:
            losses, targets, size = self._step(sums_of)
            now = time.monotonic()
            seconds, stop = self._group.sums(now - clock, float(self._stop))
            here.seconds += seconds / self._group.size
            clock = now
            if stop:
                break
            if here.step % loop.log_every == 0:
                speed = (here.tokens - logged[1]) / max(1e-9, now - logged[0])
                logged = (now, here.tokens)
                loss = losses.nats / max(1, targets)
                bits = losses.nats / math.log(2) / max(1, size)
                self._log({"loss": loss, "bits_per_byte": bits, "speed": speed, **losses.means})
                if bar:
                    bar.show(self.progress, self._line(loss, bits, speed))
            if self._due(here.last_evaluated, loop.evaluate_every_minutes):
                here.last_evaluated = here.seconds
                bits = self.measure()
                self._log({"held_out_bits_per_byte": bits})
            if self._due(here.last_saved, loop.checkpoint_every_minutes):
                here.last_saved = here.seconds
                self._save(None, "")

    def _step(self, sums_of: SumsOf) -> tuple[Losses, int, int]:
        """One update; return its losses, its targets and their bytes."""
        recipe = self.recipe
        batches = [self._stream.next() for _ in range(self._micros)]
        counted = [b.targets[b.targets != IGNORE] for b in batches]
        targets: float = sum(c.numel() for c in counted)
        size: float = sum(int(self._bytes[c].sum()) for c in counted)
        losses = accumulate(self.learner, sums_of, batches, self._group, recipe.loop, self.device)
        targets, size = map(round, self._group.sums(targets, size))
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), recipe.optim.clip)
        scale = rate_scale(recipe.optim, step=self.position.step, progress=self.progress)
        self._optimizers.step(scale)
        self.position.step += 1
        self.position.tokens += targets
        if recipe.optim.ema_share > 0 and self.progress >= 1 - recipe.optim.ema_share:
            self._average.update(self.model)
        return losses, targets, size

    def measure(self) -> float:
        """Return bits per byte over the sample of held-out text."""
        if not self._sample:
            return float("nan")
        mine = overall(
            bits_per_byte(
                self.model,
                self._sample[self._group.rank :: self._group.size],
                lambda text: self._inputs.tokenizer.encode(text).ids,
                end=self._end,
                window=max(self.recipe.data.lengths[0], 32),
                batch_tokens=min(self.recipe.loop.micro_tokens, 8_192),
                bfloat16=self.recipe.loop.bfloat16,
            )
        )
        bits, size = self._group.sums(mine.bits, mine.bytes)
        return bits / max(1.0, size)

    def _final_weights(self) -> tuple[dict[str, Tensor], str]:
        """The last weights or their average, whichever reads the held-out sample better."""
        last = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        bits = self.measure()
        chosen, weights = "last", last
        if self._average.weights:
            self._put(self._average.weights)
            averaged = self.measure()
            if averaged < bits or math.isnan(bits):
                chosen, weights, bits = "average", self._average.weights, averaged
            self._put(last)
        self._log({"held_out_bits_per_byte": bits, "chosen": chosen, "final": True})
        return weights, chosen

    @torch.no_grad()
    def _put(self, weights: dict[str, Tensor]) -> None:
        for name, parameter in self.model.named_parameters():
            parameter.copy_(weights[name])

    def _due(self, last: float, minutes: float) -> bool:
        return self.position.seconds - last >= 60 * minutes

    def _line(self, loss: float, bits: float, speed: float) -> str:
        here, budget = self.position, self.recipe.budget
        left = budget.tokens - here.tokens
        seconds = left / max(1.0, speed) if left > 0 else 60 * budget.minutes - here.seconds
        return (
            f"step {here.step}  {here.tokens / 1e6:.2f}M tokens  loss {loss:.3f}  "
            f"{bits:.3f} bits/byte  {speed:,.0f} tokens/s  {duration(seconds)} left"
        )

    def _log(self, values: dict[str, Any]) -> None:
        if self._group.leads:
            here = self.position
            now = {"step": here.step, "tokens": here.tokens, "seconds": round(here.seconds, 1)}
            append_row(self.folder, now | values)

    def _save(self, weights: dict[str, Tensor] | None, chosen: str) -> None:
        """Write the checkpoint, then the weights: the final ones, or those of this moment."""
        data = self._group.gather(self._stream.state())
        if not self._group.leads:
            return
        here, average = self.position, self._average.weights
        last = {n: p.detach() for n, p in self.model.named_parameters()}
        state = {
            "model": last,
            "heads": self.learner.heads.state_dict(),
            "optimizers": self._optimizers.state_dict(),
            "average": average,
            "data": data,
            "random": torch.get_rng_state(),
            "position": vars(here).copy(),
        }
        save_checkpoint(self.folder, self.recipe, state)
        about = {
            "recipe": recipe_table(self.recipe),
            "parameters": parameter_count(self.model),
            "finished": weights is not None,
            "step": here.step,
            "tokens": here.tokens,
            "seconds": here.seconds,
            "weights": chosen or ("average" if average else "last"),
            "epochs": self._stream.epoch,
            "device": str(self.device),
        }
        write_weights(self.folder, weights or average or last, about)

    def _resume(self) -> None:
        """Load the checkpoint where there is one, and drop metrics that were written after it."""
        state = load_checkpoint(self.folder, self.recipe, self.device, self._group.size)
        if state:
            self._put(state["model"])
            self._put_heads(state["heads"])
            self._optimizers.load_state_dict(state["optimizers"])
            self._average.weights = state["average"]
            self._stream.load(state["data"][self._group.rank])
            torch.set_rng_state(state["random"].cpu())
            self.position = Position(**state["position"])
        if self._group.leads:
            keep_rows(self.folder, self.position.step if state else -1)

    def _put_heads(self, weights: dict[str, Tensor]) -> None:
        ours = {name: value.shape for name, value in self.learner.heads.state_dict().items()}
        if {name: value.shape for name, value in weights.items()} != ours:
            raise UsageError(
                f"run {self.folder}: the heads in its checkpoint are of another version; "
                "give another --out"
            )
        self.learner.heads.load_state_dict(weights)

    def _catch_signals(self) -> dict[signal.Signals, Any]:
        def stop(*_: object) -> None:
            self._stop = True

        handlers: dict[signal.Signals, Any] = {}
        for name in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError):  # not the main thread
                handlers[name] = signal.signal(name, stop)
        return handlers
