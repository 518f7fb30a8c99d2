"""``caret export``: a trained run as a model that any engine loads, with its card."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from completion.errors import UsageError
from training.export import ExportSettings, export

HELP = "make a trained run servable: weights, tokenizer, configuration and model card"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("run_folder", type=Path, metavar="RUN", help="a folder of caret train, or of a pack")
    add("--out", type=Path, required=True, metavar="DIR", help="where the model is written")
    add("--corpus", type=Path, metavar="DIR", help="measure on its held-out packages")
    add("--evaluate-bytes", type=int, default=2_000_000, metavar="N", help="most text measured")
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
    )
    about = export(settings)
    bits = about["held_out_bits_per_byte"]
    measured = "not measured" if bits is None else f"{bits:.3f} bits per held-out byte"
    text = f"{args.out}: {about['name']}, {about['tokens_seen']:,} tokens seen, {measured}"
    print(json.dumps(about, indent=1) if args.json else text)
    return 0
