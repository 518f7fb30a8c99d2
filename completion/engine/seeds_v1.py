"""Seeded requests whose prompts are read in several steps, on a CPU.

vLLM (0.32.0) samples a row of such a step, throws it away and winds the request's generator back by an
offset, which a generator of a CPU does not have: the engine core dies of it. Here such a request has no
generator while the row is sampled, so there is nothing to wind back.
"""

from __future__ import annotations

from typing import Any


class SeedsV1:
    """Mixed in before vLLM's worker on a CPU with the V1 model runner."""

    model_runner: Any

    def sample_tokens(self, grammar_output: Any) -> Any:
        """Sample as vLLM does."""
        runner = self.model_runner
        generators: dict[int, Any] = runner.input_batch.generators
        held: dict[int, Any] = {}
        if generators and runner.execute_model_state is not None:
            unread = runner.discard_request_mask.np
            held = {at: generators.pop(at) for at in list(generators) if unread[at]}
        try:
            return super().sample_tokens(grammar_output)  # type: ignore[misc]
        finally:
            generators.update(held)
