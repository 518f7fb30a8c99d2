"""The adapter for vLLM's V1 model runner (the CPU build): rows out of a logits processor."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from vllm.v1.sample.logits_processor.builtin import process_dict_updates
from vllm.v1.sample.logits_processor.interface import BatchUpdate, LogitsProcessor

from completion.engine.base import ROW_KEY
from completion.healing.rows import STORE, law_of


class RowProcessor(LogitsProcessor):
    """Keeps the first row of every request that asks for it; changes no logits.

    A request of a partial prefill is in the batch with a row that means nothing; the row of its
    last part comes later and takes its place.
    """

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool) -> None:
        self._keys: dict[int, str] = {}
        """By index in the batch."""

    def is_argmax_invariant(self) -> bool:
        """It is, but then it would not be called where all requests are greedy."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follow the batch."""
        process_dict_updates(self._keys, batch_update, _key_of)

    def apply(self, logits: Tensor) -> Tensor:
        """Keep the rows that are asked for."""
        for index, key in self._keys.items():
            if index < logits.shape[0]:
                STORE.put(key, law_of(logits[index]))
        return logits


def _key_of(params: Any, prompt_ids: list[int] | None, output_ids: list[int]) -> str | None:
    return (params.extra_args or {}).get(ROW_KEY)
