"""``caret export``: a trained run as a model that any engine loads, with its card."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from completion.errors import UsageError
from training.adapters.base import BASE_FILE
from training.adapters.export import export_adapters
from training.export.folder import ExportSettings, export

HELP = "make a trained run servable: weights, tokenizer, configuration and model card"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("run_folder", type=Path, metavar="RUN", help="a folder of caret train, or of a pack")
    add("--out", type=Path, required=True, metavar="DIR", help="where the model is written")
    add("--corpus", type=Path, metavar="DIR", help="measure on its held-out packages")
    add("--evaluate-bytes", type=int, default=2_000_000, metavar="N", help="most text measured")
    add("--int8", action="store_true", help="projections in eight bits (W8A8), for vLLM")
    add("--float32", action="store_true", help="of adapters: the base's merged weights unrounded")
    add("--adapter", action="store_true", help="of adapters: them alone, in PEFT's format")
    add("--base", default="", metavar="DIR|ID", help="of adapters: where their base lies now")
    add("--name", default="", help="the model's name (default: the recipe's)")
    add("--version", default="1", dest="model_version", help="the model's version")
    add("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Export and, where a corpus is given, measure."""
    if args.evaluate_bytes <= 0:
        raise UsageError("--evaluate-bytes must be above 0")
    settings = ExportSettings(
        run=args.run_folder,
        out=args.out,
        corpus=args.corpus,
        evaluate_bytes=args.evaluate_bytes,
        name=args.name,
        version=args.model_version,
        int8=args.int8,
    )
    if (args.run_folder / BASE_FILE).is_file():
        if args.int8:
            raise UsageError("--int8 is for models of one's own; leave it out with adapters")
        return _adapters(args, settings)
    if args.base or args.adapter or args.float32:
        raise UsageError(
            f"run {args.run_folder}: it has no base; leave out --base, --adapter and --float32"
        )
    about = export(settings)
    bits = about["held_out_bits_per_byte"]
    measured = "not measured" if bits is None else f"{bits:.3f} bits per held-out byte"
    text = f"{args.out}: {about['name']}, {about['tokens_seen']:,} tokens seen, {measured}"
    print(json.dumps(about, indent=1) if args.json else text)
    return 0


def _adapters(args: argparse.Namespace, settings: ExportSettings) -> int:
    """Merge adapters into their base, or write them alone."""
    done = export_adapters(
        settings, base_folder=args.base, alone=args.adapter, float32=args.float32
    )
    text = (
        f"{args.out}: {done['name']}, of base {done['base']}, {done['tokens_seen']:,} tokens seen"
    )
    print(json.dumps(done, indent=1) if args.json else text)
    return 0
