"""The adapter for vLLM's V1 model runner (the CPU build): rows from a step's hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from completion.healing.rows import Part, RowCollector, part_of, wanted_by


class RowsV1:
    """Mixed in before vLLM's worker; see :mod:`completion.healing.rows`.

    Between ``execute_model`` and ``sample_tokens`` the runner holds the hidden states of every
    position of the step.
    """

    model_runner: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rows = RowCollector()

    def execute_model(self, scheduler_output: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the model as vLLM does, and note what has ended: after the last one nothing is sampled."""
        for name in scheduler_output.finished_req_ids:
            self._rows.forget(name)
        return super().execute_model(scheduler_output, *args, **kwargs)  # type: ignore[misc]

    def caret_running(self) -> int:
        """Return for how many requests there is anything here or in the runner."""
        return max(len(self._rows), super().caret_running())  # type: ignore[misc]

    def sample_tokens(self, grammar_output: Any) -> Any:
        """Sample as vLLM does, and send the rows along that were asked for."""
        state = self.model_runner.execute_model_state
        rows = {} if state is None else self._rows_of(state)
        output: Any = super().sample_tokens(grammar_output)  # type: ignore[misc]
        if rows:  # what comes of asynchronous scheduling holds the output it will become
            sent = getattr(output, "_model_runner_output", output)
            sent.prompt_token_id_logprobs_dict = {name: row.cpu() for name, row in rows.items()}
        return output

    def mixed_rows(self, parts: Sequence[Part], logits: Tensor) -> Tensor:
        """Return the logits of the law behind the positions of ``parts``; the model's, as it is here."""
        return logits

    @torch.inference_mode()
    def _rows_of(self, state: Any) -> dict[str, Tensor]:
        runner, scheduled = self.model_runner, state.scheduler_output
        parts: list[Part] = []
        hidden: list[Tensor] = []
        for name, size in scheduled.num_scheduled_tokens.items():
            request = runner.requests[name]
            if request.output_token_ids:
                continue  # preempted, its prompt is read again; its rows went out before
            wanted = wanted_by(request.sampling_params)
            start, prompt = request.num_computed_tokens, len(request.prompt_token_ids or ())
            if (part := part_of(name, wanted, prompt, start, size)) is not None:
                at = int(runner.query_start_loc.np[runner.input_batch.req_id_to_index[name]])
                low, high = part.computed
                parts.append(part)
                hidden.append(state.hidden_states[at + low - start : at + high - start])
        every = torch.cat(hidden) if any(map(len, parts)) else None
        logits = None
        if every is not None:
            logits = self.mixed_rows(parts, runner.model.compute_logits(every))
        return self._rows.take(parts, logits)
