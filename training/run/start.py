"""Where a run begins when it does not begin from nothing: another run's weights, or a model's.

Lives here: reading them and saying which they were. A run folder gives the weights in float32, its
heads and what its optimisers remember, so that nothing is warmed again ("continuing", Ibrahim et
al., arXiv 2403.08763); a model folder gives the weights it serves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from torch import Tensor

from completion.errors import UsageError
from training.export.weights import INDEX, read_weights
from training.run.checkpoint import NAME, check_shapes, read_checkpoint

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Weights to begin with, and whose they are."""

    folder: Path
    weights: dict[str, Tensor]
    about: dict[str, Any]
    """``name`` of the folder, ``sha256`` of the weights, ``step`` where known, and all ``tokens``
    that they have seen, those of their own start too; 0 where nobody counted."""
    heads: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    optimizers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def check(self, ours: dict[str, Tensor]) -> None:
        """Raise a :class:`UsageError` unless the weights are of the shape of ``ours``."""
        check_shapes(self.folder, ours, self.weights)


def read_start(folder: Path) -> Start:
    """Read a run's checkpoint or weights, or a model folder's ``model.safetensors``.

    Raises:
        UsageError: the folder holds none of them, or what it holds is damaged.
    """
    if (folder / NAME).is_file():
        state = read_checkpoint(folder / NAME, torch.device("cpu"))
        position = state["position"]
        return Start(
            folder=folder,
            weights=state["model"],
            about=_about(folder, state["model"], position["step"], _seen(folder, position)),
            heads=state.get("heads", {}),
            optimizers=state["optimizers"],
        )
    if (folder / INDEX).is_file():
        weights, index = read_weights(folder)
        about = _about(folder, weights, index["step"], _seen(folder, index))
        return Start(folder=folder, weights=weights, about=about)
    path = folder / WEIGHTS
    try:
        weights = load_bytes(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"--from {folder}: no {NAME}, {INDEX} or {WEIGHTS} in it") from None
    except (OSError, SafetensorError) as error:
        raise UsageError(f"--from {path}: {error}") from None
    return Start(folder=folder, weights=weights, about=_about(folder, weights, 0, _told(folder)))


def _seen(folder: Path, position: dict[str, Any]) -> int:
    """The tokens of a run and of what it began with."""
    index = json.loads((folder / INDEX).read_text("utf-8")) if (folder / INDEX).is_file() else {}
    return int(position["tokens"]) + int(index.get("started_from", {}).get("tokens", 0))


def _told(folder: Path) -> int:
    """The tokens that a model folder of ``caret export`` states."""
    try:
        return int(json.loads((folder / "caret.json").read_text("utf-8"))["tokens_seen"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _about(folder: Path, weights: dict[str, Tensor], step: int, tokens: int) -> dict[str, Any]:
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(name.encode() + str(value.dtype).encode())
        digest.update(value.detach().contiguous().view(torch.uint8).numpy().tobytes())
    name = folder.resolve().name
    return {"name": name, "sha256": digest.hexdigest(), "step": step, "tokens": tokens}
