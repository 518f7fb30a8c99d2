"""The mixed law of :mod:`completion.workspace.mix` over a batch, where the logits are.

For CUDA, and for the float types that numpy lacks. Nothing is waited for: one copy takes what the
host knows to the device, and what was mixed stays there until it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from completion.workspace.mix_rows import LEAST_DOUBT, Entry, Outcome


class DeviceOutcome:
    """What was mixed, on the device; the first look waits for it."""

    def __init__(self, logit_K: Tensor, m_K: Tensor, log_model_N: Tensor, log_q_N: Tensor) -> None:
        self._parts = (logit_K, m_K, log_model_N, log_q_N)

    @cached_property
    def outcome(self) -> Outcome:
        """The same on the host."""
        flat = torch.cat(self._parts).cpu().numpy()
        return Outcome(*np.split(flat, np.cumsum([len(part) for part in self._parts])[:-1]))


@torch.inference_mode()
def mix_batch(logits: Tensor, entries: Sequence[Entry], kept: NDArray[np.int64]) -> DeviceOutcome:
    """Mix ``entries`` into ``logits``, (rows, V), in place; at least one, of ascending rows.

    Suffixes: K entries, V ids, E ids of ``kept``, F of them and one for all others, N ids of all q.
    """
    sent = _sent(entries, kept, logits)
    kept_KE = logits.take(sent.kept_KE).double()
    logits.put_(sent.kept_KE, logits.new_full((1,), -torch.inf).expand_as(sent.kept_KE))
    part_KV = logits if len(entries) == logits.shape[0] else logits.index_select(0, sent.rows_K)
    if part_KV.dtype.itemsize < 4:
        part_KV = part_KV.float()
    # On a CPU log_softmax takes a third of the time of logsumexp. NaN: no text is allowed.
    peak_K = torch.log_softmax(part_KV, 1).amax(1).double().nan_to_num_(nan=0.0)
    outside_K = part_KV.amax(1) - peak_K
    # Everything outside E as one more outcome; then the best of it in place of all of it.
    split_KF = torch.log_softmax(torch.cat([kept_KE, outside_K[:, None]], 1), 1)
    log_outside_K = split_KF[:, -1].clone()
    split_KF[:, -1] += peak_K
    m_K = split_KF.amax(1).exp_()
    x_K = sent.r_K - sent.b_K * torch.logit(m_K, LEAST_DOUBT)

    old_N = logits.take(sent.at_N).double()
    q_N = sent.q_N * old_N.gt(-torch.inf)
    said_K = torch.zeros_like(x_K).index_add_(0, sent.slot_N, q_N)
    nothing_K = said_K.eq(0.0)
    x_K.masked_fill_(nothing_K, -torch.inf)
    scale_K = said_K.masked_fill_(nothing_K, 1.0).log_()
    log_q_N = q_N.log_() - scale_K.index_select(0, sent.slot_N)
    ours_N = (x_K + outside_K).index_select(0, sent.slot_N) + log_q_N
    kept_KE += torch.nn.functional.softplus(x_K)[:, None]
    new = torch.cat([kept_KE.view(-1), torch.logaddexp(old_N, ours_N)])
    logits.put_(sent.places, new.to(logits.dtype))
    whole_K = outside_K - log_outside_K
    log_model_N = old_N - whole_K.index_select(0, sent.slot_N)
    return DeviceOutcome(x_K, m_K, log_model_N, log_q_N)


class _Sent(NamedTuple):
    """What a call needs of the host, on the device."""

    rows_K: Tensor
    r_K: Tensor
    b_K: Tensor
    kept_KE: Tensor
    """Where E's logits lie, the rows taken as one line."""
    at_N: Tensor
    """Where the logits of every q's tokens lie."""
    slot_N: Tensor
    """Which of the K rows each belongs to."""
    q_N: Tensor
    places: Tensor
    """``kept_KE`` and ``at_N``, one behind the other."""


def _sent(entries: Sequence[Entry], kept: NDArray[np.int64], logits: Tensor) -> _Sent:
    """Lay everything into one buffer of 64-bit words, so that one copy takes it."""
    k, width = len(entries), logits.shape[1]
    e = k * kept.size
    counts = [len(entry.ids) for entry in entries]
    n = sum(counts)
    whole = k + e + 2 * n
    buffer = np.empty(whole + 2 * k + n, np.int64)
    starts = np.array([entry.row for entry in entries])
    buffer[:k] = starts
    starts *= width
    np.add(starts[:, None], kept, out=buffer[k : k + e].reshape(k, kept.size))
    slots = np.arange(k).repeat(counts)
    np.concatenate([np.asarray(entry.ids) for entry in entries], out=buffer[k + e : k + e + n])
    buffer[k + e : k + e + n] += starts[slots]
    buffer[k + e + n : whole] = slots
    floats = buffer[whole:].view(np.float64)
    floats[: 2 * k] = [*(entry.r for entry in entries), *(entry.b for entry in entries)]
    np.concatenate([entry.q for entry in entries], out=floats[2 * k :])
    sent = torch.from_numpy(buffer).to(logits.device)
    rows_K, places, slot_N, numbers = sent.split([k, e + n, n, 2 * k + n])
    kept_KE, at_N = places.split([e, n])
    r_K, b_K, q_N = numbers.view(torch.float64).split([k, k, n])
    return _Sent(rows_K, r_K, b_K, kept_KE.view(k, kept.size), at_N, slot_N, q_N, places)
