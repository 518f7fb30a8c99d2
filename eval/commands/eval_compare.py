"""``caret eval compare``: two results side by side, with paired intervals and a plain verdict."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from completion.errors import UsageError
from completion.terminal import Terminal
from eval.compare import A_BETTER, MANY, NOT_SHOWN, Comparison, Row, compare
from eval.output import output_file, write_output
from eval.side import Side, read_side
from eval.suites.base import CUT

HELP = "hold two results of one suite against each other, item by item"
_WIDTH = 100
"""Columns where the output is no terminal."""
_SHOWN = 32
"""Characters of a setting; a checksum is known by fewer."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "a", metavar="A.json", help="a result; A.json:ngram is the baseline ngram in it"
    )
    parser.add_argument("b", metavar="B.json", help="the one held against it")
    parser.add_argument(
        "--metric", nargs="+", action="extend", default=[], metavar="NAME",
        help="only these, raw and cut of each (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--by", default="", metavar="SLICE",
        help="also each part of a slice: kind, 'file already there', 'text elsewhere'",
    )  # fmt: skip
    parser.add_argument(
        "--json", metavar="FILE", help="write the comparison there; - for standard output"
    )


def run(args: argparse.Namespace) -> int:
    """Compare and print; status 0 whatever the verdict."""
    sides = read_side(args.a), read_side(args.b)
    output = None
    if args.json not in (None, "-"):
        output = output_file(
            "--json", args.json, hint=", or - for standard output", new_folders=False
        )
        if output in [side.path.resolve() for side in sides]:
            raise UsageError(f"--json {args.json}: that is what is compared; name another file")
    found = compare(*sides, args.metric, by=args.by)
    text = json.dumps(as_json(found), indent=2) + "\n"
    if args.json == "-":
        sys.stdout.write(text)
        return 0
    if output is not None:
        write_output("--json", output, text)
    console = Terminal(highlight=False)
    show(found, console if console.is_terminal else Terminal(highlight=False, width=_WIDTH))
    return 0


def as_json(found: Comparison) -> dict[str, Any]:
    """Return the comparison as plain JSON."""
    return {
        "suite": found.a.result.suite,
        "suite_version": found.a.result.suite_version,
        "a": _side_json(found.a),
        "b": _side_json(found.b),
        "shared": found.shared,
        "differs": [asdict(each) for each in found.differs],
        "warnings": found.warnings,
        "metrics": _rows_json(found.rows),
        "parts": {part: _rows_json(rows) for part, rows in found.parts.items()},
        "latency_p50": {stage: {"a": a, "b": b} for stage, (a, b) in found.latency.items()},
    }


def _rows_json(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        row.metric: asdict(row.difference)
        | {"mcnemar": asdict(row.test) if row.test else None, "verdict": row.verdict}
        for row in rows
    }


def _side_json(side: Side) -> dict[str, Any]:
    return {"file": side.file, "baseline": side.baseline, "who": side.who}


def show(found: Comparison, console: Console) -> None:
    """Print what differs, warnings, metrics, what they mean, latency."""
    suite = f"{found.a.result.suite}, version {found.a.result.suite_version}"
    console.print(f"[bold]{escape(suite)}[/]: {found.shared} shared items")
    for name, side in (("A", found.a), ("B", found.b)):
        console.print(f"  {name}  {escape(side.file)}  ({escape(side.who)})")
    if found.differs:
        table = _table("what differs", "A", "B")
        for each in found.differs:
            table.add_row(escape(each.name), _setting(each.a), _setting(each.b))
        _print(table, console)
    else:
        console.print("\nNothing differs in model, options, data and machine.")
    if found.warnings:
        console.print()
    for warning in found.warnings:
        console.print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)
    _print(_metrics(found.rows), console)
    for part, rows in found.parts.items():
        console.print(f"\n[bold]{escape(part)}[/]")
        _print(_metrics(rows), console)
    console.print(f"[dim]{escape(_explained(found))}[/]")
    if found.latency:
        table = _table("p50", *(("A", "right"), ("B", "right"), ("B / A", "right")))
        for stage, (a, b) in found.latency.items():
            table.add_row(_stage(stage), f"{a:,.1f}", f"{b:,.1f}", f"{b / a:.2f}" if a else "–")
        _print(table, console)


def _table(*columns: str | tuple[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        name, side = (column, "left") if isinstance(column, str) else column
        # Names may be folded into two lines; figures and verdicts never.
        table.add_column(name, justify=side, overflow="fold", no_wrap=table.columns != [])
    return table


def _print(table: Table, console: Console) -> None:
    console.print()
    console.print(table)


def _metrics(rows: Sequence[Row]) -> Table:
    table = _table(
        "metric", ("A", "right"), ("B", "right"), ("B − A", "right"), "95 % interval",
        ("only A:B", "right"), ("p", "right"), "",
    )  # fmt: skip
    before = ""
    for row in rows:
        base = row.metric.removesuffix(CUT)
        name = "  cut" if base != row.metric and base == before else row.metric
        before = base
        table.add_row(escape(name), *_figures(row), _coloured(row.verdict))
    return table


def _figures(row: Row) -> list[str]:
    found = row.difference
    scale, digits, unit = (100, 1, " %") if row.share else (1, 3, "")

    def change(value: float) -> str:
        rounded = round(value * scale, digits)
        text = f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"
        return text.replace("-", "−")

    return [
        f"{found.a * scale:.{digits}f}{unit}",
        f"{found.b * scale:.{digits}f}{unit}",
        change(found.value),
        f"{change(found.low)} to {change(found.high)}",
        f"{row.test.only_a}:{row.test.only_b}" if row.test else "",
        _p(row.test.p) if row.test else "",
    ]


def _p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _coloured(verdict: str) -> str:
    if verdict == NOT_SHOWN:
        return f"[dim]{verdict}[/]"
    return f"[{'red' if verdict == A_BETTER else 'green'}]{verdict}[/]"


def _explained(found: Comparison) -> str:
    """Return how the verdicts were reached, in the words that apply."""
    text = "Paired bootstrap over the shared items; shares differ in percentage points."
    if any(row.test for row in found.rows):
        text += (
            " Metrics of 0 and 1: McNemar's exact test decides, at p < 0.05, on the items that only"
            " one side gets right."
        )
    if (count := len(found.rows) * (1 + len(found.parts))) >= MANY:
        text += (
            f" {count} metrics are compared at once: about 1 in 20 would differ by chance"
            " alone, so one verdict among many is a hint, not a finding."
        )
    return text


def _setting(value: Any) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _stage(stage: str) -> str:
    name, ms, _ = stage.partition("_ms")
    return name.replace("_", " ") + (", ms" if ms else "")
