"""Adapters as something to load: merged into their base, or alone in PEFT's format.

Lives here: the files and the checks. A merged folder is as plain as its base was: the same
architecture, the tokenizer's files as they are, weights of the base's own format. Heads of
objectives stay behind.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor

from completion.errors import CaretError, UsageError
from completion.prompt.snippets import FORMAT_VERSION
from completion.prompt.templates import Template
from training.adapters.base import Base, base_of_run
from training.adapters.card import write_adapter_card
from training.adapters.decoder import AdaptedDecoder
from training.adapters.layout import joins, trained_arms
from training.corpus.shards import Document, read_documents
from training.evaluate import bits_per_byte, overall, sample_documents
from training.export.agreement import (
    MOST_APART,
    Rounding,
    apart,
    load_float32,
    logits_of,
    real_rows,
    refuse_apart,
    rounding,
)
from training.export.folder import CARET_FORMAT, ExportSettings, exactness
from training.export.weights import read_weights
from training.recipe import recipe_of_run

KEPT = ("*.json", "*.txt", "*.model", "LICENSE*", "LICENCE*", "NOTICE*")
"""What of a base's folder goes with the merged weights."""
WRITTEN = {"config.json", "caret.json", "arms.json", "model.safetensors.index.json"}
"""What of that the merged folder has of its own, or not at all."""
SHARD = "2GB"


def export_adapters(
    settings: ExportSettings, *, base_folder: str = "", alone: bool = False, float32: bool = False
) -> dict[str, Any]:
    """Write the folder and return what is said of it; ``base_folder`` says where the base lies now.

    Raises:
        UsageError: another base, or ``out`` is the base itself or holds a model already.
        CaretError: what is loaded from the folder is not the trained model.
    """
    weights, index = read_weights(settings.run)
    recipe = recipe_of_run(index["recipe"])
    base = base_of_run(settings.run, base_folder)
    _refuse_used(settings.out, base.folder)
    assert recipe.lora is not None
    decoder = AdaptedDecoder(base, recipe.lora)
    decoder.put(weights)
    decoder.train(False)
    rows = real_rows(
        lambda text: base.tokenizer.encode(text).ids, base.layout.start, max(recipe.data.lengths)
    )
    trained = logits_of(decoder, rows)
    about: dict[str, Any] = {
        "format": CARET_FORMAT,
        **_asked(base.checkpoint.template, recipe.data.spm_rate),
        "snippet_format": FORMAT_VERSION,
        "context_tokens": base.checkpoint.context_tokens,
        "name": settings.name or recipe.name,
        "version": settings.version,
        "languages": ["python"],
        "tokens_seen": index["tokens"],
        "base": base.checkpoint.name,
        **_measured(decoder, base, settings, max(recipe.data.lengths)),
    }
    settings.out.mkdir(parents=True, exist_ok=True)
    if alone:
        agreement, rounded = _write_alone(settings.out, base, decoder, trained, rows), None
    else:
        agreement, rounded = _write_merged(settings.out, base, decoder, trained, rows, float32)
        text = json.dumps(about, indent=1) + "\n"
        (settings.out / "caret.json").write_text(text, encoding="utf-8")
    corpus = json.loads((settings.run / "corpus.json").read_text(encoding="utf-8"))
    form = "float32" if rounded is None else _own_dtype(base)
    index["exactness"] = exactness(agreement, rounded, form)
    write_adapter_card(settings.out / "README.md", about, index, corpus, base, merged=not alone)
    return about


def _asked(template: Template, spm_rate: float) -> dict[str, Any]:
    """Return how ``caret serve`` lays prompts out.

    Where suffix-first ends with a sentinel the tokens of the family say it all, and ``caret.json``,
    which means prefix and middle as one string, says nothing.
    """
    arms = trained_arms(template, spm_rate)
    if "spm" in arms and not joins(template, "spm"):
        return {}
    return {"family": template.family, "arms": list(arms), "default_arm": arms[0]}


def _measured(
    decoder: AdaptedDecoder, base: Base, settings: ExportSettings, window: int
) -> dict[str, Any]:
    """Return bits per byte of held-out text, with the adapters and of the base alone."""
    if not settings.corpus:
        return {"held_out_bits_per_byte": None}
    chosen = sample_documents(
        list(read_documents(settings.corpus, "held_out")), settings.evaluate_bytes
    )

    def bits(documents: list[Document]) -> float:
        measured = bits_per_byte(
            decoder,
            documents,
            lambda text: base.tokenizer.encode(text).ids,
            end=base.layout.start,
            window=window,
            batch_tokens=2 * window,
        )
        return overall(measured).bits_per_byte

    adapted = bits(chosen)
    with decoder.wrapped.disable_adapter():
        return {"held_out_bits_per_byte": adapted, "base_bits_per_byte": bits(chosen)}


def _write_alone(
    out: Path, base: Base, decoder: AdaptedDecoder, trained: list[Tensor], rows: list[Tensor]
) -> float:
    """Write ``adapter_config.json`` and ``adapter_model.safetensors``; load them to see."""
    decoder.wrapped.save_pretrained(str(out), save_embedding_layers=False)
    path = out / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base.checkpoint.name  # not this machine's folder
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    loaded = PeftModel.from_pretrained(load_float32(base.folder), str(out)).eval()
    found = apart(trained, logits_of(_logits(loaded), rows))
    if not found <= MOST_APART:
        raise CaretError(f"{out}: its logits are {found:.2g} from the trained model's")
    return found


def _write_merged(
    out: Path,
    base: Base,
    decoder: AdaptedDecoder,
    trained: list[Tensor],
    rows: list[Tensor],
    float32: bool,
) -> tuple[float, Rounding | None]:
    """Write the merged model in float32 and look at it, then in the base's own format."""
    merged = decoder.merged()
    merged.save_pretrained(out, safe_serialization=True, max_shard_size=SHARD)
    agreement = refuse_apart(out, trained, rows)
    rounded = None
    if not float32 and (form := _own_dtype(base)) != "float32":
        for path in [*out.glob("*.safetensors"), *out.glob("*.safetensors.index.json")]:
            path.unlink()
        merged.to(getattr(torch, form)).save_pretrained(
            out, safe_serialization=True, max_shard_size=SHARD
        )
        sizes = [len(b) for b in base.tokenizer.token_bytes]
        rounded = rounding(trained, logits_of(_logits(load_float32(out)), rows), rows, sizes)
    for path in {p for pattern in KEPT for p in base.folder.glob(pattern)}:
        if path.name not in WRITTEN and path.is_file():
            shutil.copyfile(path, out / path.name)
    return agreement, rounded


def _logits(model: Any) -> Callable[[Tensor], Tensor]:
    return lambda ids: model(input_ids=ids).logits


def _own_dtype(base: Base) -> str:
    """Return the number format that the base's weights say they have."""
    config = json.loads((base.folder / "config.json").read_text(encoding="utf-8"))
    name = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return name if name in ("bfloat16", "float16") else "float32"


def _refuse_used(out: Path, base: Path) -> None:
    if out.resolve() == base.resolve():
        raise UsageError(f"--out {out}: is the base itself; give another folder")
    if out.is_dir() and any(out.glob("*.safetensors")):
        raise UsageError(f"--out {out}: holds weights already; give another folder")
