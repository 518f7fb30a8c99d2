"""Which order of the parts a model fills in better: bits per byte of middles, end included.

Lives here: the same held-out middles in PSM and in SPM, teacher-forced. Only the middle and the
end behind it count; in SPM a token that straddles the cut counts to the middle.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import torch

from training.corpus.shards import Document
from training.evaluate import Measured
from training.model import IGNORE, Decoder
from training.objectives.fim import FRAME, psm, split_at, spm
from training.objectives.middles import draw_middle, outline
from training.tokenizer import Sentinels

WINDOW = 1_200
"""Characters of a file around one middle."""

Parts = tuple[str, str, str]


def draw_parts(documents: Sequence[Document], count: int, *, seed: int = 0) -> list[Parts]:
    """Return prefix, middle and suffix of ``count`` windows, documents drawn at random."""
    rng = random.Random(seed)
    parts: list[Parts] = []
    for _ in range(count if documents else 0):
        document = documents[rng.randrange(len(documents))]
        text = document.text
        start = text.rfind("\n", 0, rng.randrange(max(1, len(text) - WINDOW))) + 1
        window = (start, min(len(text), start + WINDOW))
        middle = draw_middle(text, window, outline(document.path, text), rng)
        parts.append(split_at(text, window, middle))
    return parts


def fitting(parts: Sequence[Parts], encode: Callable[[str], list[int]], limit: int) -> list[Parts]:
    """Return the parts that fit ``limit`` tokens in either order."""
    return [p for p in parts if sum(len(encode(text)) for text in p) + FRAME <= limit]


def middle_ids(
    parts: Parts, encode: Callable[[str], list[int]], ids: Sentinels, *, suffix_first: bool
) -> tuple[list[int], int]:
    """Return one example and how many of its last tokens are the middle and the end."""
    prefix, middle, suffix = parts
    if not suffix_first:
        return psm(prefix, middle, suffix, encode, ids), len(encode(middle)) + 1
    whole, alone = encode(prefix + middle), encode(prefix)
    shared = 0
    while shared < len(alone) and whole[shared] == alone[shared]:
        shared += 1
    return spm(prefix, middle, suffix, encode, ids), len(whole) - shared + 1


@torch.no_grad()
def middle_bits(
    model: Decoder,
    parts: Sequence[Parts],
    encode: Callable[[str], list[int]],
    ids: Sentinels,
    *,
    suffix_first: bool,
    rows: int = 8,
) -> Measured:
    """Return the bits of all middles with their ends, and the middles' bytes."""
    examples = [middle_ids(p, encode, ids, suffix_first=suffix_first) for p in parts]
    size = sum(len(middle.encode("utf-8")) for _, middle, _ in parts)
    device, bits = next(model.parameters()).device, 0.0
    for start in range(0, len(examples), rows):
        batch = examples[start : start + rows]
        length = max(len(tokens) for tokens, _ in batch) - 1
        inputs = torch.full((len(batch), length), ids.fim_pad, dtype=torch.int64)
        targets = torch.full((len(batch), length), IGNORE, dtype=torch.int64)
        for row, (tokens, counted) in enumerate(batch):
            inputs[row, : len(tokens) - 1] = torch.tensor(tokens[:-1])
            last = len(tokens) - 1
            targets[row, last - counted : last] = torch.tensor(tokens[-counted:])
        losses = model.losses(inputs.to(device), targets.to(device))
        bits += losses.double().sum().item() / math.log(2)
    return Measured(bits, size)
