"""What Caret adds to vLLM's worker, in the engine core, whatever the device and the runner."""

from __future__ import annotations

from typing import Any


class Counting:
    """Mixed in before vLLM's worker; ``collective_rpc`` calls its methods by name."""

    model_runner: Any

    def caret_running(self) -> int:
        """Return how many requests the model runner holds state for."""
        requests = getattr(self.model_runner, "requests", None)
        if requests is not None:  # the V1 runner
            return len(requests)
        return len(self.model_runner.req_states.req_id_to_index)  # the V2 runner
