"""A run's metrics for TensorBoard, in ``RUN/tensorboard``.

Lives here: the names of the scalars and nothing that is measured. Without the package the run goes
on and says so once. A resumed run tells the reader to drop what was written after its checkpoint.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

NAME = "tensorboard"
GROUPS = {
    "loss": "train/loss",
    "bits_per_byte": "train/bits_per_byte",
    "gradient_norm": "train/gradient_norm",
    "rate_scale": "train/rate_scale",
    "held_out_bits_per_byte": "held_out/bits_per_byte",
    "speed": "speed/tokens_per_second",
    "utilisation": "speed/flop_utilisation",
}
"""What a key of ``metrics.jsonl`` is called there; numbers under other keys are heads' losses."""


class Board:
    """Writes rows of metrics as scalars; :meth:`close` brings them to the disk."""

    def __init__(self, folder: Path, first_step: int, *, stream: TextIO | None = None) -> None:
        """Drop what an earlier writer said of ``first_step`` and later."""
        self._writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            said = "no TensorBoard curves: pip install tensorboard; metrics.jsonl has the same"
            print(said, file=stream or sys.stderr, flush=True)
            return
        self._writer = SummaryWriter(str(folder / NAME), purge_step=first_step)

    def add(self, step: int, values: Mapping[str, Any]) -> None:
        """Write the numbers of one row."""
        if self._writer is None:
            return
        for key, value in values.items():
            if isinstance(value, float):
                self._writer.add_scalar(GROUPS.get(key, f"heads/{key}"), value, step)

    def close(self) -> None:
        """Flush and end."""
        if self._writer is not None:
            self._writer.close()
