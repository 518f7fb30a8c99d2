"""``caret eval report``: one HTML file out of results, to be read and passed on."""

from __future__ import annotations

import argparse
from pathlib import Path

from completion.errors import CaretError, UsageError

HELP = "one HTML file with tables and plots out of results"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "results", nargs="+", type=Path, metavar="RESULT.json",
        help="of `caret eval SUITE --json`; several of one suite are shown side by side",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE",
        help="where to write it (default report.html)",
    )  # fmt: skip
    parser.add_argument("--title", help="its heading (default: Caret: offline evaluation)")
    parser.add_argument(
        "--training", type=Path, action="append", default=[], metavar="RUN/metrics.jsonl",
        help="log of a training run whose curve is shown; may be given again",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Write the report."""
    from eval.report.loading import load, load_curve
    from eval.report.page import TITLE, page

    out: Path = args.out
    given = [*args.results, *args.training]
    if out.resolve() in [path.resolve() for path in given]:
        raise UsageError(f"--out {out}: that is what the report is made of; name another file")
    if out.is_dir():
        raise UsageError(f"--out {out}: a folder; name a file in it")
    results = [(path, load(path)) for path in args.results]
    curves = [load_curve(path) for path in args.training]
    document = page(results, title=args.title or TITLE, curves=curves)
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(document, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise CaretError(f"--out {out}: {error.strerror or error}") from None
    print(f"{out}: {len(results)} results, {len(document.encode()) / 1000:,.0f} kB")
    return 0
