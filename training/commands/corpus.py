"""``caret corpus``: collect permissively licensed source, by package and by folder; link it."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from training.corpus.build import build
from training.corpus.licences import judge
from training.corpus.linking import make_links
from training.corpus.mapped import FOLDER
from training.corpus.mapping import ensure_mapped
from training.corpus.on_ray import ray_workers
from training.corpus.refine import refine
from training.corpus.scale import Workers
from training.corpus.settings import Settings
from training.corpus.shards import read_manifest
from training.corpus.sources import SOURCES
from training.run.progress import Progress

HELP = "collect source code to train on: packages and folders, with licences and deduplication"
HELD_OUT = Path(__file__).parents[2] / "eval" / "suites" / "held_out.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", help="where the corpus is written")
    add("--cache", type=Path, metavar="DIR", help="where wheels are kept (default: OUT/wheels)")
    add("--sources", type=Path, default=SOURCES, metavar="TOML", help="the packages to take")
    add("--folder", type=Path, action="append", default=[], metavar="DIR",
        help="take this folder's code too, in any language; may be given again")  # fmt: skip
    add("--licence", default="", metavar="SPDX",
        help="the folders' licence (default: what their LICENSE and project files say)")  # fmt: skip
    add("--folders-only", action="store_true", help="take the folders and no packages")
    add("--held-out", type=Path, default=HELD_OUT, metavar="TOML", help="the packages to refuse")
    add("--decontaminate", type=Path, metavar="DIR", help="benchmarks that must not be contained")
    add("--package-bytes", type=int, default=3_000_000, metavar="N", help="most text of a package")
    add("--folder-bytes", type=int, metavar="N", help="most text of a folder (default: all)")
    add("--processes", type=int, default=2, metavar="N", help="processes that check files")
    add("--refine", type=Path, metavar="CORPUS", help="instead: drop this corpus's dense files")
    add("--tokenizer", type=Path, metavar="DIR", help="what --refine counts tokens with")
    add("--links", type=Path, metavar="CORPUS",
        help="instead: find what this corpus's names refer to, for [data] definitions_rate")  # fmt: skip
    add("--map", type=Path, metavar="CORPUS",
        help="instead: make the form that training reads, with the order of imports")  # fmt: skip
    add("--ray", nargs="?", const="", metavar="HOST:PORT",
        help="work by Ray Data: on --processes workers started for the run, or on the cluster there, "
        "whose machines see all folders under the same paths")  # fmt: skip
    add("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Build or refine; an interrupted build goes on behind its last whole shard."""
    if [args.out, args.links, args.map].count(None) != 2:
        raise UsageError("give --out DIR, or --map CORPUS or --links CORPUS alone")
    if args.links:
        return _links(args)
    if args.map:
        return _map(args)
    if (args.out / "manifest.json").is_file():
        raise UsageError(f"--out {args.out}: holds a corpus already; give another folder")
    if args.refine and args.ray is not None:
        raise UsageError("--refine works in one process; leave out --ray")
    if (args.refine is None) != (args.tokenizer is None):
        raise UsageError("--refine and --tokenizer go together")
    folder_bytes = 1 if args.folder_bytes is None else args.folder_bytes
    if min(args.package_bytes, args.processes, folder_bytes) <= 0:
        raise UsageError("--package-bytes, --folder-bytes and --processes must be above 0")
    _check_folders(args)
    if args.refine:
        manifest = _refine(args)
        mapped = _mapped(args.out, args.processes, None)
    else:
        with _workers(args) as workers:
            manifest = _build(args, workers)
            mapped = _mapped(args.out, args.processes, workers)
    if args.json:
        print(json.dumps({**summary(manifest), "mapped": mapped}, indent=1))
    else:
        print(_text(manifest))
        print(_mapped_text(mapped))
    return 0


def _refine(args: argparse.Namespace) -> dict[str, Any]:
    bar = Progress("corpus")
    try:
        return refine(
            args.refine,
            args.tokenizer,
            args.out,
            lambda done, total: bar.show(done / max(1, total), f"{done:,} of {total:,} files"),
        )
    finally:
        bar.close()


def _build(args: argparse.Namespace, workers: Workers | None) -> dict[str, Any]:
    settings = Settings(
        out=args.out,
        cache=args.cache or args.out / "wheels",
        sources=None if args.folders_only else args.sources,
        held_out=args.held_out,
        folders=tuple(args.folder),
        folder_licence=args.licence,
        decontaminate=args.decontaminate,
        package_bytes=args.package_bytes,
        folder_bytes=args.folder_bytes,
        processes=args.processes,
    )
    bar = Progress("corpus")
    try:
        return build(settings, lambda label, done, total: bar.show(done / total, label), workers)
    finally:
        bar.close()


def _mapped(
    corpus: Path, processes: int, workers: Workers | None, *, ordered: bool = False
) -> dict[str, int]:
    """Map and parse what was collected, so that training finds it done; return what there is."""
    bar = Progress("mapping the corpus")
    try:
        return ensure_mapped(
            corpus,
            corpus / FOLDER,
            bar.show,
            ordered=ordered,
            processes=processes,
            workers=workers,
        )
    finally:
        bar.close()


def _mapped_text(mapped: dict[str, int]) -> str:
    return (
        f"mapped: {mapped['bytes_on_disk'] / 1e6:,.1f} MB in {FOLDER}/, with "
        f"{mapped['definition']:,} definitions, {mapped['identifier']:,} names and "
        f"{mapped['statement']:,} statements"
    )


@contextmanager
def _workers(args: argparse.Namespace) -> Iterator[Workers | None]:
    """Ray's workers where they are asked for; ``None``: processes of this machine."""
    if args.ray is None:
        yield None
        return
    with ray_workers(args.ray, args.processes) as workers:
        yield workers


def _links(args: argparse.Namespace) -> int:
    """Link a corpus that is there; an interrupted run goes on behind its last whole file."""
    if args.processes <= 0:
        raise UsageError("--processes must be above 0")
    size = read_manifest(args.links)["totals"]["train"]["bytes"]
    bar, began = Progress("links"), time.monotonic()
    try:
        with _workers(args) as workers:
            done = make_links(
                args.links,
                args.processes,
                lambda done, total: bar.show(done / max(1, total), f"{done:,} of {total:,} files"),
                workers,
            )
    finally:
        bar.close()
    seconds = time.monotonic() - began
    if args.json:
        print(json.dumps({**done, "seconds": round(seconds, 1)}, indent=1))
        return 0
    print(
        f"{done['linked']:,} of {done['documents']:,} files use what their package defines: "
        f"{done['uses']:,} names, {done['definitions']:,} definitions; "
        f"{size / 1e6 / seconds:.2f} MB/s"
    )
    return 0


def _map(args: argparse.Namespace) -> int:
    """Map a corpus that is there; an interrupted run does what is left."""
    if args.processes <= 0:
        raise UsageError("--processes must be above 0")
    read_manifest(args.map)
    with _workers(args) as workers:
        mapped = _mapped(args.map, args.processes, workers, ordered=True)
    print(json.dumps(mapped, indent=1) if args.json else _mapped_text(mapped))
    return 0


def _check_folders(args: argparse.Namespace) -> None:
    for folder in args.folder:
        if not folder.is_dir():
            raise UsageError(f"--folder {folder}: no such folder")
    if not args.folder and (args.licence or args.folders_only or args.folder_bytes):
        raise UsageError("--licence, --folders-only and --folder-bytes need a --folder DIR")
    if args.licence and not (stated := judge(args.licence, [], "")).allowed:
        raise UsageError(f"--licence: {stated.reason}; only permissive code is taken")


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
        shares = sorted(total["languages"].items(), key=lambda pair: (-pair[1], pair[0]))
        lines += [f"  {size / 1e6:7,.1f} MB of {language}" for language, size in shares]
        lines += [f"  {count:7,} {reason}" for reason, count in total["dropped"].items()]
    lines += [f"refused {name}: {why}" for name, why in manifest["skipped"].items()]
    return "\n".join(lines)
