"""``caret eval cross-file``: items in CrossCodeEval's format from a source tree, one file an arm."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from completion.errors import UsageError
from eval.output import output_file

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
        "the same, so results compare paired",
    )  # fmt: skip
    add("--limit", type=int, default=600, metavar="N", help="at most N items (default 600; 0: all)")
    add("--seed", type=int, default=0, metavar="N", help="of the draw (default 0)")
    add("--max-bytes", type=int, metavar="N", help="of snippets an item (context.max_bytes)")


def run(args: argparse.Namespace) -> int:
    """Build and write."""
    from dataclasses import replace

    from completion.config import ContextConfig
    from eval import held_out
    from eval.build import cross_file
    from eval.build.cross_file_rows import rows

    for flag, value in (("--limit", args.limit), ("--seed", args.seed)):
        if value < 0:
            raise UsageError(f"{flag} must be at least 0, not {value}")
    if args.out.suffix != ".jsonl":
        raise UsageError(f"--out {args.out}: must end in .jsonl, by which --data knows it again")
    if args.max_bytes is not None and args.max_bytes < 0:
        raise UsageError(f"--max-bytes must be at least 0, not {args.max_bytes}")
    out = output_file("--out", args.out)
    config = ContextConfig()
    if args.max_bytes is not None:
        config = replace(config, max_bytes=args.max_bytes)
    err = Console(stderr=True, highlight=False)
    with err.status("reading the tree"):
        tree = held_out.tree(args.tree)
        items = cross_file.build(tree, args.limit, args.seed)
    if not items:
        raise UsageError(f"{tree.name}: no Python in it that uses names of its other files")
    folder = args.tree or held_out.default_folder()
    with_files = snippets = 0
    part = out.with_name(out.name + ".part")
    with err.status("gathering"), part.open("w", encoding="utf-8") as stream:
        for row in rows(items, folder, args.context, config):
            chunks = row.get("crossfile_context", {}).get("list", [])
            with_files += bool(chunks)
            snippets += len(chunks)
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    part.replace(out)
    print(
        f"{len(items):,} items from {len(tree.files):,} files of {tree.name}, {with_files:,} with "
        f"snippets of other files ({snippets / len(items):.1f} an item), in {args.out}"
    )
    return 0
