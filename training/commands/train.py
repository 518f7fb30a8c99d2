"""``caret train``: train a recipe here, or pack everything for a machine without a network."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from completion.errors import UsageError
from training.adapters.base import Base, load_base
from training.data.curriculum import with_curriculum
from training.distributed import leave
from training.pack import pack
from training.recipe import Recipe, read_recipe, recipe_on_base
from training.run.session import run_training

HELP = "train a model by a recipe, or --pack it for another machine; goes on where it stopped"
RECIPES = Path(__file__).parents[1] / "recipes"
ADAPTER_RECIPE = Path(__file__).parents[1] / "adapters" / "lora.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("--recipe", required=True, metavar="NAME|TOML", help="xs, s, or a recipe file")
    add("--corpus", type=Path, required=True, metavar="DIR", help="a folder of caret corpus")
    add("--tokenizer", type=Path, metavar="DIR", help="a folder of caret tokenizer")
    add(
        "--base", default="", metavar="DIR|ID",
        help="train adapters (LoRA) in this model of any FIM family instead of a model of one's own; "
        "the recipe is `lora`, or a file with [lora]",
    )  # fmt: skip
    add(
        "--curriculum-from", type=Path, metavar="RESULT.json",
        help="a result of `caret eval nodes`: more of the middles that its model got wrong; for the "
        "end of a run, which a new run from its weights is",
    )  # fmt: skip
    add(
        "--from", type=Path, dest="start", metavar="DIR",
        help="begin a new run with the weights of this run or model folder, not with random ones",
    )  # fmt: skip
    add("--out", type=Path, metavar="DIR", help="the run's folder; an old one goes on")
    add("--device", default="auto", help="auto, cpu or cuda")
    add(
        "--shard", action="store_true",
        help="under torchrun: each process holds a slice of the model (FSDP2), for one that does not "
        "fit; the curve is the same",
    )  # fmt: skip
    add("--pack", type=Path, metavar="DIR", help="write all of it into one folder instead")
    add("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Train or pack."""
    if (args.out is None) == (args.pack is None):
        raise UsageError("give exactly one of --out DIR and --pack DIR")
    if bool(args.base) == (args.tokenizer is not None):
        raise UsageError("give exactly one of --tokenizer DIR and --base DIR, which brings its own")
    base = load_base(args.base) if args.base else None
    recipe = find_adapter_recipe(args.recipe, base) if base else find_recipe(args.recipe)
    if args.curriculum_from:
        recipe = with_curriculum(recipe, args.curriculum_from)
    if args.pack and base:
        raise UsageError("--pack holds no base; run the same command with --out where the base is")
    if args.pack:
        result = pack(recipe, args.corpus, args.tokenizer, args.pack)
        text = f"{args.pack}: {result['bytes'] / 2**20:.1f} MiB; there: python run.py --out DIR"
        print(json.dumps(result) if args.json else text)
        return 0
    if args.start and base:
        raise UsageError("--from and --base exclude each other: adapters begin at zero")
    tokenizer = base.folder if base else args.tokenizer
    result = run_training(
        recipe,
        args.corpus,
        tokenizer,
        args.out,
        args.device,
        base,
        args.start,
        sharded=args.shard,
    )
    if result:
        state = "finished" if result["finished"] else "stopped, the same command goes on"
        text = f"{args.out}: {state} at {result['tokens']:,} tokens, step {result['step']}"
        print(json.dumps(result) if args.json else text)
    return leave(0)


def find_adapter_recipe(name: str, base: Base) -> Recipe:
    """Return the bundled recipe of adapters, or the one in a file, on the shape of ``base``."""
    path = Path(name)
    if name == ADAPTER_RECIPE.stem and not path.is_file():
        path = ADAPTER_RECIPE
    return recipe_on_base(path, base.shape, base.fingerprint)


def find_recipe(name: str) -> Recipe:
    """Return a bundled recipe by name, or the one in a file."""
    bundled = RECIPES / f"{name}.toml"
    if bundled.is_file():
        return read_recipe(bundled)
    if not Path(name).is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise UsageError(f"--recipe {name}: no such file, and no recipe of that name ({known})")
    return read_recipe(Path(name))
