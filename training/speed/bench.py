"""The speed of training, as ratios measured in one process: ``python -m training.speed.bench``.

What is timed is whole updates: gradient, clip, step, and where data is no part of the comparison the
very same packed rows. Legs take turns update by update, so that a drift of the machine meets all
alike. ``caret bench train`` runs this as a program and holds the ratios against their bars.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from training.corpus.shards import Document
from training.data.examples import ExampleMaker
from training.data.layouts import own_layout
from training.data.reading import Reader
from training.data.rows import Batch, BatchStream
from training.distributed import Group
from training.learner import Learner
from training.model import IGNORE, NORM_EPS
from training.optim import Optimizers, TailAverage
from training.recipe import PLAIN, ObjectivesRecipe, Recipe, read_table, recipe_from
from training.run.keeping import Moving, Position
from training.run.watch import Watch
from training.speed.flops import flops_a_position
from training.speed.peak import peak_flops
from training.tokenizer import load_text_encoder
from training.update import Updater

ROOT = Path(__file__).parents[2]
TEXT = ("completion", "eval", "lsp", "training")
"""The folders whose files are trained on: real code that is always there."""
LENGTH = 512
UPDATES_OF_ROWS = 4
"""Updates' worth of packed rows that are made beforehand and gone through in turn."""
WARM = 2
"""Updates before the clock starts: compilation, first allocations."""

Leg = Callable[[], None]
"""One update."""


class Rows:
    """Rows that are packed already, again and again; stands where a run has its stream."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches, self._at = batches, -1

    def next(self) -> Batch:
        """Return the next batch."""
        self._at = (self._at + 1) % len(self._batches)
        return self._batches[self._at]


def stream_of(recipe: Recipe, tokenizer: Path) -> BatchStream:
    """Return the batches of ``recipe`` from this repository's own source."""
    encoder = load_text_encoder(tokenizer)
    documents = [
        Document(folder, str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for folder in TEXT
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    layout = own_layout(encoder)
    reader = Reader(recipe.objectives, encoder, recipe.data.middles)
    maker = ExampleMaker(documents, encoder, layout, recipe.data, recipe.seed, reader)
    return BatchStream(maker, (LENGTH,), pad=layout.pad, tokens=recipe.loop.micro_tokens)


def our_leg(recipe: Recipe, stream: Any, device: torch.device) -> Leg:
    """Return an update of Caret's own loop, with what the recipe says, on the batches of ``stream``."""
    torch.manual_seed(recipe.seed)
    learner = Learner(recipe.model, recipe.objectives).to(device)
    moving = Moving(
        learner=learner,
        optimizers=Optimizers(learner, recipe.optim),
        average=TailAverage(recipe.optim.ema_decay),
        stream=stream,
        watch=Watch(recipe),
        position=Position(),
    )
    updater = Updater(
        recipe, device, Group(), moving, micros=_micros(recipe),
        sizes=torch.ones(recipe.model.vocabulary, dtype=torch.int64),
    )  # fmt: skip
    compiled = recipe.loop.compile
    sums_of = torch.compile(learner.sums, dynamic=False) if compiled else learner.sums

    def leg() -> None:
        updater.step(sums_of)
        _wait(device)

    return leg


def beside_trainer(
    recipe: Recipe, batches: Sequence[Batch], ours: Leg, rounds: int, device: torch.device,
    *, compiled: bool,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Return the seconds of each update of transformers' ``Trainer``, and of ours between them.

    It has the same shape as ``LlamaForCausalLM``, the same rows and micro-batches, autocast to
    bfloat16 where we have it, its own AdamW, and neither logs nor saves. ``ours`` runs in its
    callback behind each update, off its clock.
    """
    from transformers import (
        LlamaForCausalLM,
        PrinterCallback,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    theirs: list[float] = []
    own: list[float] = []

    class Clock(TrainerCallback):
        begun = 0.0

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            _wait(device)
            theirs.append(time.perf_counter() - self.begun)
            own.append(_timed(ours))
            self.begun = time.perf_counter()  # what it does between updates counts as its own

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.begun = time.perf_counter()

    torch.manual_seed(recipe.seed)
    folder = tempfile.TemporaryDirectory(
        prefix="caret-bench-"
    )  # it is made, though nothing is saved
    arguments = TrainingArguments(
        output_dir=folder.name, max_steps=rounds + WARM, bf16=recipe.loop.bfloat16,
        use_cpu=device.type == "cpu", per_device_train_batch_size=recipe.loop.micro_tokens // LENGTH,
        gradient_accumulation_steps=_micros(recipe), optim="adamw_torch", torch_compile=compiled,
        logging_strategy="no", save_strategy="no", report_to=[], disable_tqdm=True,
        dataloader_num_workers=0, dataloader_pin_memory=device.type == "cuda",
    )  # fmt: skip
    trainer = Trainer(
        model=LlamaForCausalLM(_config(recipe)),
        args=arguments,
        train_dataset=_as_dataset(batches),  # type: ignore[arg-type] - a list is one
        callbacks=[Clock()],
    )
    trainer.remove_callback(PrinterCallback)  # standard output is for the ratios
    with folder:
        trainer.train()
    return theirs[WARM:], own[WARM:]


def measure(recipe: Recipe, tokenizer: Path, rounds: int, device: torch.device) -> dict[str, Any]:
    """Return all ratios, each of the medians of ``rounds`` updates of either leg."""
    plain = dataclasses.replace(recipe, objectives=PLAIN)
    full = dataclasses.replace(recipe, objectives=ObjectivesRecipe())
    stream = stream_of(plain, tokenizer)
    batches = [stream.next() for _ in range(UPDATES_OF_ROWS * _micros(recipe))]
    found: dict[str, Any] = {}
    for name, compiled in (("trainer", False), ("compiled_trainer", True)):
        ours = our_leg(plain, Rows(batches), device)
        theirs, own = beside_trainer(plain, batches, ours, rounds, device, compiled=compiled)
        found[name] = _ratio(own, theirs)
        _say(recipe, f"transformers' Trainer{', compiled' * compiled}", theirs)
        _say(recipe, "ours", own)
    legs = [our_leg(r, stream_of(r, tokenizer), device) for r in (full, plain)]
    heads, without = _in_turn(legs, rounds)
    found["heads"] = _ratio(heads, without)
    _say(recipe, "ours from text, all objectives", heads)
    _say(recipe, "ours from text, plain FIM", without)
    flops = recipe.loop.batch_tokens * flops_a_position(recipe.model, LENGTH)
    peak = peak_flops(device, bfloat16=recipe.loop.bfloat16)
    found["utilisation"] = flops / statistics.median(without) / peak
    return {**found, "rounds": rounds, "device": str(device)}


def _in_turn(legs: Sequence[Leg], rounds: int) -> list[list[float]]:
    seconds: list[list[float]] = [[] for _ in legs]
    for number in range(rounds + WARM):
        order = list(zip(legs, seconds, strict=True))
        for leg, kept in order if number % 2 else order[::-1]:
            kept.append(_timed(leg))
    return [kept[WARM:] for kept in seconds]


def _timed(leg: Leg) -> float:
    begun = time.perf_counter()
    leg()
    return time.perf_counter() - begun


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(ours) / statistics.median(theirs)


def _micros(recipe: Recipe) -> int:
    return recipe.loop.batch_tokens // recipe.loop.micro_tokens


def _config(recipe: Recipe) -> Any:
    from transformers import LlamaConfig

    shape = recipe.model
    return LlamaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.width, intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim,
        max_position_embeddings=shape.context, tie_word_embeddings=True, use_cache=False,
        rms_norm_eps=NORM_EPS,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
    )  # fmt: skip


def _as_dataset(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    """The rows as transformers takes them: it shifts labels itself."""
    return [
        {"input_ids": ids, "labels": torch.cat((torch.tensor([IGNORE]), targets[:-1]))}
        for batch in batches
        for ids, targets in zip(batch.ids, batch.targets, strict=True)
    ]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _say(recipe: Recipe, who: str, seconds: Sequence[float]) -> None:
    speed = recipe.loop.batch_tokens / statistics.median(seconds)
    sys.stderr.write(f"{who}: {speed:,.0f} tokens/s, median of {len(seconds)}\n")


def bench_recipe(table: dict[str, Any]) -> Recipe:
    """Return the recipe of ``table`` with rows of one length and without an end."""
    data = {**table.get("data", {}), "lengths": [LENGTH], "shares": [1.0], "workers": 0}
    return recipe_from({**table, "data": data, "budget": {"tokens": 10**12}})


def main() -> None:
    """Measure, and write the ratios as JSON to standard output."""
    parser = argparse.ArgumentParser(description="The speed of training, as ratios.")
    add = parser.add_argument
    add("--recipe", type=Path, default=ROOT / "training" / "recipes" / "xs.toml")
    add("--tokenizer", type=Path, required=True, help="the folder of a model or tokenizer")
    add("--rounds", type=int, default=12, help="updates of each leg")
    add("--device", default="cpu", help="cpu or cuda")
    args = parser.parse_args()
    recipe, device = bench_recipe(read_table(args.recipe)), torch.device(args.device)
    found = measure(recipe, args.tokenizer, args.rounds, device)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
