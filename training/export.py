"""A run as a model folder: what ``transformers``, vLLM and ``caret serve`` load as it stands.

Lives here: the files of that folder and the measurements that they state. Heads of objectives stay
in the checkpoint and are not in a run's weights; what is written is a plain ``LlamaForCausalLM`` in
bfloat16.
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
from training.arms import draw_parts, fitting, middle_bits
from training.card import write_card, write_curve
from training.corpus.shards import Document, read_documents
from training.evaluate import Measured, bits_per_byte, overall, sample_documents
from training.metrics import read_rows
from training.model import NORM_EPS, Decoder
from training.progress import Progress
from training.recipe import Recipe, recipe_of_run
from training.samples import CURSORS, complete
from training.tokenizer import (
    Sentinels,
    load_text_encoder,
    load_tokenizer,
    save_tokenizer,
    sentinels_of,
)
from training.weights import read_weights

CARET_FORMAT = 1
"""Version of ``caret.json``."""
MAX_BYTES = 40 * 2**20
"""What a bundled model may weigh on disk."""
ARMS = ("psm", "spm")
BYTES_A_MIDDLE = 5_000
"""One held-out middle is drawn for so many bytes of the evaluation's size."""
CONTEXT_SLACK = 1.005
"""A longer window counts as usable while its bits per byte stay within this of a shorter one's."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurements:
    """What was measured of the exported weights; empty without a corpus."""

    by_package: dict[str, Measured]
    by_window: dict[int, float]
    """Bits per byte of the same long documents, by window in tokens."""
    by_arm: dict[str, float]
    """Bits per byte of the same held-out middles with their ends, by ``psm`` and ``spm``."""


def export(settings: ExportSettings) -> dict[str, Any]:
    """Write the model folder and return what ``caret.json`` says."""
    weights, index = read_weights(settings.run)
    recipe = recipe_of_run(index["recipe"])
    tokenizer_folder = settings.run / "tokenizer"
    tokenizer, encoder = load_tokenizer(tokenizer_folder), load_text_encoder(tokenizer_folder)
    ids = sentinels_of(tokenizer)
    model = decoder_of(recipe, weights)
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
        "tokens_seen": index["tokens"],
        "held_out_bits_per_byte": bits,
    }
    text = json.dumps(about, indent=1) + "\n"
    (settings.out / "caret.json").write_text(text, encoding="utf-8")
    samples = [
        (cursor, [complete(model, encoder, ids, cursor, suffix_first=s) for s in (False, True)])
        for cursor in CURSORS
    ]
    corpus = json.loads((settings.run / "corpus.json").read_text(encoding="utf-8"))
    metrics = read_rows(settings.run)
    index.setdefault("weights", next((m["chosen"] for m in metrics if "chosen" in m), "last"))
    write_curve(settings.out / "loss.png", metrics)
    notes_path = settings.run / "notes.md"
    index["notes"] = notes_path.read_text(encoding="utf-8") if notes_path.is_file() else ""
    write_card(settings.out / "MODEL_CARD.md", about, index, corpus, measured, samples)
    size = sum(p.stat().st_size for p in settings.out.rglob("*") if p.is_file())
    if size > MAX_BYTES:
        raise CaretError(
            f"{settings.out}: {size / 2**20:.1f} MiB, above 40; train a smaller recipe"
        )
    return about


def decoder_of(recipe: Recipe, weights: Mapping[str, Tensor]) -> Decoder:
    """Return the trained model in float32, ready to be evaluated."""
    model = Decoder(recipe.model)
    model.load_state_dict({n: w.float() for n, w in weights.items()})
    return model.eval()


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


def measure(
    model: Decoder,
    recipe: Recipe,
    documents: list[Document],
    encode: Any,
    ids: Sentinels,
    total_bytes: int,
) -> Measurements:
    """Measure bits per byte by package, and of long documents by window."""
    bar = Progress("held out")
    longest = max(recipe.data.lengths)
    chosen = sample_documents(documents, total_bytes, each=40_000)
    size = sum(len(d.text.encode("utf-8")) for d in chosen)
    try:
        by_package = bits_per_byte(
            model,
            chosen,
            encode,
            end=ids.end,
            window=longest,
            batch_tokens=4 * longest,
            bfloat16=True,
            note=lambda done: bar.show(done / size, f"{done / 1e6:.1f} of {size / 1e6:.1f} MB"),
        )
    finally:
        bar.close()
    long = [d for d in documents if len(d.text) > 8 * recipe.model.context]
    long = sample_documents(long, max(1, total_bytes // 4), each=4 * recipe.model.context)
    windows = sorted({*recipe.data.lengths, 2 * longest, recipe.model.context})
    by_window = {
        w: overall(
            bits_per_byte(
                model, long, encode, end=ids.end, window=w, batch_tokens=4 * w, bfloat16=True
            )
        ).bits_per_byte
        for w in windows
        if w <= recipe.model.context and long
    }
    parts = fitting(
        draw_parts(documents, total_bytes // BYTES_A_MIDDLE), encode, recipe.model.context
    )
    by_arm = {
        arm: middle_bits(model, parts, encode, ids, suffix_first=arm == "spm").bits_per_byte
        for arm in ARMS
    }
    return Measurements(by_package=by_package, by_window=by_window, by_arm=by_arm)


def verified_context(recipe: Recipe, by_window: Mapping[int, float]) -> int:
    """Return the longest window that reads no worse than every shorter one.

    Without measurements it is the longest row that was trained on.
    """
    if not by_window:
        return max(recipe.data.lengths)
    best = float("inf")
    context = min(by_window)
    for window, bits in sorted(by_window.items()):
        if bits > best * CONTEXT_SLACK:
            break
        best, context = min(best, bits), window
    return context
