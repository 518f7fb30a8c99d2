"""What is measured of an exported model: bits per byte by package, by window, by order of parts.

Lives here: the measurements and the context that they verify. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.corpus.shards import Document
from training.evaluate import Measured, bits_per_byte, overall, sample_documents
from training.export.arms import draw_parts, fitting, middle_bits
from training.model import Decoder
from training.recipe import Recipe
from training.run.progress import Progress
from training.tokenizer import Sentinels

ARMS = ("psm", "spm")
BYTES_A_MIDDLE = 5_000
"""One held-out middle is drawn for so many bytes of the evaluation's size."""
CONTEXT_SLACK = 1.005
"""A longer window counts as usable while its bits per byte stay within this of a shorter one's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurements:
    """What was measured of the exported weights; empty without a corpus."""

    by_package: dict[str, Measured]
    by_window: dict[int, float]
    """Bits per byte of the same long documents, by window in tokens."""
    by_arm: dict[str, float]
    """Bits per byte of the same held-out middles with their ends, by ``psm`` and ``spm``."""


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
