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
        self._sampler = sampler

    def __call__(self, metadata: Any, draft_probs: None, logits: Tensor, sampling: Any) -> Any:
        """Return what each request draws: the drafts that are right, and a token behind them.

        ``logits``: a row behind what was known of a request and one behind each of its drafts, request
        after request.
        """
        sizes = [size + 1 for size in metadata.num_draft_tokens]
        drawn = self._sampler(logits=logits, sampling_metadata=by_row(sampling, sizes))
        tokens = drawn.sampled_token_ids.flatten().tolist()
        kept = keep(tokens, metadata.draft_token_ids.tolist(), sizes)
        return laid_out(drawn, kept, sizes)


def by_row(sampling: Any, sizes: list[int]) -> Any:
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
        generators={starts[at]: generator for at, generator in sampling.generators.items()},
    )


def keep(tokens: list[int], drafts: list[int], sizes: list[int]) -> list[int]:
    """Return how many of the ``tokens`` that its rows draw each request keeps, at least one."""
    kept: list[int] = []
    row = draft = 0
    for size in sizes:
        count = 1
        while count < size and tokens[row + count - 1] == drafts[draft + count - 1]:
            count += 1
        kept.append(count)
        row += size
        draft += size - 1
    return kept


def laid_out(drawn: SamplerOutput, kept: list[int], sizes: list[int]) -> SamplerOutput:
    """Return the first ``kept`` rows of each request as a rejection sampler gives them.

    Tokens have shape (requests, most rows), padded; log-probabilities are of all these places.
    """
    width = max(sizes)
    rows: list[int] = []
    places: list[int] = []
    for request, (start, count) in enumerate(zip(accumulate(sizes, initial=0), kept, strict=False)):
        rows += range(start, start + count)
        places += range(request * width, request * width + count)
    at, of = (torch.tensor(one, device=drawn.sampled_token_ids.device) for one in (places, rows))
    tokens = drawn.sampled_token_ids.new_full((len(sizes) * width,), _NOTHING)
    tokens[at] = drawn.sampled_token_ids.flatten()[of]
    found = drawn.logprobs_tensors
    if found is not None:

        def placed(part: Tensor) -> Tensor:
            every = part.new_zeros((len(sizes) * width, *part.shape[1:]))
            return every.index_copy_(0, at, part[of])

        found = LogprobsTensors(
            placed(found.logprob_token_ids),
            placed(found.logprobs),
            placed(found.selected_token_ranks),
        )
    return SamplerOutput(sampled_token_ids=tokens.view(-1, width), logprobs_tensors=found)
