"""``caret eval report``: one HTML file out of results, to be read and passed on."""

from __future__ import annotations

import argparse
from pathlib import Path

from completion.errors import UsageError

HELP = "one HTML file with tables and plots out of results"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "results", nargs="+", type=Path, metavar="RESULT.json",
        help="of `caret eval SUITE --json`; several of one suite are shown side by side",
    )  # fmt: skip
    parser.add_argument(
        "--out", default="report.html", metavar="FILE",
        help="where to write it (default report.html)",
    )  # fmt: skip
    parser.add_argument("--title", help="its heading (default: Caret: offline evaluation)")
    parser.add_argument(
        "--training", type=Path, action="append", default=[], metavar="RUN/metrics.jsonl",
        help="log of a training run whose curve is shown; may be given again",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Write the report."""
    from eval.output import output_file, write_output
    from eval.report.loading import load_curve
    from eval.report.page import TITLE, page
    from eval.result import read_result

    out = output_file("--out", args.out)
    given = [*args.results, *args.training]
    if out in [path.resolve() for path in given]:
        raise UsageError(f"--out {args.out}: that is what the report is made of; name another file")
    results = [(path, read_result(path)) for path in args.results]
    curves = [load_curve(path) for path in args.training]
    document = page(results, title=args.title or TITLE, curves=curves)
    write_output("--out", out, document)
    print(f"{args.out}: {len(results)} results, {len(document.encode()) / 1000:,.0f} kB")
    return 0
