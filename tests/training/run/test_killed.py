"""kill -9 at any moment: the run that goes on has the curve of one that was left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch

from training.export.weights import read_weights
from training.recipe import BudgetRecipe, Recipe, recipe_table
from training.run.metrics import read_rows

KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
from tests.training.tiny import HELD, TRAIN
from training.loop import Inputs, Run
from training.recipe import recipe_from
from training.tokenizer import load_text_encoder
import torch
asked = json.load(sys.stdin)
torch.set_num_threads(1)
inputs = Inputs(train=TRAIN, held_out=HELD, tokenizer=load_text_encoder(Path(asked["tokenizer"])))
recipe, out = recipe_from(asked["recipe"]), Path(asked["out"])
rng, killed = random.Random(3), 0
while True:
    child = os.fork()
    if not child:
        try:
            Run(recipe, inputs, out).train()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    # A run that saves behind every update spends most of its time in writing.
    if killed < asked["kills"]:
        time.sleep(rng.uniform(*asked["seconds"]))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        killed += 1
    else:
        print(json.dumps([killed, os.waitstatus_to_exitcode(status)]))
        break
"""


def run(recipe: Recipe, tokenizer: Path, out: Path, kills: int) -> tuple[int, int]:
    asked = {"recipe": recipe_table(recipe), "tokenizer": str(tokenizer), "out": str(out)}
    text = json.dumps({**asked, "kills": kills, "seconds": [0.15, 1.2]})
    done = subprocess.run(
        [sys.executable, "-c", KILLER], input=text, capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    killed, status = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    return killed, status


def test_killed_at_random_moments_the_curve_is_the_undisturbed_one(
    recipe: Recipe, tokenizer_folder: Path, tmp_path: Path
) -> None:
    loop = replace(recipe.loop, checkpoint_every_minutes=0.0)
    recipe = replace(recipe, loop=loop, budget=BudgetRecipe(tokens=12_000))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(recipe, tokenizer_folder, whole, 0)
    times, _ = run(recipe, tokenizer_folder, killed, 12)
    assert times >= 3
    pick = ("step", "loss", "gradient_norm", "tokens", "held_out_bits_per_byte", "final")
    rows = [[{k: r.get(k) for k in pick} for r in read_rows(f)] for f in (killed, whole)]
    assert rows[0] == rows[1]
    assert len(rows[0]) > 15
    ours, theirs = read_weights(killed)[0], read_weights(whole)[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
