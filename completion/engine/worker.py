"""What Caret adds to vLLM's worker, in the engine core, whatever the device and the runner."""

from __future__ import annotations

import logging
from typing import Any

# When a step fails vLLM writes what it was working on: tokens, and Caret's own words with them.
logging.getLogger("vllm.logging_utils.dump_input").disabled = True


class Counting:
    """Mixed in before vLLM's worker; ``collective_rpc`` calls its methods by name."""

    model_runner: Any

    def caret_running(self) -> int:
        """Return how many requests the model runner holds state for."""
        requests = getattr(self.model_runner, "requests", None)
        if requests is not None:  # the V1 runner
            return len(requests)
        return len(self.model_runner.req_states.req_id_to_index)  # the V2 runner

    def caret_drafts(self) -> list[int]:
        """Return how many tokens were drafted since the start, and how many of them were right."""
        return [0, 0]
