"""Training curves from files, checked row by row before anything is drawn."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from completion.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What a training run logged."""

    name: str
    trained: list[tuple[float, float]]
    """Tokens, bits per byte of the batch."""
    held_out: list[tuple[float, float]]


def load_curve(path: Path) -> Curve:
    """Read the ``metrics.jsonl`` of a training run, or the one in a run's folder.

    A last line that is not yet complete is left out: the run may still be going on.

    Raises:
        UsageError: there is none, a row is damaged, or none has bits per byte.
    """
    file = path / "metrics.jsonl" if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not a training log (no UTF-8)") from None
    trained: list[tuple[float, float]] = []
    held_out: list[tuple[float, float]] = []
    for number, line in enumerate(lines[:-1], 1):  # what follows the last line break is unfinished
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            for found, name in (trained, "bits_per_byte"), (held_out, "held_out_bits_per_byte"):
                if name in row:
                    found.append((_finite(row["tokens"]), _finite(row[name])))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UsageError(
                f"{file}: line {number} is no row of a training log (want tokens and bits_per_byte)"
            ) from None
    if not trained and not held_out:
        raise UsageError(f"{file}: no row with bits_per_byte; --training wants a metrics.jsonl")
    return Curve(name=file.resolve().parent.name, trained=trained, held_out=held_out)


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)
