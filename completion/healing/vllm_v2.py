"""The adapter for vLLM's V2 model runner (CUDA with Triton): rows out of a logits processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsContext, LogitsProcessor

from completion.engine.base import ROW_KEY
from completion.healing.rows import STORE, law_of

if TYPE_CHECKING:
    from torch import Tensor


class RowProcessor(LogitsProcessor):
    """Keeps the first row of every request that asks for it; changes no logits.

    Requests have slots; a row belongs to the slot that the batch's layout gives it. Without drafts
    there is one row a request, in the batch's order.
    """

    def __init__(self, vllm_config: Any, req_states: Any) -> None:
        self._keys: dict[int, str] = {}
        """By slot."""

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        """Note what the new request in the slot ``req_idx`` asks for."""
        key = (sampling_params.extra_args or {}).get(ROW_KEY)
        if key is None:
            self._keys.pop(req_idx, None)
            return False
        self._keys[req_idx] = key
        return True

    def apply(self, logits: Tensor, ctx: LogitsContext) -> Tensor:
        """Keep the rows that are asked for."""
        if self._keys:
            for row, slot in enumerate(ctx.idx_mapping_np.tolist()):
                key = self._keys.get(slot)
                if key is not None and row < logits.shape[0]:
                    STORE.put(key, law_of(logits[row]))
        return logits
