"""``caret eval arms``: which way of asking suits a model best, measured, and kept with the model."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.table import Table

from completion.commands.flags import add_model_flags, words_for_server
from completion.errors import CaretError, UsageError
from completion.terminal import Terminal
from eval.output import output_file, write_output

HELP = "which way of asking suits a model best: one run of a suite for every arm"
SUITE = "slices"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_model_flags(parser)
    add = parser.add_argument
    add("--limit", type=int, default=600, metavar="N", help="items (default 600)")
    add("--seed", type=int, default=0, metavar="N", help="of the draw (default 0)")
    add("--workers", type=int, default=8, metavar="N", help="items at a time (default 8)")
    add(
        "--data",
        metavar="PATH",
        help="source files or built items (default: the held-out packages)",
    )
    add(
        "--out", type=Path, metavar="DIR",
        help="where the result of each arm is kept; with it a run that was interrupted goes on",
    )  # fmt: skip
    add("--write", action="store_true", help="keep the outcome with the model, as its arms.json")
    add("--json", metavar="FILE", help="write the outcome there; - for standard output")


def run(args: argparse.Namespace) -> int:
    """Measure every arm of the model's layouts, print them best first; the best becomes the default."""
    from completion.engine.checkpoint import load_checkpoint
    from completion.healing.arms import ARMS
    from eval.arms import ranked, record
    from eval.side import read_side

    if args.arm is not None:
        raise UsageError("--arm names one arm; caret eval arms runs all of them")
    if args.limit < 1:
        raise UsageError(f"--limit must be at least 1, not {args.limit}")
    checkpoint = load_checkpoint(args.model or "bundled")
    if checkpoint.unhealed:
        raise UsageError(checkpoint.unhealed)
    output = None
    if args.json not in (None, "-"):
        output = output_file("--json", args.json, hint=", or - for standard output")
    kept = checkpoint.path / "arms.json"
    if args.write:
        output_file("--write", kept)
    names = [name for name, arm in ARMS.items() if arm.layout in checkpoint.arms]
    temporary = tempfile.TemporaryDirectory() if args.out is None else nullcontext(str(args.out))
    with temporary as folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        sides = {name: read_side(str(_result(args, name, Path(folder)))) for name in names}
    rows = ranked(sides)
    table = record(rows, sides[rows[0].arm])
    if args.write:
        write_output("--write", kept, json.dumps(table, indent=1) + "\n")
    if output is not None:
        write_output("--json", output, json.dumps(table, indent=1) + "\n")
    if args.json == "-":
        print(json.dumps(table, indent=1))
    else:
        Terminal(highlight=False).print(_shown(rows))
    return 0


def _result(args: argparse.Namespace, arm: str, folder: Path) -> Path:
    """Run the suite in one arm and return the file of its result; an old one stays."""
    path = folder / f"{arm}.json"
    sys.stderr.write(f"{arm}\n")
    words = ["--arm", arm, "--limit", args.limit, "--seed", args.seed, "--workers", args.workers]
    words += ["--no-baselines", "--json", path, *words_for_server(args)]
    words += ["--data", args.data] if args.data else []
    command = [sys.executable, "-m", "completion.cli", "eval", SUITE, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise CaretError(f"the run of {arm} ended with status {done.returncode}; see above")
    return path


def _shown(rows: list[Any]) -> Table:
    names = list(rows[0].metrics)
    table = Table("arm", *(name.replace("_", " ") for name in names), "behind the best", box=None)
    for row in rows:
        figures = [
            f"{100 * m.value:.1f} ({100 * m.low:.1f}–{100 * m.high:.1f})"
            for m in (row.metrics[name] for name in names)
        ]
        behind = f"{100 * row.behind:.1f} ({100 * row.low:.1f}–{100 * row.high:.1f})"
        table.add_row(row.arm, *figures, behind if row is not rows[0] else "")
    return table
