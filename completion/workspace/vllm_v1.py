"""The adapter for vLLM's V1 model runner: the workspace mixed in between the model and the sampler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from completion.healing.rows import Part
from completion.workspace.rows import Follower, Row
from completion.workspace.worker import HoldsWorkspaces


class MixingV1(HoldsWorkspaces):
    """Mixed in before :class:`~completion.healing.vllm_v1.RowsV1` and vLLM's worker.

    Between ``execute_model`` and ``sample_tokens`` the runner holds the logits of the step, a row a
    request. What a request generated is read where the runner reads it, among the step's input: with
    asynchronous scheduling nothing else on this side knows it.
    """

    model_runner: Any

    def sample_tokens(self, grammar_output: Any) -> Any:
        """Sample as vLLM does, from the mixed law."""
        state = self.model_runner.execute_model_state
        if state is not None and self.rows is not None and state.spec_decode_metadata is None:
            self.rows.forget(state.scheduler_output.finished_req_ids)
            rows = self._rows_of_step(state)
            if any(row is not None for row in rows):
                with torch.inference_mode():
                    mixed = self.rows.mix(state.logits, rows)
                if mixed is not state.logits:
                    self.model_runner.execute_model_state = state._replace(logits=mixed)
        return super().sample_tokens(grammar_output)  # type: ignore[misc]

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

    def _follower(self, name: str) -> Follower | None:
        assert self.rows is not None
        request = self.model_runner.requests[name]
        return self.rows.follower(
            name, request.sampling_params, lambda: request.prompt_token_ids or ()
        )

    def _rows_of_step(self, state: Any) -> list[Row | None]:
        """Return what is mixed into each row of the step's logits."""
        runner = self.model_runner
        rows: list[Row | None] = [None] * len(state.logits)
        fresh: list[tuple[Follower, list[int]]] = []
        for name, size in state.scheduler_output.num_scheduled_tokens.items():
            follower = self._follower(name)
            if follower is None:
                continue
            request = runner.requests[name]
            start = request.num_computed_tokens
            end = start + size
            if end < len(request.prompt_token_ids or ()):
                continue  # its prompt is read further in the next step
            at = runner.input_batch.req_id_to_index[name]
            rows[at] = Row(follower, end)
            if end > follower.known:
                first = int(runner.query_start_loc.np[at]) - start
                fresh.append((follower, [first + p for p in range(follower.known, end)]))
        if fresh:
            where = [place for _, places in fresh for place in places]
            ids = iter(runner.input_ids.gpu[where].tolist())
            for follower, places in fresh:
                follower.read(next(ids) for _ in places)
        return rows
