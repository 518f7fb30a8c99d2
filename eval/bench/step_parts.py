"""Where the time of a decoding step goes in the engine core: vLLM's own functions, timed from outside.

vLLM mixes :class:`StepParts` into its worker (``worker_extension_cls``), which lives in the engine-core
process; only a bench asks for it. A part's time is without that of the parts inside it.
"""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable
from typing import Any

STEP = "engine core: loop, executor, Caret's worker"
"""What is left of a step."""
_CORE = [
    ("_process_engine_step", STEP),
]
_SCHEDULER = [
    ("schedule", "scheduler: what to run"),
    ("update_from_output", "scheduler: outputs"),
]
_RUNNER = [
    ("execute_model", "runner: rest of a step"),
    ("_update_states", "runner: states"),
    ("_prepare_inputs", "runner: inputs"),
    ("_get_slot_mappings", "runner: inputs"),
    ("_build_attention_metadata", "runner: attention metadata"),
    ("_model_forward", "model: layers"),
    ("sample_tokens", "runner: rest of sampling"),
    ("_sample", "sampler"),
    ("_bookkeeping_sync", "runner: tokens out"),
]
LOGITS = "model: logits"
BETWEEN = "engine core: between two steps"
_LONGEST_PAUSE_S = 0.01
"""More is a pause between two requests."""


class StepParts:
    """Methods that ``collective_rpc`` calls by name."""

    model_runner: Any
    proposer: Any

    def caret_parts_begin(self) -> None:
        """Time from here on."""
        _timing.begin(self.model_runner)

    def caret_parts_end(self) -> dict[str, list[float]]:
        """Return by part how often it ran and how many seconds it took; timing is over."""
        return _timing.end()

    def caret_own_forward(self) -> bool:
        """Run the model's layers as vLLM does, without Caret's shorter way; return whether it had one."""
        return vars(self.model_runner.model).pop("forward", None) is not None

    def caret_alone(self, products: int) -> None:
        """Compute steps of up to so many products by one thread, larger ones by all."""
        self._alone = products

    def caret_step_by_step(self) -> None:
        """Draw no more than a step's tokens in one call of the worker."""
        self._builder = None
        self.proposer.roomy = 0

    def caret_long(self, seconds: float) -> None:
        """Let a call of the worker go on for about so long."""
        self._long_s = seconds

    def caret_collect(self, on: bool) -> None:
        """Switch Python's cycle collector of this process on or off."""
        (gc.enable if on else gc.disable)()


class _Timing:
    def __init__(self) -> None:
        self._found: dict[str, list[float]] = {}
        self._inside: list[float] = []
        self._undo: list[tuple[Any, str, Any]] = []
        self._last_end = 0.0

    def begin(self, runner: Any) -> None:
        from vllm.v1.core.sched.scheduler import Scheduler
        from vllm.v1.engine.core import EngineCoreProc

        self.end()
        self._last_end = 0.0
        for owner, parts in (
            (EngineCoreProc, _CORE),
            (Scheduler, _SCHEDULER),
            (type(runner), _RUNNER),
            (runner.model, [("compute_logits", LOGITS)]),
        ):
            for name, part in parts:
                if not hasattr(owner, name):
                    continue  # another version has it otherwise
                self._undo.append((owner, name, vars(owner).get(name)))
                setattr(owner, name, self._timed(getattr(owner, name), part))

    def end(self) -> dict[str, list[float]]:
        for owner, name, before in reversed(self._undo):
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        found, self._found, self._undo, self._inside = self._found, {}, [], []
        return found

    def _timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            if part == STEP and begun - self._last_end < _LONGEST_PAUSE_S:
                self._add(BETWEEN, begun - self._last_end)
            self._inside.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                ended = time.perf_counter()
                if self._inside:  # else timing ended inside
                    self._add(part, ended - begun - self._inside.pop())
                    if self._inside:
                        self._inside[-1] += ended - begun
                    if part == STEP:
                        self._last_end = ended

        return timed

    def _add(self, part: str, seconds: float) -> None:
        found = self._found.setdefault(part, [0.0, 0.0])
        found[0] += 1
        found[1] += seconds


_timing = _Timing()
