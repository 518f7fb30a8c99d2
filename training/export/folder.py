"""A run as a model folder: what ``transformers``, vLLM and ``caret serve`` load as it stands.

Lives here: the files of that folder and the measurements that they state. Heads of objectives stay
in the checkpoint and are not in a run's weights; what is written is a plain ``LlamaForCausalLM`` in
bfloat16, or in int8. A folder whose logits are not the trained model's is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as save_bytes
from torch import Tensor
from transformers import GenerationConfig, LlamaConfig

from completion.errors import CaretError
from completion.prompt.snippets import FORMAT_VERSION
from training.corpus.shards import read_documents
from training.evaluate import overall
from training.export.agreement import Rounding, logits_of, real_rows, refuse_apart, rounding
from training.export.card import write_card, write_curve
from training.export.int8 import CONFIG, imitate, quantised
from training.export.measures import ARMS, Measurements, measure, verified_context
from training.export.samples import CURSORS, complete
from training.export.weights import read_weights
from training.model import NORM_EPS, Decoder
from training.recipe import Recipe, recipe_of_run
from training.run.checkpoint import NAME as CHECKPOINT
from training.run.checkpoint import read_checkpoint
from training.run.metrics import read_rows
from training.tokenizer import (
    Sentinels,
    load_text_encoder,
    load_tokenizer,
    save_tokenizer,
    sentinels_of,
    token_bytes,
)

CARET_FORMAT = 1
"""Version of ``caret.json``."""
MAX_BYTES = 40 * 2**20
"""What a bundled model may weigh on disk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportSettings:
    """What an export is asked for."""

    run: Path
    out: Path
    corpus: Path | None = None
    """With it, bits per byte of its held-out packages are measured and stated."""
    evaluate_bytes: int = 2_000_000
    name: str = ""
    version: str = "1"
    int8: bool = False
    """Projections in eight bits: see :mod:`training.export.int8`."""


def export(settings: ExportSettings) -> dict[str, Any]:
    """Write the model folder and return what ``caret.json`` says.

    Raises:
        CaretError: what ``transformers`` makes of the folder is not the trained model, or it is
            too large to be bundled.
    """
    weights, index = read_weights(settings.run)
    recipe = recipe_of_run(index["recipe"])
    tokenizer_folder = settings.run / "tokenizer"
    tokenizer, encoder = load_tokenizer(tokenizer_folder), load_text_encoder(tokenizer_folder)
    ids = sentinels_of(tokenizer)
    model = decoder_of(recipe, weights)
    metrics = read_rows(settings.run)
    index.setdefault("weights", next((m["chosen"] for m in metrics if "chosen" in m), "last"))
    rows = real_rows(lambda t: encoder.encode(t).ids, ids.end, max(recipe.data.lengths))
    read = logits_of(model, rows)
    shipped, exact = read, trained_weights(settings.run, index)
    if settings.int8:
        imitate(model)
        shipped = logits_of(model, rows)
    rounded: Rounding | None = None
    if settings.int8 or exact:
        trained = logits_of(decoder_of(recipe, exact), rows) if exact else read
        rounded = rounding(trained, shipped, rows, [len(b) for b in token_bytes(tokenizer)])
    measured = Measurements(by_package={}, by_window={}, by_arm={})
    if settings.corpus:
        documents = list(read_documents(settings.corpus, "held_out"))
        measured = measure(
            model, recipe, documents, lambda t: encoder.encode(t).ids, ids, settings.evaluate_bytes
        )
    context = verified_context(recipe, measured.by_window)
    name = settings.name or recipe.name
    settings.out.mkdir(parents=True, exist_ok=True)
    write_model(settings.out, recipe, weights, ids, context)
    save_tokenizer(tokenizer, settings.out, context=context)
    agreement = refuse_apart(settings.out, read, rows)
    if settings.int8:
        write_int8(settings.out, weights)
    bits = overall(measured.by_package).bits_per_byte if measured.by_package else None
    about: dict[str, Any] = {
        "format": CARET_FORMAT,
        "family": "qwen",
        "arms": list(ARMS),
        "default_arm": min(ARMS, key=lambda arm: measured.by_arm.get(arm, 0.0)),
        "snippet_format": FORMAT_VERSION,
        "context_tokens": context,
        "name": name,
        "version": settings.version,
        "languages": ["python"],
        "tokens_seen": index["tokens"] + index.get("started_from", {}).get("tokens", 0),
        "held_out_bits_per_byte": bits,
    }
    text = json.dumps(about, indent=1) + "\n"
    (settings.out / "caret.json").write_text(text, encoding="utf-8")
    samples = [
        (cursor, [complete(model, encoder, ids, cursor, suffix_first=s) for s in (False, True)])
        for cursor in CURSORS
    ]
    corpus = json.loads((settings.run / "corpus.json").read_text(encoding="utf-8"))
    write_curve(settings.out / "loss.png", metrics)
    notes_path = settings.run / "notes.md"
    index["notes"] = notes_path.read_text(encoding="utf-8") if notes_path.is_file() else ""
    index["format"] = "int8 projections, the rest bfloat16" if settings.int8 else "bfloat16"
    index["exactness"] = exactness(agreement, rounded, index["format"])
    write_card(settings.out / "MODEL_CARD.md", about, index, corpus, measured, samples)
    size = sum(p.stat().st_size for p in settings.out.rglob("*") if p.is_file())
    if size > MAX_BYTES:
        mend = "train a smaller recipe" if settings.int8 else "give --int8 or train a smaller one"
        raise CaretError(f"{settings.out}: {size / 2**20:.1f} MiB, above 40; {mend}")
    return about


def decoder_of(recipe: Recipe, weights: Mapping[str, Tensor]) -> Decoder:
    """Return the trained model in float32, ready to be evaluated."""
    model = Decoder(recipe.model)
    model.load_state_dict({n: w.float() for n, w in weights.items()})
    return model.eval()


def trained_weights(run: Path, index: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """Return the weights as they were trained, before they were rounded to be kept.

    They are in the run's checkpoint; ``None`` where that was left behind, is damaged or is of
    another moment: an export does without.
    """
    try:
        state = read_checkpoint(run / CHECKPOINT, torch.device("cpu"))
    except CaretError:
        return None
    if state["position"]["step"] != index["step"]:
        return None
    return (index["weights"] == "average" and state["average"]) or state["model"]


def exactness(agreement: float, rounded: Rounding | None, form: str) -> str:
    """Return what the card says of how exactly the folder is the trained model."""
    said = (
        f"On real text the logits of the float32 model that transformers loads and of the trained "
        f"one differ by at most {agreement:.1g}."
    )
    if rounded is None:
        return said
    return (
        f"{said} Rounding what was trained ({form}) moved a logit by at most "
        f"{rounded.largest:.2g}, and bits per byte of {rounded.bytes:,} bytes from "
        f"{rounded.before:.4f} to {rounded.after:.4f}."
    )


def write_int8(out: Path, weights: Mapping[str, Tensor]) -> None:
    """Put int8 projections in the place of the weights in ``out``, and say so in its config."""
    (out / "model.safetensors").write_bytes(save_bytes(quantised(weights), {"format": "pt"}))
    path = out / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps({**config, "quantization_config": CONFIG}, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")


def write_model(
    out: Path, recipe: Recipe, weights: Mapping[str, Tensor], ids: Sentinels, context: int
) -> None:
    """Write weights, ``config.json`` and ``generation_config.json``."""
    shape = recipe.model
    tensors = {n: w.detach().to(torch.bfloat16).contiguous() for n, w in weights.items()}
    (out / "model.safetensors").write_bytes(save_bytes(tensors, {"format": "pt"}))
    config = LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=context,
        rms_norm_eps=NORM_EPS,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=ids.end,
        eos_token_id=ids.end,
        pad_token_id=ids.fim_pad,
        dtype="bfloat16",
    )
    config.save_pretrained(out)
    GenerationConfig(
        bos_token_id=ids.end, eos_token_id=ids.end, pad_token_id=ids.fim_pad, do_sample=False
    ).save_pretrained(out)
