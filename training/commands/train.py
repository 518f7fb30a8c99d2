"""``caret train``: train a recipe here, or pack everything for a machine without a network."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from completion.errors import UsageError
from training.pack import pack
from training.recipe import Recipe, read_recipe
from training.session import run_training

HELP = "train a model by a recipe, or --pack it for another machine; goes on where it stopped"
RECIPES = Path(__file__).parents[1] / "recipes"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("--recipe", required=True, metavar="NAME|TOML", help="xs, s, or a recipe file")
    add("--corpus", type=Path, required=True, metavar="DIR", help="a folder of caret corpus")
    add("--tokenizer", type=Path, required=True, metavar="DIR", help="a folder of caret tokenizer")
    add("--out", type=Path, metavar="DIR", help="the run's folder; an old one goes on")
    add("--device", default="auto", help="auto, cpu or cuda")
    add("--pack", type=Path, metavar="DIR", help="write all of it into one folder instead")
    add("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Train or pack."""
    if (args.out is None) == (args.pack is None):
        raise UsageError("give exactly one of --out DIR and --pack DIR")
    recipe = find_recipe(args.recipe)
    if args.pack:
        result = pack(recipe, args.corpus, args.tokenizer, args.pack)
        text = f"{args.pack}: {result['bytes'] / 2**20:.1f} MiB; there: python run.py --out DIR"
        print(json.dumps(result) if args.json else text)
        return 0
    result = run_training(recipe, args.corpus, args.tokenizer, args.out, args.device)
    if result:
        state = "finished" if result["finished"] else "stopped, the same command goes on"
        text = f"{args.out}: {state} at {result['tokens']:,} tokens, step {result['step']}"
        print(json.dumps(result) if args.json else text)
    return 0


def find_recipe(name: str) -> Recipe:
    """Return a bundled recipe by name, or the one in a file."""
    bundled = RECIPES / f"{name}.toml"
    if bundled.is_file():
        return read_recipe(bundled)
    if not Path(name).is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise UsageError(f"--recipe {name}: no such file, and no recipe of that name ({known})")
    return read_recipe(Path(name))
