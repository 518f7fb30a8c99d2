"""How much memory keys and values get on a CPU: what the requests can use, not what there is.

vLLM fills all of it with zeros when it starts, so that what is never used costs memory and start all
the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_BYTES = 1 << 30
"""A laptop has other things to hold; a larger model keeps fewer tokens."""
LEAST_BYTES = 1 << 27
PROMPTS_KEPT = 2
"""As many contexts again as run at once are kept of requests that have ended, for the next key."""


def kv_cache_bytes(
    model: Mapping[str, Any], *, context_tokens: int, requests: int, number_bytes: int
) -> int:
    """Return the bytes for so many ``requests`` of ``context_tokens`` at once.

    ``model`` is its ``config.json``. One whose keys and values it does not describe gets
    :data:`MOST_BYTES`, and none less than one request needs.
    """
    try:
        token = kv_bytes_a_token(model, number_bytes)
    except (KeyError, TypeError, ZeroDivisionError):
        return MOST_BYTES
    wanted = PROMPTS_KEPT * requests * context_tokens * token
    # One block more: the first is never given to a request.
    least = max(LEAST_BYTES, (context_tokens + 256) * token)
    return max(least, min(wanted, MOST_BYTES))


def kv_bytes_a_token(model: Mapping[str, Any], number_bytes: int) -> int:
    """Return the bytes of one token's keys and values in all layers, of ``number_bytes`` a number.

    Raises:
        KeyError: the model is not described in the usual words.
    """
    heads = model["num_attention_heads"]
    head = model.get("head_dim") or model["hidden_size"] // heads
    return (
        2
        * model["num_hidden_layers"]
        * (model.get("num_key_value_heads") or heads)
        * head
        * number_bytes
    )
