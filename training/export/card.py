"""The model card: what a model was made of, what it measured, and what it says, as it is.

Lives here: the text and the picture; every number comes from the run's files.
"""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.evaluate import overall
from training.objectives.described import objectives_section
from training.run.progress import duration

if TYPE_CHECKING:
    from training.export.measures import Measurements
    from training.export.samples import Cursor

LICENCE = "Apache-2.0"
"""The licence of the weights: the repository's own."""
MOST_BITS = 4.0
"""The top of the curve's picture: a fresh model's first steps lie beyond."""
Samples = list[tuple["Cursor", list[tuple[str, bool]]]]


def write_curve(path: Path, metrics: list[dict[str, Any]]) -> bool:
    """Draw bits per byte over tokens; return whether matplotlib was there to do it."""
    try:
        importlib.import_module("matplotlib").use("Agg")
        plot = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        return False
    trained = [(m["tokens"] / 1e6, m["bits_per_byte"]) for m in metrics if "bits_per_byte" in m]
    held = [
        (m["tokens"] / 1e6, m["held_out_bits_per_byte"])
        for m in metrics
        if "held_out_bits_per_byte" in m
    ]
    figure, axes = plot.subplots(figsize=(6.4, 3.6), dpi=90)
    axes.plot([t for t, _ in trained], [b for _, b in trained], linewidth=0.8, label="training")
    axes.plot([t for t, _ in held], [b for _, b in held], "o-", label="held out (sample)")
    axes.set_xlabel("million tokens")
    axes.set_ylabel("bits per byte")
    highest = max((b for _, b in [*trained, *held]), default=MOST_BITS)
    axes.set_ylim(0.5, min(MOST_BITS, 1.1 * highest))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    plot.close(figure)
    return True


def write_card(
    path: Path,
    about: dict[str, Any],
    index: dict[str, Any],
    corpus: dict[str, Any],
    measured: Measurements,
    samples: Samples,
) -> None:
    """Write the card in Markdown."""
    sections = [
        _head(about, index),
        _training(index),
        objectives_section(index["recipe"]),
        _data(corpus, index),
        _bits(measured),
        f"## Exactness\n\n{index['exactness']}",
        _samples(samples),
        _limits(about),
        _packages(corpus),
    ]
    path.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _head(about: dict[str, Any], index: dict[str, Any]) -> str:
    size, context = f"{index['parameters'] / 1e6:.1f}M", about["context_tokens"]
    return f"""---
license: {LICENCE.lower()}
language: [code]
library_name: transformers
tags: [code, python, fill-in-the-middle]
---
# {about["name"]}, version {about["version"]}

A decoder of {size} parameters that fills in the middle of {_speech(about)} files, trained
{_origin(index)} by Caret's own pipeline. Llama architecture,
{index["format"]}, {context} tokens of context, byte-level BPE. It speaks PSM and SPM with
Qwen2.5-Coder's sentinels, and knows other files in front in Caret's snippet format {about["snippet_format"]}.
Licence of the weights: {LICENCE}."""


def _training(index: dict[str, Any]) -> str:
    recipe = index["recipe"]
    model, data, optim = recipe["model"], recipe["data"], recipe["optim"]
    state = "to the end of its schedule" if index["finished"] else "and stopped before its end"
    seen, passes = f"{index['tokens'] / 1e6:.1f}M", f"{index['epochs']:.2f}"
    heads = f"{model['heads']} heads over {model['kv_heads']} key-value heads"
    shape = f"{model['width']} wide, {model['layers']} layers, {heads} of {model['head_dim']}"
    rates = f"Muon {optim['muon_lr']} on hidden matrices, AdamW {optim['embedding_lr']}"
    decay = f"over the last {optim['decay_share']:.0%} to {optim['final_share']:.0%}"
    return f"""## Training

{_start(index)}- {seen} tokens with loss ({passes} passes over the documents), {index["step"]:,} steps,
  {duration(index["seconds"])} on {index["device"]}, {state}. Weights: {_weights(index)}.
- {shape}, feed-forward {model["ffn"]}, vocabulary {model["vocabulary"]}, tied embeddings.
- Rows of {_join(data["lengths"])} tokens, {recipe["loop"]["batch_tokens"]} tokens a step.
  Fill-in-the-middle in {data["fim_rate"]:.0%} of examples, suffix first in {data["spm_rate"]:.0%}
  of these, cuts at characters and drawn anew in each pass; other files of the package in front in
  {data["neighbour_rate"]:.0%}.
- {rates} on embeddings; {optim["warmup_steps"]} steps of warm-up, then constant, linear decay
  {decay}.
{index["notes"].strip()}

![Bits per byte over tokens](loss.png)"""


def _speech(about: dict[str, Any]) -> str:
    return ", ".join(name.capitalize() for name in about["languages"])


def _origin(index: dict[str, Any]) -> str:
    start = index.get("started_from")
    return f"from the weights of {start['name']}" if start else "from nothing"


def _start(index: dict[str, Any]) -> str:
    start = index.get("started_from")
    if not start:
        return ""
    behind = f" after {start['tokens'] / 1e6:.1f}M tokens" if start["tokens"] else ""
    return f"- Begun with the weights of {start['name']}{behind} (checksum `{start['sha256'][:16]}`).\n"


def _weights(index: dict[str, Any]) -> str:
    return "an average of the tail" if index.get("weights") == "average" else "the last ones"


def _data(corpus: dict[str, Any], index: dict[str, Any]) -> str:
    total = corpus["totals"]["train"]
    counts: Counter[str] = Counter()
    for package in corpus["packages"].values():
        if package["part"] == "train" and package["files"]:
            counts[package["licence"]] += 1
    licences = ", ".join(f"{n} × {name}" for name, n in counts.most_common())
    dropped = ", ".join(f"{n:,} {why}" for why, n in total["dropped"].items())
    refused = "; ".join(f"{name} ({why})" for name, why in sorted(corpus["skipped"].items()))
    tokens = f", {total['tokens'] / 1e6:.1f}M tokens" if "tokens" in total else ""
    files = f"{total['files']:,} of {total['files_seen']:,} files, {total['bytes'] / 1e6:.0f} MB"
    thinned = corpus.get("thinned_to")
    share = f" The pack held {thinned:.0%} of it." if thinned else ""
    items = corpus["settings"]["decontaminated_items"]
    return f"""## Data

Permissively licensed code by package: {total["packages"]} packages, {files}{tokens}
(checksum `{corpus["checksum"][:16]}`). This run saw {index["tokens"] / 1e6:.1f}M tokens of it.{share}

- Licences: {licences}.
- Languages: {_languages(total)}.
- Left out, files: {dropped}.
- Refused, packages: {refused or "none"}.
- {items} benchmark texts (HumanEval, MBPP, SAFIM) were looked for; files with one were dropped."""


def _languages(total: dict[str, Any]) -> str:
    sizes = total.get("languages") or {"python": total["bytes"]}
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in ranked)


def _bits(measured: Measurements) -> str:
    if not measured.by_package:
        return "## Held-out packages\n\nNot measured at this export."
    rows = [
        f"| {name} | {m.bytes / 1e3:,.0f} | {m.bits_per_byte:.3f} |"
        for name, m in measured.by_package.items()
    ]
    whole = overall(measured.by_package)
    rows.append(f"| **all** | {whole.bytes / 1e3:,.0f} | **{whole.bits_per_byte:.3f}** |")
    windows = ", ".join(f"{b:.3f} at {w}" for w, b in measured.by_window.items())
    arms = ", ".join(f"{bits:.3f} in {arm.upper()}" for arm, bits in measured.by_arm.items())
    table = "\n".join(rows)
    return f"""## Held-out packages

Bits per byte of raw text, left to right, in windows of the trained length; the packages were
excluded by name, and files that copy them by content.

| package | kB measured | bits per byte |
| --- | --- | --- |
{table}

By window in tokens, on long files: {windows}.
The stated context is the longest window that reads no worse than a shorter one.

Middles with their ends, the same in both orders: {arms} bits per byte of the middle.
The better order is the default arm."""


def _samples(samples: Samples) -> str:
    rows: list[str] = []
    for cursor, said in samples:
        before = cursor.prefix.splitlines()[-1]
        behind = cursor.suffix.splitlines()[0]
        cells = [_code(before + "▮" + behind), _code(cursor.expected)]
        cells += [_code(text) + (" ∎" if ended else " …") for text, ended in said]
        rows.append("| " + " | ".join(cells) + " |")
    table = "\n".join(rows)
    return f"""## What it says

Greedy, without healing, filters or stop rule; ▮ is the cursor (only its line is shown), ∎ means that the
model ended by itself, … that it was cut after 24 tokens.

| line | one would expect | PSM | SPM |
| --- | --- | --- | --- |
{table}"""


def _code(text: str) -> str:
    shown = text.replace("\n", "⏎").replace("|", "\\|").replace("`", "'")
    return f"`` {shown} ``" if shown.strip() else f"`{shown}`" if shown else "(nothing)"


def _limits(about: dict[str, Any]) -> str:
    return f"""## Limits

A very small model that has seen little: it knows the shapes of Python and common names, and invents
the rest. It can repeat text it was trained on. {_speech(about)} only; at most
{about["context_tokens"]} tokens."""


def _packages(corpus: dict[str, Any]) -> str:
    by_part: dict[str, list[str]] = {"train": [], "held_out": []}
    for name, package in sorted(corpus["packages"].items()):
        if package["files"]:
            by_part[package["part"]].append(f"{name} {package['version']} ({package['licence']})")
    return (
        "## Packages\n\nTrained on: " + ", ".join(by_part["train"]) + ".\n\nHeld out: "
        + ", ".join(by_part["held_out"]) + "."
    )  # fmt: skip


def _join(values: list[int]) -> str:
    return " and ".join(map(str, values))
