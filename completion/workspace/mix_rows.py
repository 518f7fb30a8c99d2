"""The mixed law of :mod:`completion.workspace.mix`, all rows of a step at once in the host's memory.

On a CPU a step decodes a few rows, and a call of numpy costs a third of one of torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEAST_DOUBT = 1e-6
"""m is taken to be within this and 1 less it: what float32 logits can tell from 0 and 1."""


class Entry(NamedTuple):
    """What is to be mixed into one row."""

    row: int
    ids: list[int] | NDArray[np.int64]
    """What the workspace says, each once and none of E, (n,), n > 0."""
    q: list[float] | NDArray[np.float64]
    """How probable each is, (n,), summing to one."""
    r: float
    b: float
    """Of logit λ' = r + b logit(1 − m)."""


class Outcome(NamedTuple):
    """What was mixed: K entries, N ids in all of them."""

    logit_K: NDArray[np.float64]
    """Of λ'; −∞ where all that the workspace says is forbidden."""
    certainty_K: NDArray[np.float64]
    """m = max p."""
    log_model_N: NDArray[np.float64]
    """log p of every id."""
    log_q_N: NDArray[np.float64]
    """log q of every id, 0 in all where it is forbidden."""


_FEW = 64
"""Ids of one row up to which numbers one by one are quicker than arrays, where the processor's caches
are full of a model's weights."""
_MOST_ENDS = 0.999
"""p(E) up to which 1 − p(E) is known well enough by subtraction."""


@torch.inference_mode()
def mix_rows(logits: Tensor, entries: Sequence[Entry], kept: NDArray[np.int64]) -> Outcome:
    """Mix ``entries`` into ``logits``, (rows, V) float32 or float64 on the CPU, in place.

    At least one entry, of ascending rows. ``kept``: the ids of E.
    """
    # One by one, so that a row says the same in whatever company.
    found = [_mix_few(logits, entry, kept) or _mix_many(logits, [entry], kept) for entry in entries]
    if len(found) == 1:
        return found[0]
    return Outcome(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _mix_few(logits: Tensor, entry: Entry, kept: NDArray[np.int64]) -> Outcome | None:
    """Mix a single entry, with few ids; ``None``, and nothing done, where that takes more care."""
    if max(len(entry.ids), kept.size) > _FEW:
        return None
    part = logits[entry.row]
    row = part.numpy()
    best = int(row.argmax())
    top = float(row[best])
    if top == -math.inf:
        return None
    whole = top - float(torch.log_softmax(part, 0)[best])
    ends = sum(math.exp(value - whole) for value in row.take(kept).tolist())
    if ends > _MOST_ENDS:
        return None
    outside = whole + math.log1p(-ends)
    certainty = math.exp(top - whole)
    m = min(max(certainty, LEAST_DOUBT), 1.0 - LEAST_DOUBT)
    x = entry.r - entry.b * math.log(m / (1.0 - m))
    old: list[float] = row.take(entry.ids).tolist()
    if min(old) == -math.inf:
        return None
    log_q = [math.log(q) for q in entry.q]
    row[entry.ids] = [
        max(ours, model) + math.log1p(math.exp(-abs(ours - model)))
        for model, ours in zip(old, [x + outside + q for q in log_q], strict=True)
    ]
    row[kept] += max(x, 0.0) + math.log1p(math.exp(-abs(x)))
    return Outcome(
        np.array([x]), np.array([certainty]),
        np.array([model - whole for model in old]), np.array(log_q),
    )  # fmt: skip


def _mix_many(logits: Tensor, entries: Sequence[Entry], kept: NDArray[np.int64]) -> Outcome:
    """Mix entries of any size, or with logits of −∞.

    Suffixes: K entries, E ids of ``kept``, N ids of all q.
    """
    array = logits.numpy()
    rows_K = np.array([entry.row for entry in entries])
    r_K, b_K = np.array([(entry.r, entry.b) for entry in entries]).T
    sizes = [len(entry.ids) for entry in entries]
    slot_N = np.arange(len(entries)).repeat(sizes)
    at_N = (rows_K[slot_N], np.concatenate([entry.ids for entry in entries]))
    q_N = np.concatenate([entry.q for entry in entries])
    at_KE = (rows_K[:, None], kept)

    kept_KE = array[at_KE].astype(np.float64)
    array[at_KE] = -math.inf
    part = logits if len(entries) == logits.shape[0] else logits[torch.from_numpy(rows_K)]
    top_K = part.amax(1).numpy().astype(np.float64)
    # torch has this vectorised and fused, neither numpy nor its own logsumexp has.
    peak_K = torch.log_softmax(part, 1).amax(1).numpy().astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        outside_K = np.where(top_K > -math.inf, top_K - peak_K, -math.inf)
        whole_K = outside_K
        if kept.size:
            best_K = kept_KE.max(1)
            ends_K = best_K + np.log(np.exp(kept_KE - best_K[:, None]).sum(1))
            whole_K = np.logaddexp(outside_K, np.where(best_K > -math.inf, ends_K, -math.inf))
            top_K = np.maximum(top_K, best_K)
        certainty_K = np.exp(top_K - whole_K)
        m_K = certainty_K.clip(LEAST_DOUBT, 1.0 - LEAST_DOUBT)
        x_K = r_K - b_K * np.log(m_K / (1.0 - m_K))

        old_N = array[at_N].astype(np.float64)
        if old_N.min() == -math.inf:
            q_N = np.where(old_N > -math.inf, q_N, 0.0)
            said_K = np.bincount(slot_N, q_N, len(entries))
            x_K = np.where(said_K > 0.0, x_K, -math.inf)
            q_N = q_N / np.where(said_K > 0.0, said_K, 1.0)[slot_N]
        log_q_N = np.log(q_N)
        array[at_N] = np.logaddexp(old_N, log_q_N + (x_K + outside_K)[slot_N])
        array[at_KE] = kept_KE + np.logaddexp(0.0, x_K)[:, None]
    return Outcome(x_K, certainty_K, old_N - whole_K[slot_N], log_q_N)
