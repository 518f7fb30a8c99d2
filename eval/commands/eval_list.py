"""``caret eval list``: the suites, what they ask, and whether their data is here."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

from rich.table import Table
from rich.text import Text

from completion.terminal import Terminal
from eval.data.registry import status
from eval.suites import SUITES, suite_named

HELP = "the suites, and whether their data is here"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One suite."""

    name: str
    version: str
    about: str
    available: bool
    data: str
    """Where it is from, or how to get it."""
    default_limit: int
    """0: all items."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--json", action="store_true", help="the table as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    rows = [row(name) for name in SUITES]
    if args.json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
        return 0
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(ratio=1)
    for number, one in enumerate(rows):
        if number:
            table.add_row()
        asked = f" · {one.default_limit} items unless --limit says otherwise"
        table.add_row(
            one.name,
            Text.assemble(
                f"{one.about}\n",
                (one.data, "green" if one.available else "yellow"),
                (asked if one.default_limit else "", "dim"),
            ),
        )
    Terminal(highlight=False).print(table)
    return 0


def row(name: str) -> Row:
    """Return what is to be said of a suite."""
    available, data = status(name)
    try:
        suite = suite_named(name)
    except ModuleNotFoundError as error:
        data = f"needs the Python package {error.name}; `caret doctor` says how to get it"
        return Row(name=name, version="", about="", available=False, data=data, default_limit=0)
    return Row(
        name=name,
        version=suite.version,
        about=suite.about,
        available=available,
        data=data,
        default_limit=suite.default_limit,
    )
