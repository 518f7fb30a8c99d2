"""Where the time of a completion went, for clients that show it: stages in milliseconds, no text."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any

from completion.wire import completion_pb2 as pb

STAGES = ("queue", "prompt", "first_token", "first_line", "total")
"""As in the contract: the first two are durations, the others run from the request's arrival."""

_arrived: ContextVar[float] = ContextVar("arrived")


def arrived(moment: float) -> None:
    """Say when the message that is now handled was read; what handles it inherits that."""
    _arrived.set(moment)


def since_arrival() -> float:
    """Return the milliseconds since the message that is handled here was read; 0: nobody has said."""
    return max(time.perf_counter() - _arrived.get(float("inf")), 0.0) * 1000


def of(response: pb.CompleteResponse) -> dict[str, Any]:
    """Return the parameters of the notification ``caret/timings``."""
    reason = response.declined
    if response.candidates:
        name = pb.StopReason.Name(response.candidates[0].stop_reason)
        reason = name.removeprefix("STOP_REASON_").lower()
    return {
        "completionId": response.completion_id,
        "stages": {stage: round(getattr(response.timings, stage), 3) for stage in STAGES},
        "tokens": {
            "prompt": response.usage.prompt_tokens,
            "cached": response.usage.cached_tokens,
            "generated": response.usage.generated_tokens,
        },
        "reason": reason,
    }
