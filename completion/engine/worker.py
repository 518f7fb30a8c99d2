"""What Caret adds to vLLM's worker: methods that ``collective_rpc`` calls in the engine core."""

from __future__ import annotations

from typing import Any


class WorkerExtension:
    """Mixed into vLLM's worker class by ``worker_extension_cls``."""

    model_runner: Any

    def caret_running(self) -> int:
        """Return how many requests the model runner holds state for."""
        requests = getattr(self.model_runner, "requests", None)
        if requests is not None:  # the V1 runner
            return len(requests)
        return len(self.model_runner.req_states.req_id_to_index)  # the V2 runner

    def caret_take_rows(self, keys: list[str]) -> list[bytes | None]:
        """Return rows of the law that requests asked for, float32 bytes; they are forgotten here."""
        from completion.healing.rows import STORE

        return STORE.take(keys)
