"""``caret feedback``: what became of suggestions, from the store that `caret lsp` keeps."""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from completion.errors import CaretError, UsageError
from completion.shown import one_line
from lsp.feedback.events import VISIBLE_MS
from lsp.feedback.rates import ALL, Row, rates
from lsp.feedback.store import Store, default_path, read

HELP = "how many suggestions are accepted, and how much of them stays"

_UNITS = {"h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
_AGO = re.compile(r"(\d+)([hdw])")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the two things that can be done, and their flags."""
    store = argparse.ArgumentParser(add_help=False)
    store.add_argument(
        "--store", type=Path, metavar="FILE", help="another store than the user's own"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    report = actions.add_parser(
        "report", parents=[store], help="acceptance (CAR) and persistence (CPR) with intervals"
    )
    report.add_argument("--json", action="store_true", help="the rates as JSON")
    report.add_argument(
        "--since", metavar="WHEN", default="", help="a date (2026-01-31), or 12h, 7d, 4w ago"
    )
    report.add_argument("--plot", type=Path, metavar="FILE", help="also a PNG, SVG or PDF")
    actions.add_parser("clear", parents=[store], help="forget everything that was kept")


def run(args: argparse.Namespace) -> int:
    """Report, or clear; status 0 also when nothing is kept yet."""
    path = args.store or default_path()
    try:
        if args.action == "clear":
            return _clear(path)
        groups = rates(read(path, since=since(args.since, time.time())))
    except sqlite3.Error as error:
        raise CaretError(f"{path} cannot be read: {error}") from None
    if args.plot is not None:
        from lsp.feedback.view import plot

        plot(groups, args.plot)
    if args.json:
        sys.stdout.write(json.dumps(_as_json(path, groups), indent=2) + "\n")
    else:
        _show(path, groups)
    return 0


def since(text: str, now: float) -> float:
    """Return the time that ``text`` says, in seconds since 1970; 0 for nothing.

    Raises:
        UsageError: it says none.
    """
    if not text:
        return 0.0
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"--since {text!r} is no time; write 2026-01-31, or 12h, 7d, 4w") from None


def _clear(path: Path) -> int:
    if path.exists():
        store = Store(path)
        try:
            store.clear()
        finally:
            store.close()
    sys.stdout.write(f"{one_line(str(path))} is empty\n")
    return 0


def _show(path: Path, groups: dict[str, list[Row]]) -> None:
    from rich.text import Text

    from completion.terminal import Terminal
    from lsp.feedback.view import table

    console = Terminal(highlight=False)
    (every,) = groups[ALL]
    if not every.shown and not every.accepted_sooner:
        console.print(Text(f"nothing is known yet of what became of suggestions ({path})"))
        return
    for group, rows in groups.items():
        console.print(table(group, rows))
        console.print()
    console.print(
        f"shown: visible for {VISIBLE_MS} ms or more. CAR: accepted of shown. sooner: accepted before "
        "that, or in an editor that does not say. CPR: share of the accepted text that is still "
        "there so long after. In brackets 95 % intervals.",
        style="dim",
    )


def _as_json(path: Path, groups: dict[str, list[Row]]) -> dict[str, Any]:
    return {
        "store": str(path),
        "visible_ms": VISIBLE_MS,
        **{group: [asdict(row) for row in rows] for group, rows in groups.items()},
    }
