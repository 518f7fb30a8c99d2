"""The adapter for vLLM's V1 model runner: drafts from the document and the workspace.

vLLM makes the :class:`Proposer` inside its model runner, as the *custom class* of a speculative
configuration, and shows it token ids alone. The worker, which lives in the same process and holds
the requests' followers, then makes itself known to it. The rows that drafts make, and what is mixed
into each, are found in :mod:`completion.workspace.vllm_v1`.

vLLM refuses asynchronous scheduling, its V2 runner and logits processors beside such a class; nothing
of Caret is a logits processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from completion.engine.confirming_v1 import Confirming
from completion.workspace.drafts import least_chance
from completion.workspace.worker import HoldsWorkspaces


def speculative_config(most: int, most_requests: int) -> dict[str, Any]:
    """Return vLLM's speculative configuration for ``most`` drafts a request and step.

    The schedule says the same for every batch. It is there because without one vLLM fills up requests
    that begin in a running batch with places for drafts that nobody has proposed.
    """
    return {
        "method": "custom_class",
        "model": f"{__name__}.{Proposer.__name__}",
        "num_speculative_tokens": most,
        "num_speculative_tokens_per_batch_size": [(1, most_requests, most)],
    }


class Proposer:
    """What vLLM asks for drafts behind each step."""

    def __init__(self, vllm_config: Any) -> None:
        self._most: int = vllm_config.speculative_config.num_speculative_tokens
        self._longest: int = vllm_config.model_config.max_model_len
        self._worker: HoldsWorkspaces | None = None
        self._runner: Any = None
        self.roomy = 0
        """For so many requests at once there is to be room for as many tokens as could be drafted."""
        self._real: dict[str, int] = {}
        """How many drafts there are of requests that have more room."""

    def load_model(self, model: Any) -> None:
        """Load nothing; vLLM calls this of every drafter."""

    def serve(self, worker: HoldsWorkspaces, runner: Any) -> None:
        """Draft from what ``worker`` holds for the requests of ``runner``."""
        self._worker, self._runner = worker, runner

    def propose(
        self, sampled: Sequence[Sequence[int]], known: Any, ids: Any, slot_mappings: Any = None
    ) -> list[list[int]]:
        """Return drafts for each request of the batch.

        ``sampled``: what each drew in this step, nothing where its prompt is read on. ``known``: how
        many tokens each has, and ``ids``, (requests, most), which.
        """
        rows = None if self._worker is None else self._worker.rows
        if rows is None:
            return [[] for _ in sampled]
        least = least_chance(len(sampled))
        roomy = len(sampled) <= self.roomy
        self._real.clear()
        drafts: list[list[int]] = []
        for at, drawn in enumerate(sampled):
            drafts.append([])
            if not drawn:
                continue
            name = self._runner.input_batch.req_ids[at]
            request = self._runner.requests[name]
            params = request.sampling_params
            most = min(
                self._most,
                params.max_tokens - len(request.output_token_ids) - 1,
                self._longest - int(known[at]) - 1,
            )
            if most < 1 or _alone(params) or drawn[-1] in params.stop_token_ids:
                continue
            prompt = request.prompt_token_ids or ()
            follower = rows.drafting(name, params, lambda prompt=prompt: prompt)
            follower.read(ids[at, follower.known : known[at]].tolist())
            drafts[-1] = follower.drafts(most, least)
            if roomy:
                self._real[name] = len(drafts[-1])
                drafts[-1] += [0] * (most - len(drafts[-1]))
        return drafts

    def without_room(self, scheduled: Any) -> Any:
        """Return what vLLM's scheduler has for a step without the room behind real drafts.

        It is another object: the scheduler takes what was not drawn back by its own.
        """
        sizes, drafts = scheduled.num_scheduled_tokens, scheduled.scheduled_spec_decode_tokens
        over = {
            name: len(some) - self._real[name]
            for name, some in drafts.items()
            if len(some) > self._real.get(name, len(some))
        }
        if not over:
            return scheduled
        kept = {name: some[: len(some) - over.get(name, 0)] for name, some in drafts.items()}
        return replace(
            scheduled,
            num_scheduled_tokens={name: size - over.get(name, 0) for name, size in sizes.items()},
            total_num_scheduled_tokens=scheduled.total_num_scheduled_tokens - sum(over.values()),
            scheduled_spec_decode_tokens={name: some for name, some in kept.items() if some},
        )


def _alone(params: Any) -> bool:
    """Return whether a request is to be answered token by token: under a mask, or drawn by a seed."""
    return bool(params.allowed_token_ids) or (params.seed is not None and params.temperature > 0)


class DraftingV1(HoldsWorkspaces):
    """Mixed in before :class:`~completion.workspace.vllm_v1.MixingV1` and vLLM's worker."""

    model_runner: Any
    proposer: Proposer | None = None
    """What drafts; ``None`` where that is not Caret's."""
    confirming: Confirming

    def caret_drafts(self) -> list[int]:
        """Return how many tokens were drafted since the start, and how many of them were right."""
        return [0, 0] if self.proposer is None else [self.confirming.tried, self.confirming.right]

    def _begun(self) -> None:
        super()._begun()
        drafter = getattr(self.model_runner, "drafter", None)
        if isinstance(drafter, Proposer):
            self.proposer = drafter
            drafter.serve(self, self.model_runner)
            self.confirming = Confirming(self.model_runner.sampler)
            self.model_runner.rejection_sampler = self.confirming

    def sample_tokens(self, grammar_output: Any) -> Any:
        """Sample as vLLM does; a step without drafts needs nothing of speculation."""
        runner = self.model_runner
        state: Any = runner.execute_model_state
        drafts = state and self.proposer and state.spec_decode_metadata
        if drafts and not any(drafts.num_draft_tokens):
            runner.execute_model_state = state._replace(spec_decode_metadata=None)
        output: Any = super().sample_tokens(grammar_output)  # type: ignore[misc]
        if self.proposer is not None and torch.is_tensor(runner._draft_token_ids):
            # Near the end of the context vLLM asks nobody and drafts the token 0 for every request.
            runner._draft_token_ids = [[] for _ in runner.input_batch.req_ids]
        return output
