"""Which drafts of a step are right: each row is sampled as if it were a request of its own.

A draft is right if it is what the row before it draws; the first that is not is replaced by what was
drawn, and the rest of them are void. Because drafts are certain and have no law of their own, this is
speculative sampling (Leviathan et al., arXiv 2211.17192): a draft d is kept with probability p(d), and
what replaces it has the law of p without d. With the runner's own sampler for all rows the law is that
of a step without drafts by construction, with masks, temperatures and top-p. Requests with a seed of
their own have no drafts, so that the same seed draws the same text.

vLLM's rejection sampler is left out: on a CPU (0.32.0) it divides by temperatures that it never fills in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from vllm.v1.outputs import LogprobsTensors, SamplerOutput

_NOTHING = -1
"""Where a request draws no more, as vLLM has it."""


class Confirming:
    """Stands in for the rejection sampler of a model runner, with the runner's own for each row."""

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler
        self.ready: SamplerOutput | None = None
        """What the next step has drawn already."""
        self.tried = 0
        """Tokens that were drafted."""
        self.right = 0
        """How many of them the model drew."""

    def __call__(self, metadata: Any, draft_probs: None, logits: Tensor, sampling: Any) -> Any:
        """Return what each request draws: the drafts that are right, and a token behind them.

        ``logits``: a row behind what was known of a request and one behind each of its drafts, request
        after request.
        """
        if self.ready is not None:
            ready, self.ready = self.ready, None
            return ready
        sizes = [size + 1 for size in metadata.num_draft_tokens]
        drawn = self.sampler(logits=logits, sampling_metadata=by_row(sampling, sizes))
        tokens = drawn.sampled_token_ids.flatten().tolist()
        drafts = metadata.draft_token_ids.tolist()
        rows: list[range] = []
        row = draft = 0
        for size in sizes:
            kept = self.count(tokens[row : row + size], drafts[draft : draft + size - 1])
            rows.append(range(row, row + kept))
            row += size
            draft += size - 1
        return laid_out(drawn, rows, max(sizes))

    def count(self, tokens: Sequence[int], drafts: Sequence[int]) -> int:
        """Return how many of the ``tokens`` that its rows draw a request keeps, at least one."""
        kept = 1
        while kept <= len(drafts) and tokens[kept - 1] == drafts[kept - 1]:
            kept += 1
        self.tried += len(drafts)
        self.right += kept - 1
        return kept


def by_row(sampling: Any, sizes: Sequence[int]) -> Any:
    """Return vLLM's sampling metadata of a batch as that of its rows, ``sizes`` rows a request."""
    starts = list(accumulate(sizes, initial=0))
    of = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))

    def each(values: Tensor | None) -> Tensor | None:
        return None if values is None else values[of.to(values.device)]

    return replace(
        sampling,
        temperature=each(sampling.temperature),
        top_p=each(sampling.top_p),
        top_k=each(sampling.top_k),
        allowed_token_ids_mask=each(sampling.allowed_token_ids_mask),
        generators={
            starts[at]: generator for at, generator in sampling.generators.items() if sizes[at]
        },
    )


def is_greedy(sampling: Any) -> bool:
    """Return whether every request of a batch draws the favourite of its law, and says no more than that.

    The one logits processor that vLLM has beside drafts is for ``min_tokens``, which no request of ours has.
    """
    return (
        sampling.all_greedy
        and not sampling.max_num_logprobs
        and sampling.no_penalties
        and sampling.allowed_token_ids_mask is None
        and not sampling.bad_words_token_ids
        and not sampling.logprob_token_ids
        and sampling.thinking_budget_state_holder is None
    )


def favourites(logits: Tensor) -> SamplerOutput:
    """Return what vLLM's sampler returns for a greedy batch, in a fifth of its operations."""
    logits = logits.float()
    tokens = logits.argmax(-1, keepdim=True)
    found = LogprobsTensors(
        tokens.int(),
        torch.log_softmax(logits, -1).gather(-1, tokens),
        tokens.new_ones(len(tokens)),  # ranks
    )
    return SamplerOutput(sampled_token_ids=tokens.int(), logprobs_tensors=found)


def joined(parts: Sequence[SamplerOutput]) -> SamplerOutput:
    """Return the rows of several samplings of one batch as those of one."""
    if len(parts) == 1:
        return parts[0]
    found = [part.logprobs_tensors for part in parts if part.logprobs_tensors is not None]
    return SamplerOutput(
        sampled_token_ids=torch.cat([part.sampled_token_ids for part in parts]),
        logprobs_tensors=LogprobsTensors(
            torch.cat([one.logprob_token_ids for one in found]),
            torch.cat([one.logprobs for one in found]),
            torch.cat([one.selected_token_ranks for one in found]),
        )
        if found
        else None,
    )


def laid_out(drawn: SamplerOutput, rows: Sequence[Sequence[int]], width: int) -> SamplerOutput:
    """Return the rows that each request keeps as a rejection sampler gives them.

    Tokens have shape (requests, ``width``), padded; log-probabilities are of all these places.
    """
    places: list[int] = []
    chosen: list[int] = []
    for request, kept in enumerate(rows):
        chosen += kept
        places += range(request * width, request * width + len(kept))
    at, of = (torch.tensor(one, device=drawn.sampled_token_ids.device) for one in (places, chosen))
    tokens = drawn.sampled_token_ids.new_full((len(rows) * width,), _NOTHING)
    tokens[at] = drawn.sampled_token_ids.flatten()[of]
    found = drawn.logprobs_tensors
    if found is not None:

        def placed(part: Tensor) -> Tensor:
            every = part.new_zeros((len(rows) * width, *part.shape[1:]))
            return every.index_copy_(0, at, part[of])

        found = LogprobsTensors(
            placed(found.logprob_token_ids),
            placed(found.logprobs),
            placed(found.selected_token_ranks),
        )
    return SamplerOutput(sampled_token_ids=tokens.view(-1, width), logprobs_tensors=found)
