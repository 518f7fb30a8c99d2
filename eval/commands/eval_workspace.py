"""``caret eval workspace``: what a model of the project brings to a model, and how they are weighed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table

from completion.errors import UsageError
from completion.terminal import Terminal
from eval.output import output_file, write_output

if TYPE_CHECKING:
    from completion.engine.checkpoint import Checkpoint
    from completion.workspace.fit import Fit
    from eval.build.tree import Tree
    from eval.workspace_law import Logits, Package

HELP = "what the project's own text brings to a model, token by token"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("--model", metavar="DIR|HF-ID", help="model folder or Hugging Face id")
    add(
        "--data", type=Path, metavar="TREE",
        help="a folder of packages, one a folder (default: the held-out packages)",
    )  # fmt: skip
    add("--files", type=int, default=12, metavar="N", help="files read of each (default 12)")
    add(
        "--fit", action="store_true",
        help="fit the weights to the packages instead, and keep them with the model, "
        "as its workspace.json; never to packages that are measured",
    )  # fmt: skip
    add(
        "--ablate", action="store_true",
        help="also other ways to match and to mix, and the workspace as a drafter",
    )  # fmt: skip
    add("--json", metavar="FILE", help="write the figures there; - for standard output")


def run(args: argparse.Namespace) -> int:
    """Measure each package, or fit to all of them."""
    from completion.engine.checkpoint import load_checkpoint
    from completion.engine.locate import locate
    from completion.workspace.fit import FILE, load_fit
    from eval import held_out

    if args.files < 1:
        raise UsageError(f"--files must be at least 1, not {args.files}")
    if args.fit and args.data is None:
        raise UsageError("--fit needs --data: the held-out packages are for measuring")
    output = None
    if args.json not in (None, "-"):
        output = output_file("--json", args.json, hint=", or - for standard output")
    checkpoint = load_checkpoint(args.model or "bundled")
    kept = checkpoint.path / FILE
    if args.fit:
        output_file("--fit", kept)
    tree = held_out.tree(args.data)
    packages = _packages(tree, checkpoint, args.files)
    logits = _logits(checkpoint)
    ends = sorted({*checkpoint.stop_ids, *checkpoint.vocabulary.special_ids})
    head: dict[str, Any] = {"model": checkpoint.name, "checksum": checkpoint.checksum}
    head |= {"tree": {"name": tree.name, "sha256": tree.sha256}, "files": args.files}
    if args.fit:
        table = head | _fit(packages, logits, ends, kept, head)
    else:
        fit = load_fit(checkpoint.path, otherwise=locate("bundled"))
        table = head | {"fit": fit.version, "packages": _measure(packages, logits, ends, fit)}
        if args.ablate:
            table |= _ablate(packages, logits, ends, fit)
    text = json.dumps(table, indent=1) + "\n"
    if output is not None:
        write_output("--json", output, text)
    if args.json == "-":
        sys.stdout.write(text)
    else:
        console = Terminal(highlight=False)
        console.print(_shown(table))
        if "variants" in table:
            console.print(_shown_variants(table))
    return 0


def _packages(tree: Tree, checkpoint: Checkpoint, files: int) -> list[Package]:
    from eval.workspace_law import Package

    named: dict[str, dict[str, bytes]] = {}
    for file in tree.python:
        name, inside, rest = file.path.partition("/")
        if inside:
            named.setdefault(name, {})[rest] = file.text
    packages = [Package(n, t, checkpoint.encoder, files) for n, t in sorted(named.items())]
    packages = [package for package in packages if package.read]
    if not packages:
        raise UsageError(f"{tree.name}: no folder in it holds Python files that are long enough")
    return packages


def _logits(checkpoint: Checkpoint) -> Logits:
    import torch
    from transformers import AutoModelForCausalLM

    from eval.workspace_law import teacher_forced

    special = checkpoint.vocabulary.special
    start = special.get(checkpoint.template.bos or "", checkpoint.stop_ids[0])
    model = AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32).eval()
    return teacher_forced(lambda ids: model(ids).logits, start, checkpoint.context_tokens)


def _measure(packages: list[Package], logits: Logits, ends: list[int], fit: Fit) -> dict[str, Any]:
    from eval.workspace_law import measure

    found: dict[str, Any] = {}
    for package in packages:
        sys.stderr.write(f"{package.name}\n")
        own = fit.on(package.tally())
        found[package.name] = measure(package, logits, ends, own).table()
    return found


def _ablate(packages: list[Package], logits: Logits, ends: list[int], fit: Fit) -> dict[str, Any]:
    """Return the mean over packages of each way to match and to mix, and of drafting."""
    from eval.workspace_variants import DRAFTS, compare, draft, variants

    ways: dict[str, list[dict[str, float]]] = {}
    drafts: dict[str, list[dict[str, float]]] = {}
    for package in packages:
        sys.stderr.write(f"{package.name}, taken apart\n")
        found = compare(package, logits, ends, variants(fit.on(package.tally()), fit))
        for name, row in found.items():
            ways.setdefault(name, []).append(row)
        for size in DRAFTS:
            drafts.setdefault(f"{size} tokens", []).append(draft(package, size).table())
    return {"variants": _means(ways), "drafts": _means(drafts)}


def _means(rows: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        name: {key: sum(row[key] for row in found) / len(found) for key in found[0]}
        for name, found in rows.items()
    }


def _fit(
    packages: list[Package], logits: Logits, ends: list[int], kept: Path, head: dict[str, Any]
) -> dict[str, Any]:
    from eval.workspace_law import cases, fitted

    read: list[Any] = []
    for package in packages:
        sys.stderr.write(f"{package.name}\n")
        read.append((package.tally(), cases(package, logits, ends)))
    fit, trust = fitted(read)
    names = [package.name for package in packages]
    write_output("--fit", kept, fit.to_json({**head, "packages": names}) + "\n")
    return {"fit": fit.version, "packages": names, **trust._asdict()}


def _shown(table: dict[str, Any]) -> Table:
    if "a" in table:
        shown = Table("a", "b", "c", "nats a case", box=None)
        shown.add_row(*(f"{table[name]:.3f}" for name in ("a", "b", "c", "nats")))
        return shown
    heads = ("top-1: model", "workspace", "mixed", "bits per byte: model", "mixed")
    keys = (
        "top1_model",
        "top1_workspace",
        "top1_mixed",
        "bits_per_byte_model",
        "bits_per_byte_mixed",
    )
    shown = Table("package", "tokens", *heads, box=None)
    for name, row in table["packages"].items():
        shown.add_row(name, f"{row['tokens']:,}", *(f"{row[key]:.3f}" for key in keys))
    return shown


def _shown_variants(table: dict[str, Any]) -> Group:
    ways = Table("mean over packages", "top-1", "bits per byte", box=None)
    for name, row in table["variants"].items():
        ways.add_row(name, f"{row['top1']:.3f}", f"{row['bits_per_byte']:.3f}")
    drafts = Table("as a drafter of", "tokens a step", "accepted of the proposed", box=None)
    for name, row in table["drafts"].items():
        drafts.add_row(name, f"{row['tokens_per_step']:.2f}", f"{row['accepted_share']:.1%}")
    return Group("", ways, "", drafts)
