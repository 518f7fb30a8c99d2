"""The adapter for vLLM's V1 model runner: the workspace mixed in between the model and the sampler."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from completion.healing.rows import Part
from completion.workspace.rows import Follower, Row
from completion.workspace.worker import HoldsWorkspaces


class MixingV1(HoldsWorkspaces):
    """Mixed in before :class:`~completion.healing.vllm_v1.RowsV1` and vLLM's worker.

    Between ``execute_model`` and ``sample_tokens`` the runner holds the logits of the step: a row a
    request and, with drafts, one behind each of them. What a request generated is read where the
    runner keeps it; with asynchronous scheduling that is nowhere but among the step's input.
    """

    model_runner: Any

    def execute_model(self, scheduler_output: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the model as vLLM does, and note what has ended: after the last one nothing is sampled."""
        if self.rows is not None:
            self.rows.forget(scheduler_output.finished_req_ids)
        return super().execute_model(scheduler_output, *args, **kwargs)  # type: ignore[misc]

    def sample_tokens(self, grammar_output: Any) -> Any:
        """Sample as vLLM does, from the mixed law."""
        state = self.model_runner.execute_model_state
        if state is not None and self.rows is not None and not self._is_not_ours(state):
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

    def _is_not_ours(self, state: Any) -> bool:
        """Return whether nothing is to be mixed in here: drafts are unknown, as a second model's are."""
        return state.spec_decode_metadata is not None and self.model_runner.use_async_scheduling

    def _rows_of_step(self, state: Any) -> list[Row | None]:
        """Return what is mixed into each row of the step's logits."""
        runner, scheduled = self.model_runner, state.scheduler_output
        rows: list[Row | None] = [None] * len(state.logits)
        first = _first_rows(state.spec_decode_metadata)
        fresh: list[tuple[Follower, int, int]] = []
        for name, size in scheduled.num_scheduled_tokens.items():
            follower = self._follower(name)
            if follower is None:
                continue
            request = runner.requests[name]
            drafts = scheduled.scheduled_spec_decode_tokens.get(name, ())
            start = request.num_computed_tokens
            end = start + size - len(drafts)
            if end < len(request.prompt_token_ids or ()):
                continue  # its prompt is read further in the next step
            at = runner.input_batch.req_id_to_index[name]
            row = at if first is None else first[at]
            for behind in range(len(drafts) + 1):
                rows[row + behind] = Row(follower, end + behind)
            if end > follower.known:
                if runner.use_async_scheduling:
                    fresh.append((follower, int(runner.query_start_loc.np[at]) - start, end))
                else:
                    ids = runner.input_batch.token_ids_cpu[at, follower.known : end]
                    follower.read(ids.tolist())
            if drafts:
                follower.suppose(drafts)
        if fresh:
            where = [
                base + place
                for follower, base, end in fresh
                for place in range(follower.known, end)
            ]
            ids = iter(runner.input_ids.gpu[where].tolist())
            for follower, _, end in fresh:
                follower.read([next(ids) for _ in range(follower.known, end)])
        return rows


def _first_rows(metadata: Any) -> list[int] | None:
    """Return the first row of the logits of each request of a batch, with drafts among them."""
    if metadata is None:
        return None
    return list(itertools.accumulate((n + 1 for n in metadata.num_draft_tokens), initial=0))
