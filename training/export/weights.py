"""Trained weights as one safetensors file in parts that fit a narrow channel.

Lives here: splitting, joining and checking. A part is a plain slice of bytes, so that a tensor
larger than a part is no special case. Parts are named for what is in them: the index, replaced at
the end, leads from one whole set to the next, whenever a kill comes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor

from completion.errors import UsageError
from training.run.files import replacing

PART_BYTES = 15 * 2**20
"""The largest part, as the design gives it."""
INDEX = "weights.json"


def write_weights(
    folder: Path,
    weights: Mapping[str, Tensor],
    about: dict[str, Any],
    *,
    part: int = PART_BYTES,
    dtype: torch.dtype = torch.bfloat16,
) -> list[Path]:
    """Write ``weights`` in ``dtype`` as ``weights.part-HASH-000`` … and the index, last."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: value.detach().to("cpu", dtype).contiguous()
        for name, value in sorted(weights.items())
    }
    raw = save_bytes(tensors, {"format": "pt"})
    digest = hashlib.sha256(raw).hexdigest()
    names: list[str] = []
    for start in range(0, len(raw), part):
        names.append(f"weights.part-{digest[:8]}-{len(names):03d}")
        with replacing(folder / names[-1]) as file:
            file.write(raw[start : start + part])
    index = {"sha256": digest, "parts": names, **about}
    with replacing(folder / INDEX) as file:
        file.write((json.dumps(index, indent=1) + "\n").encode("utf-8"))
    for path in folder.glob("weights.part-*"):
        if path.name not in names:
            path.unlink()
    return [folder / n for n in names]


def read_weights(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Join and check the parts; return tensors by name and what was said of them."""
    path = folder / INDEX
    if not path.is_file():
        raise UsageError(f"run {folder}: no {INDEX}; let caret train save once, or copy it here")
    index = _index(path)
    missing = [n for n in index["parts"] if not (folder / n).is_file()]
    if missing:
        raise UsageError(f"run {folder}: {missing[0]} is missing; copy every part beside {INDEX}")
    raw = b"".join((folder / n).read_bytes() for n in index["parts"])
    if hashlib.sha256(raw).hexdigest() != index["sha256"]:
        raise UsageError(f"run {folder}: the joined parts differ from {INDEX}; copy them again")
    return load_bytes(raw), index


def is_finished(folder: Path) -> bool:
    """Whether the weights in ``folder`` are those of a run that came to its end."""
    path = folder / INDEX
    return path.is_file() and bool(_index(path).get("finished"))


def _index(path: Path) -> dict[str, Any]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        index = None
    if not isinstance(index, dict) or "parts" not in index:
        raise UsageError(f"run {path.parent}: {INDEX} is damaged; copy it again, or remove it")
    return cast("dict[str, Any]", index)
