"""The figures of one trained run: completions by ``caret eval``, bits by the weights themselves.

Lives here: calling the harness as a program and reading its result files. It goes on by itself
from its own journal when the same call comes again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from completion.errors import CaretError
from training.ablate.figures import Scores, scores_of
from training.corpus.shards import Document, read_documents
from training.evaluate import bits_per_byte, sample_documents
from training.export.arms import draw_parts, fitting, middle_bits
from training.export.folder import decoder_of
from training.export.weights import read_weights
from training.recipe import recipe_of_run
from training.tokenizer import load_text_encoder, load_tokenizer, sentinels_of

SCHEMA = 1
"""Of result files, as ``eval.result`` counts it."""
READ_BYTES = 150_000
"""Held-out text that is read left to right."""
MIDDLES = 100
"""Held-out middles that are read in both orders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """How the harness is asked."""

    limit: int
    """Items of each suite."""
    workers: int
    device: str
    arm: str


def build_items(suite: str, path: Path) -> None:
    """Write the items of ``suite`` from the held-out packages once, for all runs."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"part-{path.name}")
        _caret("eval", "build", suite, "--out", str(part))
        part.replace(path)


def completions(model: Path, items: Path, suite: str, result: Path, asking: Asking) -> Scores:
    """Run ``suite`` on the model folder ``model``, where it was not yet, and return its scores."""
    if (
        not result.is_file()
    ):  # written in one move; asked again, caret eval would load the model first
        words = ["eval", suite, "--engine", "in-process", "--model", str(model)]
        words += ["--data", str(items), "--limit", str(asking.limit), "--no-baselines", "--quiet"]
        words += ["--workers", str(asking.workers), "--device", asking.device, "--arm", asking.arm]
        _caret(*words, "--json", str(result))
    return scores_of(suite, _read(result, suite))


def bits(run: Path, corpus: Path) -> Scores:
    """Return the bits of held-out files and of held-out middles under the weights of ``run``."""
    weights, index = read_weights(run)
    recipe = recipe_of_run(index["recipe"])
    model = decoder_of(recipe, weights)
    encoder = load_text_encoder(run / "tokenizer")
    ids = sentinels_of(load_tokenizer(run / "tokenizer"))

    def encode(text: str) -> list[int]:
        return encoder.encode(text).ids

    documents = list(read_documents(corpus, "held_out"))
    sample = [
        Document(f"{d.package}/{d.path}", d.path, d.text)  # each file is an item
        for d in sample_documents(documents, READ_BYTES)
    ]
    longest = max(recipe.data.lengths)
    quick = recipe.loop.bfloat16
    files = bits_per_byte(model, sample, encode, end=ids.end, window=longest, bfloat16=quick)
    parts = fitting(draw_parts(documents, MIDDLES), encode, longest)
    middles: dict[str, tuple[float, float]] = {}
    for number, part in enumerate(parts):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=quick):
            both = [middle_bits(model, [part], encode, ids, suffix_first=s) for s in (False, True)]
        middles[str(number)] = (sum(m.bits for m in both), float(sum(m.bytes for m in both)))
    return {
        "bits_per_byte": {name: (m.bits, float(m.bytes)) for name, m in files.items()},
        "middle_bits_per_byte": middles,
    }


def _read(path: Path, suite: str) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaretError(f"{path}: {error}; remove it and give the same command again") from None
    if table.get("schema") != SCHEMA or table.get("suite") != suite:
        raise CaretError(f"{path}: not a result of {suite} that this version reads; remove it")
    return table


def _caret(*words: str) -> None:
    """Run the program; what it prints is kept for the error alone."""
    process = subprocess.Popen(
        [sys.executable, "-m", "completion.cli", *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_environment(),
    )  # fmt: skip
    try:
        _, said = process.communicate()
    except BaseException:  # we are being stopped: so is the work for us, behind its journal
        process.terminate()
        process.wait()
        raise
    if process.returncode:
        raise CaretError(f"caret {words[0]} {words[1]} failed: {_last_line(said.splitlines())}")


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _last_line(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
