"""How many threads a step of the engine core gets, on a CPU.

A step of few tokens on a small model is a hundred matrix products of some microseconds each. Sharing one
out among threads costs as much as computing it, and while it waits for the next one each thread spins on a
core that the process which answers the client needs. So such a step has one thread; the prompt of
a request, and any step of a large model, has all.
"""

from __future__ import annotations

from typing import Any

import torch

_set_threads = torch.set_num_threads
"""As it is before vLLM's CPU worker forbids it."""

ALONE = 128_000_000
"""Up to so many products (parameters × tokens) a step is computed by one thread."""


class FewThreads:
    """Mixed in before vLLM's CPU worker."""

    model_runner: Any
    _alone = ALONE
    _threads = 0
    _all_threads = 0
    _parameters = 0

    def execute_model(self, scheduler_output: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the step with as many threads as it is worth."""
        if tokens := scheduler_output.total_num_scheduled_tokens:
            self.use_threads_for(tokens)
        return super().execute_model(scheduler_output, *args, **kwargs)  # type: ignore[misc]

    def use_threads_for(self, tokens: int) -> None:
        """Use as many threads as reading so many tokens is worth."""
        if not self._all_threads:
            self._threads = self._all_threads = torch.get_num_threads()
            self._parameters = sum(one.numel() for one in self.model_runner.model.parameters())
        threads = 1 if tokens * self._parameters <= self._alone else self._all_threads
        if threads != self._threads:
            _set_threads(threads)
            self._threads = threads
