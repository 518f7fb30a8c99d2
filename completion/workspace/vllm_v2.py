"""The adapter for vLLM's V2 model runner: the workspace mixed in as the sampler is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from completion.healing.rows import Part
from completion.workspace.rows import Follower, Row
from completion.workspace.worker import HoldsWorkspaces


class MixingV2(HoldsWorkspaces):
    """Mixed in before :class:`~completion.healing.vllm_v2.RowsV2` and vLLM's worker.

    This runner's requests are known here by what the scheduler says of new ones; what they generate
    is read among each step's input.
    """

    model_runner: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._new: dict[str, Any] = {}

    def load_model(self, *args: Any, **kwargs: Any) -> Any:
        """Load the model, then stand before its sampler and its scorer of prompts."""
        loaded = super().load_model(*args, **kwargs)  # type: ignore[misc]
        runner = self.model_runner
        if runner.sampler is not None:  # only the last pipeline stage has one
            runner.sampler = _MixingSampler(runner.sampler, self)
        if runner.prompt_logprobs_worker is not None:
            runner.prompt_logprobs_worker.mixed_rows = self.mixed_rows
        return loaded

    def execute_model(self, scheduler_output: Any) -> Any:
        """Run the model as vLLM does, and note what is new and what has ended."""
        if self.rows is not None:
            ended = scheduler_output.finished_req_ids
            self.rows.forget(ended)
            for name in ended:
                self._new.pop(name, None)
            for request in scheduler_output.scheduled_new_reqs:
                self._new.setdefault(request.req_id, request)
        return super().execute_model(scheduler_output)  # type: ignore[misc]

    def mixed_rows(self, parts: Sequence[Part], logits: Tensor) -> Tensor:
        """Mix into rows behind positions of prompts."""
        if self.rows is None:
            return logits
        rows: list[Row | None] = []
        for part in parts:
            follower = self._follower(part.name)
            low, high = part.computed
            rows += [follower and Row(follower, at + 1) for at in range(low, high)]
        return self.rows.mix(logits, rows)

    @torch.inference_mode()
    def mixed_step(self, logits: Tensor, batch: Any) -> Tensor:
        """Mix into the logits of a step, a row a request."""
        if self.rows is None or batch.num_draft_tokens:
            return logits
        rows: list[Row | None] = [None] * len(logits)
        fresh: list[tuple[Follower, list[int]]] = []
        for index, name in enumerate(batch.req_ids):
            follower = self._follower(name)
            if follower is None:
                continue
            start = int(batch.num_computed_tokens_np[index])
            end = start + int(batch.num_scheduled_tokens[index])
            if end < len(self._new[name].prompt_token_ids or ()):
                continue  # its prompt is read further in the next step
            rows[int(batch.cu_num_logits_np[index])] = Row(follower, end)
            if end > follower.known:
                first = int(batch.query_start_loc_np[index]) - start
                fresh.append((follower, [first + p for p in range(follower.known, end)]))
        if fresh:
            where = [place for _, places in fresh for place in places]
            ids = iter(batch.input_ids[where].tolist())
            for follower, places in fresh:
                follower.read(next(ids) for _ in places)
        if not any(row is not None for row in rows):
            return logits
        return self.rows.mix(logits, rows)

    def _follower(self, name: str) -> Follower | None:
        assert self.rows is not None
        request = self._new.get(name)
        if request is None:  # of a run that only warms the runner up
            return None
        return self.rows.follower(
            name, request.sampling_params, lambda: request.prompt_token_ids or ()
        )


class _MixingSampler:
    """The runner's sampler behind the mixing; everything but the call is the sampler's own."""

    def __init__(self, sampler: Any, worker: MixingV2) -> None:
        self._sampler = sampler
        self._worker = worker

    def __call__(self, logits: Tensor, input_batch: Any) -> Any:
        """Sample from the mixed law."""
        return self._sampler(self._worker.mixed_step(logits, input_batch), input_batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sampler, name)
