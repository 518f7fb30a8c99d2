"""Whether an exported folder says what the trained model says, and what rounding costs.

Lives here: the comparison of logits on real text, and the refusal. It knows nothing of how either
model came to be.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

from completion.errors import CaretError

MOST_APART = 1e-4
"""Between logits of the trained and of the exported model, both in float32."""
ROW_TOKENS = 256
ROWS = 4

Logits = Callable[[Tensor], Tensor]
"""From ids (B, T) to logits (B, T, V)."""


def load_float32(folder: Path) -> Any:
    """Load a model folder in float32: safetensors only, no code of its own, no network.

    Raises:
        CaretError: it cannot be loaded.
    """
    disable_progress_bar()
    try:
        return AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=torch.float32,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
        ).eval()
    except (OSError, ValueError, RuntimeError) as error:
        why = str(error).strip().partition("\n")[0]
        raise CaretError(f"{folder}: transformers cannot load it: {why}") from None


def real_rows(
    encode: Callable[[str], list[int]], start: int, context: int, texts: Iterable[str] = ()
) -> list[Tensor]:
    """Return rows (1, T) of real text, each behind the id ``start``.

    Without ``texts`` it is the source of a module of the standard library.
    """
    chosen = [text for text in texts if text.strip()][:ROWS]
    if not chosen:
        whole = Path(textwrap.__file__).read_text(encoding="utf-8")
        step = len(whole) // ROWS
        chosen = [whole[at * step : (at + 1) * step] for at in range(ROWS)]
    length = min(context, ROW_TOKENS)
    return [torch.tensor([[start, *encode(text)][:length]]) for text in chosen]


@torch.no_grad()
def logits_of(model: Logits, rows: Sequence[Tensor]) -> list[Tensor]:
    """Return the logits of each row, in float32."""
    return [model(row).float() for row in rows]


def apart(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """Return the largest difference of two models' logits over the same rows."""
    return max((a - b).abs().max().item() for a, b in zip(ours, theirs, strict=True))


def refuse_apart(folder: Path, ours: Sequence[Tensor], rows: Sequence[Tensor]) -> float:
    """Return how far the model in ``folder``, in float32, is from the trained one's logits.

    Raises:
        CaretError: by more than :data:`MOST_APART`; its weights are taken away again.
    """
    exported = load_float32(folder)
    found = apart(ours, logits_of(lambda ids: exported(input_ids=ids).logits, rows))
    if not found <= MOST_APART:
        for path in folder.glob("*.safetensors"):
            path.unlink()
        raise CaretError(
            f"{folder}: its logits are {found:.2g} from the trained model's, above {MOST_APART:g}; "
            "its weights were removed: this is a fault of the export, please report it"
        )
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounding:
    """What writing weights in fewer bits changed, over the same rows of real text."""

    largest: float
    """The largest difference of a logit."""
    before: float
    """Bits per byte of the weights as they were trained."""
    after: float
    bytes: int


def rounding(
    before: Sequence[Tensor], after: Sequence[Tensor], rows: Sequence[Tensor], sizes: Sequence[int]
) -> Rounding:
    """Compare logits before and after; ``sizes`` has the bytes of every id."""
    size = sum(sizes[i] for row in rows for i in row[0, 1:].tolist())

    def bits(logits: Sequence[Tensor]) -> float:
        nats = sum(
            F.cross_entropy(said[0, :-1], row[0, 1:], reduction="sum").item()
            for said, row in zip(logits, rows, strict=True)
        )
        return nats / math.log(2) / max(1, size)

    return Rounding(
        largest=apart(before, after), before=bits(before), after=bits(after), bytes=size
    )
