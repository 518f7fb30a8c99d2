"""The training loop: steps, metrics, checkpoints; stops and goes on without a trace.

Lives here: the order of things in a step, and when a run looks, saves and ends. A run folder holds
``metrics.jsonl``, ``tensorboard/``, the newest checkpoint and the one before, and the weights in
parts. The schedule follows the budget, accumulated over resumptions: minutes of training, or tokens.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from completion.errors import CaretError, UsageError
from training.corpus.link_files import Links
from training.corpus.shards import Document
from training.data.examples import ExampleMaker
from training.data.layouts import own_layout
from training.data.reading import Reader
from training.data.rows import BatchStream
from training.distributed import Group
from training.evaluate import bits_per_byte, overall, sample_documents
from training.export.weights import is_finished
from training.learner import Learner, SumsOf
from training.model import Decoder
from training.optim import Optimizers, TailAverage
from training.recipe import Recipe
from training.run.keeping import Keeper, Moving, Position, put, whole_parameters
from training.run.report import Report, Speed
from training.run.start import Start
from training.run.watch import Watch
from training.sharding import shard, whole_state
from training.speed.peak import peak_flops
from training.tokenizer import token_bytes
from training.update import Diverged, Update, Updater

if TYPE_CHECKING:
    from training.adapters.base import Base, FamilyTokenizer


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a run reads: documents to train on, documents to measure, the text's encoder."""

    train: Sequence[Document]
    held_out: Sequence[Document]
    tokenizer: Tokenizer | FamilyTokenizer
    """With ``encode_special_tokens`` set, as :func:`load_text_encoder` returns it; or a base's."""
    base: Base | None = None
    """The model that adapters are trained in; ``None``: a model of one's own."""
    links: Links | None = None
    """Of ``train``, where the recipe asks for definitions in front."""
    start: Start | None = None
    """What a new run begins with; one that has a checkpoint goes on from that."""


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
        micros, rest = divmod(recipe.loop.batch_tokens, recipe.loop.micro_tokens * self._group.size)
        if rest or not micros:
            raise UsageError(
                f"recipe: loop.batch_tokens must be a multiple of loop.micro_tokens times "
                f"{self._group.size} processes"
            )
        self.recipe, self.folder, self.device = recipe, folder, torch.device(device)
        self._inputs = inputs
        layout = base.layout if (base := inputs.base) else own_layout(inputs.tokenizer)
        vocabulary = inputs.tokenizer.get_vocab_size()
        if vocabulary > recipe.model.vocabulary:
            raise UsageError(
                f"recipe: model.vocabulary is {recipe.model.vocabulary}, the tokenizer has {vocabulary}"
            )
        torch.manual_seed(recipe.seed)
        adapted = base.adapted(recipe, self._group) if base else None
        self.learner = Learner(recipe.model, recipe.objectives, adapted).to(self.device)
        self.model = self.learner.decoder
        if self._group.sharded:
            shard(self.learner, self.device, self._group.size, compiled=recipe.loop.compile)
        rate = recipe.lora.learning_rate if recipe.lora else 0.0
        self._optimizers = Optimizers(self.learner, recipe.optim, rate)
        self._average = TailAverage(recipe.optim.ema_decay)
        reader = Reader(recipe.objectives, inputs.tokenizer, recipe.data.middles)
        maker = ExampleMaker(
            inputs.train, inputs.tokenizer, layout, recipe.data, recipe.seed, reader, inputs.links
        )
        self._stream = BatchStream(
            maker,
            recipe.data.lengths,
            pad=layout.pad,
            tokens=recipe.loop.micro_tokens,
            workers=recipe.data.workers,
            rank=self._group.rank,
            size=self._group.size,
        )
        self._end = layout.start
        self._sample = sample_documents(inputs.held_out, recipe.loop.evaluate_bytes)
        self.position = Position()
        self._watch = Watch(recipe)
        moving = Moving(
            learner=self.learner,
            optimizers=self._optimizers,
            average=self._average,
            stream=self._stream,
            watch=self._watch,
            position=self.position,
        )
        self._keeper = Keeper(recipe, folder, self.device, self._group, moving, inputs.start)
        sizes = [len(b) for b in token_bytes(inputs.tokenizer)]
        sizes += [0] * (recipe.model.vocabulary - len(sizes))
        self._updater = Updater(
            recipe, self.device, self._group, moving, micros=micros, sizes=torch.tensor(sizes)
        )
        self._report: Report | None = None
        self._speed = Speed(0.0)
        self._stop = False
        self._unwritten: CaretError | None = None

    @property
    def progress(self) -> float:
        """The share of the budget that is used, 0 to 1."""
        return self.position.progress(self.recipe.budget)

    def train(self, *, stop_after_steps: int | None = None) -> bool:
        """Train to the end of the budget; return whether it was reached.

        SIGTERM and SIGINT, or ``stop_after_steps`` more steps, end it early behind a checkpoint.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._keeper.resume()
        if self.progress >= 1.0 and is_finished(self.folder):
            return True
        restore = self._catch_signals()
        sums_of: SumsOf = self.learner.sums
        if self.recipe.loop.compile and not self._group.sharded:
            sums_of = torch.compile(self.learner.sums, dynamic=False)
        peak = peak_flops(self.device, bfloat16=self.recipe.loop.bfloat16)
        self._speed = Speed(*self._group.sums(peak))
        if self._group.leads:
            self._report = Report(self.recipe, self.folder, self.position.step + 1)
        limit = None if stop_after_steps is None else self.position.step + stop_after_steps
        try:
            self._steps(sums_of, limit)
            done = self.progress >= 1.0
            self._keeper.save(*(self._final_weights() if done else (None, "")))
        except Diverged as seen:
            raise self._keeper.stopped(str(seen), self.position.step, self._remedy()) from None
        finally:
            if self._report:
                self._report.close()
            for name, handler in restore.items():
                signal.signal(name, handler)
        if self._unwritten:
            raise self._unwritten
        return done

    def _steps(self, sums_of: SumsOf, limit: int | None) -> None:
        loop, here = self.recipe.loop, self.position
        clock = time.monotonic()
        while self.progress < 1.0 and here.step != limit:
            update = self._updater.step(sums_of)
            now = time.monotonic()
            seconds, stop = self._group.sums(now - clock, float(self._stop))
            here.seconds += seconds / self._group.size
            clock = now
            self._speed.count(update.targets, update.flops)
            if here.step % loop.log_every == 0:
                self._log_update(update)
            if self._watch.sees(here.step, update.loss):
                raise Diverged(
                    f"the loss rose to {update.loss:.3f} and stayed up for {self._watch.streak} "
                    f"updates, to step {here.step}"
                )
            if stop:
                break
            if self._due(here.last_evaluated, loop.evaluate_every_minutes):
                here.last_evaluated = here.seconds
                self._log({"held_out_bits_per_byte": self.measure()})
            calm = self._watch.streak == 0  # what may be a spike is not saved
            if calm and self._due(here.last_saved, loop.checkpoint_every_minutes):
                here.last_saved = here.seconds
                self._keeper.save()

    def measure(self) -> float:
        """Return bits per byte over the sample of held-out text."""
        if not self._sample:
            return float("nan")
        model = self.model
        if self._group.sharded:
            # Processes read different numbers of windows, so none may wait for another's slices.
            with torch.random.fork_rng(devices=[]):
                model = Decoder(self.recipe.model).to(self.device)
            put(model, whole_parameters(self.model))
        mine = overall(
            bits_per_byte(
                model,
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
            put(self.model, self._average.weights)
            averaged = self.measure()
            if averaged < bits or math.isnan(bits):
                chosen, weights, bits = "average", self._average.weights, averaged
            put(self.model, last)
        self._log({"held_out_bits_per_byte": bits, "chosen": chosen, "final": True})
        return whole_state(weights), chosen

    def _due(self, last: float, minutes: float) -> bool:
        return self.position.seconds - last >= 60 * minutes

    def _log_update(self, update: Update) -> None:
        values = {
            "loss": update.loss,
            "bits_per_byte": update.bits_per_byte,
            "gradient_norm": update.gradient_norm,
            "rate_scale": update.rate_scale,
            **self._speed.take(),
            **update.losses.means,
        }
        self._log(values)
        if self._report:
            self._report.show(self.position, self.progress, values)

    def _log(self, values: dict[str, Any]) -> None:
        """Write a row; one that cannot be written ends the run behind a checkpoint."""
        if not self._report:
            return
        try:
            self._report.row(self.position, values)
        except CaretError as error:
            self._unwritten, self._stop = error, True

    def _remedy(self) -> str:
        """What to change in a run that diverged."""
        rates = "optim.muon_lr and optim.embedding_lr"
        rates = "lora.learning_rate" if self.recipe.lora else rates
        again = f"train --from {self.folder} --out another folder"
        again = "begin again in another folder" if self.recipe.lora else again
        return f"lower {rates}, or raise optim.warmup_steps, and {again}"

    def _catch_signals(self) -> dict[signal.Signals, Any]:
        def stop(*_: object) -> None:
            self._stop = True

        handlers: dict[signal.Signals, Any] = {}
        for name in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError):  # not the main thread
                handlers[name] = signal.signal(name, stop)
        return handlers
