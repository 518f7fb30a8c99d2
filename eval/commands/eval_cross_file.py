"""``caret eval cross-file``: items in CrossCodeEval's format from a source tree, one file an arm."""

from __future__ import annotations

import argparse
import json
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from completion.errors import UsageError
from completion.terminal import Terminal
from eval.output import output_file, write_output

if TYPE_CHECKING:
    from eval.build.cross_file_rows import Built

HELP = "items in CrossCodeEval's format from the packages of a source tree"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        "tree", metavar="TREE", type=Path, nargs="?",
        help="a folder with one folder for each package (default: the held-out packages)",
    )  # fmt: skip
    add("--out", type=Path, required=True, metavar="FILE.jsonl",
        help="where they go; `caret eval crosscodeeval:python --data FILE.jsonl` reads them")  # fmt: skip
    add(
        "--context", default="none", choices=("none", "gathered", "definition"),
        help="what comes along from other files: nothing (default), what the language server "
        "gathers, or the definition of the name in the reference (an upper bound). The items are "
        "the same, so `caret eval compare` pairs their results",
    )  # fmt: skip
    add("--limit", type=int, default=600, metavar="N", help="at most N items (default 600; 0: all)")
    add("--seed", type=int, default=0, metavar="N", help="of the draw (default 0)")
    add(
        "--max-bytes", type=int, metavar="N",
        help="with --context gathered: most bytes of snippets an item (default: the setting "
        "context.max_bytes of its own)",
    )  # fmt: skip
    add("--json", action="store_true", help="print what was built as JSON")
    add("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace) -> int:
    """Build and write, all at once at the end: a run that is stopped leaves no file."""
    from eval import held_out
    from eval.build import cross_file
    from eval.build.cross_file_rows import build_rows
    from eval.running.progress import RunProgress

    config = _config(args)
    out = output_file("--out", args.out)
    err = Terminal(stderr=True, highlight=False, quiet=args.quiet)
    with err.status(f"reading {args.tree or 'the held-out packages'}"):
        tree = held_out.tree(args.tree)
        items = cross_file.build(tree, args.limit, args.seed)
    if not items:
        raise UsageError(f"{tree.name}: no Python in it that uses names of its other files")
    built: list[Built] = []
    with RunProgress(quiet=args.quiet) as progress:
        progress.phase("gathering" if args.context == "gathered" else "writing", len(items))
        for one in build_rows(items, tree, args.context, config):
            built.append(one)
            progress.step(len(built))
    rows = (json.dumps(one.row, ensure_ascii=False) + "\n" for one in built)
    write_output("--out", out, "".join(rows))
    table = {
        "out": str(args.out),
        "version": cross_file.VERSION,
        "context": args.context,
        "max_bytes": config.max_bytes if args.context == "gathered" else None,
        "seed": args.seed,
        "tree": {"name": tree.name, "sha256": tree.sha256, "files": len(tree.files)},
        **summary(built),
    }
    print(json.dumps(table, indent=1) if args.json else _text(table))
    if warning := _warning(table):
        line = Text.assemble(("warning", "yellow"), f": {warning}")
        Terminal(stderr=True, highlight=False).print(line, soft_wrap=True)
    return 0


def summary(built: Sequence[Built]) -> dict[str, Any]:
    """Return what of it people ask about: how much came along, whether the right thing did."""
    chunks = [one.row.get("crossfile_context", {}).get("list", []) for one in built]
    kinds = Counter(chunk["kind"] for found in chunks for chunk in found)
    sizes = [sum(len(c["retrieved_chunk"].encode()) for c in found) for found in chunks]
    seconds = [one.seconds for one in built]
    return {
        "items": len(built),
        "with_snippets": sum(map(bool, chunks)),
        "snippets_per_item": round(sum(map(len, chunks)) / len(built), 2),
        "bytes_per_item": round(sum(sizes) / len(built)),
        "kinds": dict(sorted(kinds.items())),
        "shows_definition": sum(one.shows_definition for one in built),
        "seconds": {"median": round(statistics.median(seconds), 3), "most": round(max(seconds), 3)},
        "lacking": dict(
            Counter(f"{source}: {why}" for one in built for source, why in one.lacking.items())
        ),
    }


def _config(args: argparse.Namespace) -> Any:
    """Return the configuration of the gathering.

    Raises:
        UsageError: a flag is out of range.
    """
    from dataclasses import replace

    from completion.config import ContextConfig

    for flag, value in (("--limit", args.limit), ("--seed", args.seed)):
        if value < 0:
            raise UsageError(f"{flag} must be at least 0, not {value}")
    if args.out.suffix != ".jsonl":
        raise UsageError(f"--out {args.out}: must end in .jsonl, by which --data knows it again")
    if args.max_bytes is None:
        return ContextConfig()
    if args.context != "gathered":
        raise UsageError(f"--max-bytes is of --context gathered; {args.context} has no budget")
    if args.max_bytes < 0:
        raise UsageError(f"--max-bytes must be at least 0, not {args.max_bytes}")
    return replace(ContextConfig(), max_bytes=args.max_bytes)


def _text(table: dict[str, Any]) -> str:
    items, tree = table["items"], table["tree"]
    lines = [
        f"{items:,} items from {tree['files']:,} files of {tree['name']} "
        f"(sha256 {tree['sha256'][:12]}…) in {table['out']}"
    ]
    if table["context"] == "none":
        return lines[0]
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in table["kinds"].items())
    lines += [
        f"  snippets of other files: {table['with_snippets']:,} items have some, "
        f"{table['snippets_per_item']:.1f} and {table['bytes_per_item']:,} bytes an item"
        + (f" ({kinds})" if kinds else ""),
        f"  the definition was among them in {100 * table['shows_definition'] / items:.1f} %",
    ]
    if table["context"] == "gathered":
        seconds = table["seconds"]
        took = f"; {seconds['median']:.2f} s an item (median), {seconds['most']:.2f} s at most"
        line = f"  allowed: {table['max_bytes']:,} bytes an item"
        lines.append(line + (took if table["max_bytes"] else ", so nothing was gathered"))
    return "\n".join(lines)


def _warning(table: dict[str, Any]) -> str:
    """Return in one line what the gathering did not have, and of how many items."""
    lacking = "; ".join(f"{what} ({count:,} items)" for what, count in table["lacking"].items())
    return f"not all was known when it was gathered: {lacking}" if lacking else ""
