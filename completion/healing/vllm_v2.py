"""The adapter for vLLM's V2 model runner (CUDA with Triton): rows from its scorer of prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from vllm.v1.worker.gpu.sample.prompt_logprob import PromptLogprobsWorker

from completion.healing.rows import Part, RowCollector, part_of, wanted_by


class RowScorer(PromptLogprobsWorker):
    """The runner's scorer of prompts, that also gives whole rows to requests that want them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted: dict[str, tuple[int, int]] = {}
        self._rows = RowCollector()
        self.mixed_rows: Callable[[Sequence[Part], Tensor], Tensor] = lambda _, logits: logits
        """The logits of the law behind the positions of some parts; here the model's, as it is."""

    def add_request(self, req_id: str, req_idx: int, sampling_params: Any) -> None:
        """Note what a new request wants."""
        super().add_request(req_id, req_idx, sampling_params)
        wanted = wanted_by(sampling_params)
        if any(wanted):
            self._wanted[req_id] = wanted

    def remove_request(self, req_id: str) -> None:
        """Forget a request that ended."""
        super().remove_request(req_id)
        self._wanted.pop(req_id, None)
        self._rows.forget(req_id)

    def compute_prompt_token_id_logprobs(
        self,
        logits_fn: Callable[[Tensor], Tensor],
        hidden_states: Tensor,
        input_batch: Any,
        prompt_lens: Any,
    ) -> dict[str, Tensor]:
        """Return what vLLM returns here, and the rows of the prompts that this step completes."""
        found = super().compute_prompt_token_id_logprobs(
            logits_fn, hidden_states, input_batch, prompt_lens
        )
        if not self._wanted:
            return found
        parts: list[Part] = []
        hidden: list[Tensor] = []
        for index, name in enumerate(input_batch.req_ids):
            if name not in self._wanted:
                continue
            prompt = int(prompt_lens[input_batch.idx_mapping_np[index]])
            start = int(input_batch.num_computed_prefill_tokens_np[index])
            size = int(input_batch.num_scheduled_tokens[index])
            part = part_of(name, self._wanted[name], prompt, start, size)
            # One that is past its prompt, or reads it again after a preemption, has its rows.
            if part is None or prompt < int(input_batch.prefill_len_np[index]):
                del self._wanted[name]
                continue
            at = int(input_batch.query_start_loc_np[index])
            low, high = part.computed
            parts.append(part)
            hidden.append(hidden_states[at + low - start : at + high - start])
        every = torch.cat(hidden) if any(map(len, parts)) else None
        logits = None if every is None else self.mixed_rows(parts, logits_fn(every))
        found |= self._rows.take(parts, logits)
        return found


class RowsV2:
    """Mixed in before vLLM's worker: puts the scorer in when the runner has made its own."""

    model_runner: Any

    def load_model(self, *args: Any, **kwargs: Any) -> Any:
        """Load the model, then take the scorer's place."""
        loaded = super().load_model(*args, **kwargs)  # type: ignore[misc]
        own = self.model_runner.prompt_logprobs_worker
        if own is not None:  # only the last pipeline stage has one
            self.model_runner.prompt_logprobs_worker = RowScorer(
                own.max_num_reqs, own.device, own.logprobs_mode
            )
        return loaded
