"""``caret corpus``: collect permissively licensed Python source by package."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from training.corpus.build import Settings, build
from training.corpus.refine import refine
from training.corpus.sources import SOURCES
from training.progress import Progress

HELP = "collect source code to train on, by package, with licences, filters and deduplication"
HELD_OUT = Path(__file__).parents[2] / "eval" / "suites" / "held_out.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="where the corpus is written")
    add("--cache", type=Path, metavar="DIR", help="where wheels are kept (default: OUT/wheels)")
    add("--sources", type=Path, default=SOURCES, metavar="TOML", help="the packages to take")
    add("--held-out", type=Path, default=HELD_OUT, metavar="TOML", help="the packages to refuse")
    add("--decontaminate", type=Path, metavar="DIR", help="benchmarks that must not be contained")
    add("--package-bytes", type=int, default=3_000_000, metavar="N", help="most text of a package")
    add("--processes", type=int, default=2, metavar="N", help="processes that check files")
    add("--refine", type=Path, metavar="CORPUS", help="instead: drop this corpus's dense files")
    add("--tokenizer", type=Path, metavar="DIR", help="what --refine counts tokens with")
    add("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Build or refine; an interrupted build goes on with the packages that are missing."""
    if (args.out / "manifest.json").is_file():
        raise UsageError(f"--out {args.out}: holds a corpus already; give another folder")
    if (args.refine is None) != (args.tokenizer is None):
        raise UsageError("--refine and --tokenizer go together")
    if args.package_bytes <= 0 or args.processes <= 0:
        raise UsageError("--package-bytes and --processes must be above 0")
    bar = Progress("corpus")
    try:
        if args.refine:
            manifest = refine(
                args.refine,
                args.tokenizer,
                args.out,
                lambda done, total: bar.show(done / max(1, total), f"{done:,} of {total:,} files"),
            )
        else:
            manifest = build(
                Settings(
                    out=args.out,
                    cache=args.cache or args.out / "wheels",
                    sources=args.sources,
                    held_out=args.held_out,
                    decontaminate=args.decontaminate,
                    package_bytes=args.package_bytes,
                    processes=args.processes,
                ),
                lambda label, done, total: bar.show(done / total, label),
            )
    finally:
        bar.close()
    print(json.dumps(summary(manifest), indent=1) if args.json else _text(manifest))
    return 0


def summary(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what of a manifest is worth printing."""
    return {key: manifest[key] for key in ("totals", "skipped", "settings", "checksum")}


def _text(manifest: dict[str, Any]) -> str:
    lines: list[str] = []
    for part, total in manifest["totals"].items():
        lines.append(
            f"{part}: {total['files']:,} of {total['files_seen']:,} files, "
            f"{total['bytes'] / 1e6:.1f} MB, {total['packages']} packages"
        )
        lines += [f"  {count:7,} {reason}" for reason, count in total["dropped"].items()]
    lines += [f"refused {name}: {why}" for name, why in manifest["skipped"].items()]
    return "\n".join(lines)
