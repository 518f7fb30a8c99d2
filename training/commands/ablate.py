"""``caret ablate``: what each objective is worth, as a table with intervals and its plot."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from completion.errors import UsageError
from training.ablate.measuring import Asking
from training.ablate.plot import draw
from training.ablate.rows import rows_of
from training.ablate.study import Setting, run_study, shortened
from training.ablate.summary import summarise
from training.ablate.table import markdown
from training.commands.train import find_recipe
from training.recipe import ObjectivesRecipe, Recipe
from training.run.files import replacing

HELP = "train with each objective off in turn, and compare; goes on where it stopped"
JSON, TABLE, PLOT = "ablation.json", "ablation.md", "ablation.svg"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("--recipe", metavar="NAME|TOML", help="xs, s, or a recipe file: the row with all on")
    add(
        "--objectives", choices=("recipe", "defaults"), default="recipe",
        help="defaults: [objectives] as they are where a recipe says nothing (default: recipe)",
    )  # fmt: skip
    add("--corpus", type=Path, metavar="DIR", help="a folder of caret corpus")
    add("--tokenizer", type=Path, metavar="DIR", help="a folder of caret tokenizer")
    add("--out", type=Path, metavar="DIR", help="the ablation's folder; an old one goes on")
    add(
        "--from", type=Path, dest="start", metavar="DIR",
        help="begin every run with the weights of this run or model, not at random",
    )  # fmt: skip
    add("--seeds", type=int, default=2, metavar="N", help="runs of each row (default 2)")
    add("--rows", metavar="A,B,…", help="only these: all_on, all_off, no_horizon, …")
    add("--tokens", type=int, metavar="N", help="of each run (default: the recipe's budget)")
    add(
        "--limit", type=int, default=60, metavar="N",
        help="items of each suite of caret eval (default 60: about two minutes a run on one core)",
    )  # fmt: skip
    add("--workers", type=int, default=16, metavar="N", help="items in flight (default 16)")
    add("--arm", default="spm", choices=("psm", "spm"), help="prompt layout (default spm)")
    add("--device", default="auto", help="auto, cpu or cuda")
    add("--report", type=Path, metavar="DIR", help="instead: table and plot of what is there")
    add("--json", action="store_true", help="print the whole result as JSON")


def run(args: argparse.Namespace) -> int:
    """Run what is missing, then write and show table and plot; 130 when it was interrupted."""
    if args.report:
        return _report(args.report, args.json)
    if missing := [n for n in ("recipe", "corpus", "tokenizer", "out") if not getattr(args, n)]:
        raise UsageError(f"--{missing[0]} is missing; --report DIR needs none of them")
    for name in ("seeds", "limit", "workers"):
        if getattr(args, name) < 1:
            raise UsageError(f"--{name} must be at least 1")
    rows = rows_of(_recipe(args), args.rows.split(",") if args.rows else ())
    asking = Asking(limit=args.limit, workers=args.workers, device=args.device, arm=args.arm)
    setting = Setting(
        corpus=args.corpus, tokenizer=args.tokenizer, out=args.out, start=args.start,
        seeds=args.seeds, device=args.device, asking=asking,
    )  # fmt: skip
    signal.signal(signal.SIGTERM, _stop)
    done = run_study(rows, setting, lambda text: print(text, file=sys.stderr, flush=True))
    if not done:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    return _report(args.out, args.json)


def _recipe(args: argparse.Namespace) -> Recipe:
    recipe = find_recipe(args.recipe)
    if args.objectives == "defaults":
        recipe = dataclasses.replace(recipe, objectives=ObjectivesRecipe())
    if args.tokens is not None:
        if args.tokens < 1:
            raise UsageError("--tokens must be at least 1")
        recipe = shortened(recipe, args.tokens)
    if not recipe.budget.tokens:
        raise UsageError(
            f"recipe {recipe.name}: its budget is in minutes, and rows are compared at equal "
            "tokens; give --tokens N"
        )
    return recipe


def _report(folder: Path, as_json: bool) -> int:
    summary = summarise(folder)
    text = markdown(summary)
    table = json.dumps(summary.table(), indent=1) + "\n"
    for name, content in ((JSON, table), (TABLE, text)):
        with replacing(folder / name) as file:
            file.write(content.encode("utf-8"))
    print(table if as_json else text, end="")
    if draw(summary, folder / PLOT):
        print(f"{folder}: {JSON}, {TABLE}, {PLOT}", file=sys.stderr)
    else:
        print(f"{folder}: {JSON}, {TABLE}; no plot without matplotlib", file=sys.stderr)
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt  # as from a terminal: what works for us is ended too
