"""The card of adapters: which base, under whose licence, on what data.

Lives here: the text; every number comes from the run's files.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from training.adapters.base import Base
from training.run.progress import duration

UNKNOWN = "not stated in its folder: look where it was published before you pass this on"


def licence_of(folder: Path) -> str:
    """Return what a model folder says of its licence: its card's line, or its licence's title."""
    for card in (p for p in (folder / "README.md", folder / "MODEL_CARD.md") if p.is_file()):
        head = card.read_text(encoding="utf-8", errors="replace").partition("\n---")[0]
        for line in head.splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "license" and value.strip():
                return value.strip()
    for path in sorted([*folder.glob("LICENSE*"), *folder.glob("LICENCE*")]):
        lines = (line.strip() for line in path.read_text("utf-8", errors="replace").splitlines())
        if title := next((line for line in lines if line), ""):
            return f"{title} ({path.name})"
    return UNKNOWN


def write_adapter_card(
    path: Path,
    about: dict[str, Any],
    index: dict[str, Any],
    corpus: dict[str, Any],
    base: Base,
    *,
    merged: bool,
) -> None:
    """Write the card in Markdown."""
    lora, data = index["recipe"]["lora"], index["recipe"]["data"]
    what = "merged into its weights" if merged else "alone, in PEFT's format"
    total = corpus["totals"]["train"]
    counts: Counter[str] = Counter(
        package["licence"]
        for package in corpus["packages"].values()
        if package["part"] == "train" and package["files"]
    )
    licences = ", ".join(f"{n} × {name}" for name, n in counts.most_common())
    heads = [n for n in ("horizon", "next_type") if index["recipe"]["objectives"].get(n)]
    bits = about["held_out_bits_per_byte"]
    held = (
        "not measured at this export"
        if bits is None
        else f"{bits:.4f} with the adapters, {about['base_bits_per_byte']:.4f} of the base alone"
    )
    state = "to the end of its schedule" if index["finished"] else "and stopped before its end"
    path.write_text(
        f"""---
base_model: {base.checkpoint.name}
library_name: {"transformers" if merged else "peft"}
tags: [code, python, fill-in-the-middle, lora]
---
# {about["name"]}, version {about["version"]}

LoRA adapters for completion, trained by Caret in a frozen base, {what}.

## Base

- {base.checkpoint.name}, of family {base.checkpoint.template.family}; its weights are
  `{base.checkpoint.checksum}`.
- Licence of the base: {licence_of(base.folder)}. What is made from its weights stays under that
  licence; Caret's own does not replace it.

## Adapters

- Rank {lora["rank"]}, alpha {lora["alpha"]:g}, dropout {lora["dropout"]:g}, in
  {", ".join(lora["targets"])}: {index["parameters"]:,} values; AdamW at {lora["learning_rate"]:g}.
- {index["tokens"]:,} tokens with loss ({index["epochs"]:.2f} passes), {index["step"]:,} steps,
  {duration(index["seconds"])} on {index["device"]}, {state}.
- Fill-in-the-middle in {data["fim_rate"]:.0%} of examples, in the base's own sentinels
  ({", ".join(about.get("arms") or base.checkpoint.template.arms)}).
- Heads beside it, not kept: {", ".join(heads) or "none"}.

## Data

Permissively licensed Python: {total["packages"]} packages, {total["files"]:,} files,
{total["bytes"] / 1e6:.1f} MB (checksum `{corpus["checksum"][:16]}`). Licences: {licences}.

## Held-out packages, bits per byte

{held}.

## Exactness

{index["exactness"]}
""",
        encoding="utf-8",
    )
