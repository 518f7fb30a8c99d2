"""Several decoding steps in one call of the worker, on a CPU with vLLM's V1 model runner.

Of a decoding step of a small model less than half is the model: the rest is the scheduler, the input that
the runner prepares, messages to the service and what it does with each. So where few requests do nothing
but decode, the worker goes on by itself: it draws a token as any step does (drafts, the mixed law, the
runner's own sampler), feeds it to the model, and so on, for as many tokens as the scheduler has made room
for and :data:`LONG_S`, or up to the end of a line, which somebody waits for. To vLLM all of it looks like
one step whose drafts were right.

Room is what :class:`~completion.engine.drafting_v1.Proposer` asks for with drafts that nobody has thought of
behind those that somebody has. Where a step cannot go on by itself, as beside a prompt that is read, they are
taken out again before the runner sees them; the scheduler learns that they were wrong.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from completion.engine.confirming_v1 import by_row, favourites, is_greedy, joined, laid_out
from completion.engine.drafting_v1 import DraftingV1, Proposer
from completion.engine.threads import FewThreads
from completion.workspace.drafts import least_chance
from completion.workspace.rows import Follower, Row
from completion.workspace.vllm_v1 import MixingV1

TOGETHER = 4
"""With more requests a step costs more than what is around it, and others wait for its end."""
LONG_S = 0.016
"""A step begins if it is likely to end so soon after the first of its call began: within one picture of a
screen, which is what another request waits for it at most."""


@dataclass(slots=True)
class _Going:
    """A request that goes on."""

    follower: Follower | None
    """What drafts for it."""
    mixed: bool
    """Whether its workspace is mixed in."""
    stops: tuple[frozenset[int], ...]
    """Tokens it goes no further than."""
    row: int
    """Among the rows that the scheduler has made room for: of the last token that is known."""
    end: int
    """How many of its tokens are known."""
    room: int
    """How many more may be drawn."""
    last: int
    """The last token that is known."""
    drafts: list[int] = field(default_factory=list[int])
    drawn: list[int] = field(default_factory=list[int])
    """What it keeps, as rows of all that were sampled."""

    def draft(self, least: float) -> None:
        """Think of what may come next, as likely as ``least`` to be right."""
        follower, most = self.follower, self.room - 1
        self.drafts = [] if follower is None or most < 1 else follower.drafts(most, least)
        if follower is not None:
            follower.suppose(self.drafts)

    def take(self, tokens: Sequence[int], row: int) -> None:
        """Take what was drawn, sampled in rows from ``row`` on."""
        self.drawn += range(row, row + len(tokens))
        if self.follower is not None:
            self.follower.read(tokens)
        self.row += len(tokens)
        self.end += len(tokens)
        self.last = tokens[-1]
        stopped = any(not some.isdisjoint(tokens) for some in self.stops)
        self.room = 0 if stopped else self.room - len(tokens)


def _attention_builder(runner: Any) -> Any:
    """Return what makes the attention metadata of all layers; ``None`` where steps cannot go on.

    Where ranks compute together each would have to stop at the same step, and a clock says when.
    """
    from vllm.v1.attention.backends.cpu_attn import CPUAttentionMetadataBuilder

    config = runner.vllm_config
    groups = [one for some in runner.attn_groups for one in some]
    if (
        config.parallel_config.world_size_across_dp > 1
        or config.lora_config is not None
        or config.kv_transfer_config is not None
        or runner.uses_mrope
        or len(groups) != 1
    ):
        return None
    builder = groups[0].get_metadata_builder()
    return builder if type(builder) is CPUAttentionMetadataBuilder else None


class AheadV1(FewThreads, DraftingV1, MixingV1):
    """Mixed in before vLLM's CPU worker with the V1 model runner, with all that a step is made of."""

    model_runner: Any
    _builder: Any = None
    """What makes attention metadata; ``None`` where steps do not go on by themselves."""
    _going_on = False
    """Whether the step that begins is to go on."""
    _done = False
    """Whether it has, and all of it is drawn."""
    _long_s = LONG_S

    def _begun(self) -> None:
        super()._begun()
        if self.proposer is not None and (builder := _attention_builder(self.model_runner)):
            self._go_ahead(self.proposer, builder)

    def _go_ahead(self, proposer: Proposer, builder: Any) -> None:
        """Let steps go on by themselves from now on."""
        runner = self.model_runner
        self._builder = builder
        proposer.roomy = TOGETHER
        runner._model_forward = self._forward
        logits = runner.model.compute_logits
        runner.model.compute_logits = lambda hidden: hidden if self._done else logits(hidden)

    def execute_model(self, scheduler_output: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a step, which may go on by itself."""
        self._going_on = self._builder is not None and self._decodes(scheduler_output)
        if self.proposer is not None and not self._going_on:
            scheduler_output = self.proposer.without_room(scheduler_output)
        return super().execute_model(scheduler_output, *args, **kwargs)

    def sample_tokens(self, grammar_output: Any) -> Any:
        """Sample as vLLM does, or hand over what was."""
        try:
            return super().sample_tokens(grammar_output)
        finally:
            self._done = False

    def _is_not_ours(self, state: Any) -> bool:
        return self._done or super()._is_not_ours(state)

    def _decodes(self, scheduled: Any) -> bool:
        """Return whether a step does nothing but decode a few requests, with room for more tokens."""
        sizes, drafts = scheduled.num_scheduled_tokens, scheduled.scheduled_spec_decode_tokens
        if (
            not drafts
            or len(sizes) > TOGETHER
            or scheduled.scheduled_new_reqs
            or scheduled.scheduled_cached_reqs.resumed_req_ids
        ):
            return False
        requests = self.model_runner.requests
        return all(
            size == 1 + len(drafts.get(name, ())) and requests[name].output_token_ids
            for name, size in sizes.items()
        )

    def _forward(self, **inputs: Any) -> Any:
        """Stand in for the runner's way to the model: through it, or through it again and again."""
        runner = self.model_runner
        forward = functools.partial(type(runner)._model_forward, runner)
        if not self._going_on:
            return forward(**inputs)
        self._going_on = False
        from vllm.forward_context import get_forward_context

        context = get_forward_context()
        metadata, slots = context.attn_metadata, context.slot_mapping
        try:
            return self._go_on(forward, inputs, context)
        finally:
            context.attn_metadata, context.slot_mapping = metadata, slots

    def _go_on(
        self, forward: Callable[..., Tensor], inputs: dict[str, Any], context: Any
    ) -> Tensor:
        """Decode for a while; return what stands for hidden states at which nobody looks."""
        begin = before = time.perf_counter()
        ids, positions = inputs["input_ids"], inputs["positions"]
        layers = list(context.attn_metadata)
        whole, slots = context.attn_metadata[layers[0]], context.slot_mapping[layers[0]]
        requests = self._requests(ids.tolist(), positions.tolist(), whole.query_start_loc.tolist())
        width = max(one.room for one in requests)
        sampling = self.model_runner.input_batch.sampling_metadata
        greedy = is_greedy(sampling)
        parts: list[Any] = []
        sampled = 0
        while True:
            going = [one for one in requests if one.room]
            least = least_chance(len(going))
            for one in going:
                one.draft(least)
            sizes = [1 + len(one.drafts) if one.room else 0 for one in requests]
            at = torch.tensor([one.row + n for one in going for n in range(1 + len(one.drafts))])
            context.attn_metadata, context.slot_mapping = (
                dict.fromkeys(layers, value)
                for value in self._attention(whole, requests, sizes, slots[at])
            )
            self.use_threads_for(len(at))
            known = [token for one in going for token in (one.last, *one.drafts)]
            inputs["input_ids"] = torch.tensor(known, dtype=ids.dtype)
            inputs["positions"] = positions[at]
            hidden = forward(**inputs)
            logits = self._mixed(self.model_runner.model.compute_logits(hidden), going)
            if greedy:
                parts.append(favourites(logits))
            else:
                of_rows = by_row(sampling, sizes)
                parts.append(self.confirming.sampler(logits=logits, sampling_metadata=of_rows))
            tokens = parts[-1].sampled_token_ids.flatten().tolist()
            row = 0
            for one in going:
                drawn = tokens[row : row + 1 + len(one.drafts)]
                kept = self.confirming.count(drawn, one.drafts)
                row += len(drawn)
                one.take(drawn[:kept], sampled + row - len(drawn))
            sampled += row
            now = time.perf_counter()
            if now - begin + (now - before) > self._long_s or not any(one.room for one in requests):
                break
            before = now
        self.confirming.ready = laid_out(joined(parts), [one.drawn for one in requests], width)
        self._done = True
        return hidden.new_empty((len(ids), hidden.shape[-1]))

    def _requests(self, ids: list[int], positions: list[int], starts: list[int]) -> list[_Going]:
        """Return the requests of a batch, in order.

        ``ids``, ``positions``: of all rows that there is room for; ``starts``: where those of each request
        begin, and where the last ends.
        """
        assert self.rows is not None
        runner = self.model_runner
        found: list[_Going] = []
        for at, name in enumerate(runner.input_batch.req_ids):
            request = runner.requests[name]
            row, room = starts[at], starts[at + 1] - starts[at]
            end = positions[row] + 1
            words = name, request.sampling_params, lambda of=request: of.prompt_token_ids or ()
            mixed = follower = self.rows.follower(*words)
            if room > 1:
                follower = self.rows.drafting(*words)
            if follower is not None:
                follower.read(runner.input_batch.token_ids_cpu[at, follower.known : end].tolist())
            stops = self.lines_end, frozenset(request.sampling_params.stop_token_ids)
            found.append(_Going(follower, mixed is not None, stops, row, end, room, ids[row]))
        return found

    def _attention(
        self, whole: Any, requests: Sequence[_Going], sizes: Sequence[int], slots: Tensor
    ) -> tuple[Any, Tensor]:
        """Return the attention metadata of ``sizes`` rows a request, and where they are kept.

        ``whole``: that of all rows there is room for.
        """
        going = [at for at, size in enumerate(sizes) if size]
        starts, lengths = [0], []
        for at in going:
            starts.append(starts[-1] + sizes[at])
            lengths.append(requests[at].end + sizes[at] - 1)
        table = whole.block_table
        metadata = self._builder.build(
            0,
            SimpleNamespace(
                num_reqs=len(going),
                num_actual_tokens=starts[-1],
                max_query_len=max(sizes),
                max_seq_len=max(lengths),
                query_start_loc=torch.tensor(starts, dtype=torch.int32),
                seq_lens=torch.tensor(lengths, dtype=torch.int32),
                block_table_tensor=table if len(going) == len(requests) else table[going],
                slot_mapping=slots,
                causal=True,
            ),
        )
        return metadata, slots

    def _mixed(self, logits: Tensor, going: Sequence[_Going]) -> Tensor:
        """Return ``logits`` with workspaces mixed in, in the order of ``going``."""
        assert self.rows is not None
        rows = [
            Row(one.follower, one.end + n) if one.mixed and one.follower else None
            for one in going
            for n in range(1 + len(one.drafts))
        ]
        return self.rows.mix(logits, rows) if any(rows) else logits
