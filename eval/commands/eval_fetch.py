"""``caret eval fetch``: the packages that training never sees, from the user's package index."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from completion.errors import UsageError
from completion.terminal import Terminal

HELP = "the held-out set of real packages"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        "folder", metavar="DIR", type=Path, nargs="?",
        help="where they are put (default: held-out in $CARET_DATA, or in Caret's data folder)",
    )  # fmt: skip
    add("--json", action="store_true", help="print what is there as JSON")


def run(args: argparse.Namespace) -> int:
    """Fetch what is missing; an interrupted call goes on where it was."""
    from eval import held_out

    if args.folder is not None and args.folder.exists() and not args.folder.is_dir():
        raise UsageError(f"{args.folder}: not a folder")
    err = Terminal(stderr=True, highlight=False)
    with err.status("fetching") as status:

        def say(package: str, number: int, of: int) -> None:
            text = f"{package} ({number + 1} of {of})"
            status.update(text)
            if not err.is_terminal:
                err.print(text)

        folder = held_out.fetch(args.folder, say)
    tree = held_out.tree_in(folder)
    rows = [
        {"name": p.name, "version": p.version, "kind": p.kind, "sha256": p.sha256}
        for p in held_out.packages()
    ]
    if args.json:
        found = {"folder": str(folder), "files": len(tree.files), "sha256": tree.sha256}
        print(json.dumps(found | {"packages": rows}, indent=1))
    else:
        print(
            f"{len(tree.files):,} files of {len(rows)} packages (sha256 {tree.sha256[:12]}…) "
            f"in {folder}"
        )
        if folder != held_out.default_folder():
            print(f"suites look elsewhere by default: pass --data {folder}")
    return 0
