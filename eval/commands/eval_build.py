"""``caret eval build``: the items of a suite from a source tree, as a file."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from completion.errors import UsageError
from completion.terminal import Terminal
from eval.output import output_file

if TYPE_CHECKING:
    from eval.build.built import Built
    from eval.build.tree import Tree
    from eval.item import Item

HELP = "items of cardinal, slices, nodes or replay from a source tree"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("suite", metavar="SUITE", help="cardinal, slices, nodes or replay")
    add(
        "tree", metavar="TREE", type=Path, nargs="?",
        help="a folder of source files (default: the held-out packages)",
    )  # fmt: skip
    add("--out", type=Path, required=True, metavar="FILE.jsonl", help="where the items are written")
    add("--limit", type=int, metavar="N", help="at most N items (default: as many as the suite)")
    add("--seed", type=int, default=0, metavar="N", help="of the draw (default 0)")
    add(
        "--context", default="none", choices=("none", "gathered"),
        help="what comes along of other files: nothing (default), or what the language server "
        "gathers; the items are the same, so that `caret eval compare` pairs their results",
    )  # fmt: skip
    add("--json", action="store_true", help="print what was built as JSON")


def run(args: argparse.Namespace) -> int:
    """Build and write; the same tree, limit and seed give the same bytes."""
    from eval import held_out
    from eval.build.builders import BUILDERS, build
    from eval.build.built import write_built

    if args.suite not in BUILDERS:
        raise UsageError(f"{args.suite} is not built from a tree; {' and '.join(BUILDERS)} are")
    if args.limit is not None and args.limit < 1:
        raise UsageError(f"--limit must be at least 1, not {args.limit}")
    if args.seed < 0:
        raise UsageError(f"--seed must be at least 0, not {args.seed}")
    if args.out.suffix != ".jsonl":
        raise UsageError(f"--out {args.out}: must end in .jsonl, by which --data knows it again")
    out = output_file("--out", args.out)
    err = Terminal(stderr=True, highlight=False)
    with err.status(f"reading {args.tree or 'the held-out packages'}") as status:
        tree = held_out.tree(args.tree)
        status.update(f"cutting {len(tree.files):,} files")
        built = build(args.suite, tree, limit=args.limit or 0, seed=args.seed)
        if args.context == "gathered":
            built = _gathered(built, tree, status.update)
        write_built(built, out)
    kinds = Counter(item.kind for item in built.items)
    table: dict[str, Any] = {
        "suite": built.suite,
        "version": built.version,
        "out": str(args.out),
        "items": len(built.items),
        "kinds": dict(sorted(kinds.items())),
        "tree": {"name": tree.name, "sha256": tree.sha256, "files": len(tree.files)},
        "skipped": dict(sorted(tree.skipped.items())),
        "seed": built.seed,
        "warnings": built.warnings,
    }
    if args.json:
        print(json.dumps(table, indent=1))
    else:
        for warning in built.warnings:
            err.print(Text(f"warning: {warning}", style="yellow"), soft_wrap=True)
        print(_text(table))
    return 0


def _gathered(built: Built, tree: Tree, say: Callable[[str], None]) -> Built:
    """Return the items with what the language server would send of other files, in their order."""
    from completion.config import ContextConfig
    from eval.build.gathering import with_gathered

    found: dict[str, Item] = {}
    for item in with_gathered(built.items, tree, ContextConfig()):
        found[item.id] = item
        say(f"gathering: {len(found):,} of {len(built.items):,} items")
    return replace(built, items=[found[item.id] for item in built.items])


def _text(table: dict[str, Any]) -> str:
    tree = table["tree"]
    lines = [
        f"{table['items']:,} items of {table['suite']} from {tree['files']:,} files of {tree['name']} "
        f"(sha256 {tree['sha256'][:12]}…) in {table['out']}"
    ]
    lines += [f"{count:7,} {kind}" for kind, count in table["kinds"].items()]
    lines += [f"{count:7,} files left out: {why}" for why, count in table["skipped"].items()]
    return "\n".join(lines)
