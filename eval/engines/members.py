"""Models in this process as laws over bytes: loaded once, asked behind the service's own prompts.

Prompt, budget and cover of the typed bytes are those of `caret serve` in its exact arm; what answers
is not vLLM's sampler but the law of the next byte (:mod:`completion.healing.byte_decoding`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from completion.config import Config
from completion.errors import UsageError
from completion.healing.arms import Arm, Heals, healing
from completion.healing.byte_decoding import ByteModel
from completion.healing.sorted_vocabulary import SortedVocabulary
from completion.prompt.budget import Shares
from completion.server.completer import Clock, Completer
from completion.together import together
from eval.engines.base import Identity

if TYPE_CHECKING:
    from completion.engine.base import Engine
    from completion.engine.checkpoint import Checkpoint
    from completion.server.job import Job


@dataclass(frozen=True, kw_only=True)
class Begun:
    """One model behind one prompt, the typed bytes taken in."""

    model: ByteModel
    prompt: list[int]
    typed_tokens: int
    """Of the typed bytes by themselves: what of the text's tokens is not the answer's."""
    prompt_ms: float


class Member:
    """One model that answers, alone or with others."""

    def __init__(self, engine: Engine, checkpoint: Checkpoint, config: Config) -> None:
        """Take a started engine.

        Raises:
            UsageError: the model has no such arm, or what its tokens spell is unknown.
        """
        if checkpoint.unhealed:
            raise UsageError(f"{checkpoint.unhealed}; so its bytes cannot be decoded either")
        self.engine, self.checkpoint = engine, checkpoint
        self.arm: Arm = healing(checkpoint.arm(config.model.arm), Heals.EXACT)
        self.vocabulary = SortedVocabulary(checkpoint.vocabulary.token_bytes)
        generation = config.generation
        builder = checkpoint.prompt_builder(
            layout=self.arm.layout,
            context_tokens=engine.info.context_tokens,
            shares=Shares(prefix=generation.prefix_share, snippets=generation.snippet_share),
        )
        self._completer = Completer(engine, checkpoint, builder, self.arm)

    def begin(self, job: Job) -> Begun:
        """Return the model behind the prompt of ``job``, which a :class:`Completer` builds.

        Raises:
            UsageError: ``max_tokens`` leaves no room for a prompt.
        """
        clock = Clock()
        prompt = self._completer.build(job, clock)
        model = ByteModel.behind(self.engine, self.vocabulary, prompt.token_ids)
        for byte in prompt.typed:
            model.push(byte)
        return Begun(
            model=model,
            prompt=prompt.token_ids,
            typed_tokens=len(self.checkpoint.encoder.encode(prompt.typed)),
            prompt_ms=clock.prompt_ms,
        )


async def load_members(configs: Sequence[Config]) -> list[Member]:
    """Start the models of ``configs``, each engine core in a process of its own.

    Raises:
        UsageError: there is no such model, or it has no such arm.
        CaretError: one cannot be served, with what to do.
    """
    from completion.engine.checkpoint import load_checkpoint

    # Checkpoints first: one that is fetched has to be before the environment says offline.
    checkpoints = [await asyncio.to_thread(load_checkpoint, one.model.path) for one in configs]
    return await started(list(zip(configs, checkpoints, strict=True)))


async def started(models: Sequence[tuple[Config, Checkpoint]]) -> list[Member]:
    """Return members on engines that run; none does if one cannot."""
    from completion.engine.environment import prepare
    from completion.engine.vllm import VllmEngine

    _share_cores(len(models))
    members: list[Member] = []
    engines: list[VllmEngine] = []
    try:
        for config, checkpoint in models:
            local = replace(config.model, path=str(checkpoint.path))
            prepare(local)
            engines.append(VllmEngine(checkpoint, local))
            await engines[-1].start()
            members.append(Member(engines[-1], checkpoint, config))
    except BaseException:
        await together(engine.stop() for engine in engines)
        raise
    return members


def _share_cores(engines: int) -> None:
    """Give each engine core its part of the processor, unless the user has set it.

    All of them and this process take turns in waiting for one another, and threads that wait spin: with
    two threads for each of two models on two cores a byte takes four times as long.
    """
    cores = len(os.sched_getaffinity(0))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (cores - 1) // engines)))


def identity_of(members: Sequence[Member], parts: Sequence[float]) -> Identity:
    """Return who several models are together; ``parts`` are their weights, one for each.

    A field in which they differ has all their values.
    """
    alone = len(members) == 1

    def joined(*values: str) -> str:
        return values[0] if len(set(values)) == 1 else " + ".join(values)

    checkpoints = [member.checkpoint for member in members]
    names = [one.name for one in checkpoints]
    if not alone:
        names = [f"{part:g} {name}" for part, name in zip(parts, names, strict=True)]
    return Identity(
        name=" + ".join(names),
        version=joined(*(one.version for one in checkpoints)),
        checksum=" + ".join(one.checksum for one in checkpoints),
        engine=joined(*(member.engine.info.engine for member in members)),
        device=joined(*(member.engine.info.device for member in members)),
        template=joined(*(one.template.family for one in checkpoints)),
        arm=joined(*(str(member.arm) for member in members)),
        healing="exact",
        context_tokens=min(member.engine.info.context_tokens for member in members),
    )


def other(config: Config, model: str) -> Config:
    """Return ``config`` for another model, whose own arm and context are the best there is of it."""
    return replace(config, model=replace(config.model, path=model, arm="auto", context_tokens=0))
