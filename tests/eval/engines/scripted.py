"""A model over bytes that says one text and ends, for tests of who asks it; a law like any other."""

from __future__ import annotations

from dataclasses import replace

import torch

from completion.engine.base import Engine, EngineInfo, Step
from completion.engine.fake import fake_checkpoint
from completion.errors import CaretError
from eval.engines.members import Member

SAYS = b"return value\n    more = 1\n"
END = 256
"""The id of ``<|endoftext|>`` in the fake checkpoint."""


class Scripted(Engine):
    """Goes on with ``says`` from wherever the prompt ends in it, then ends.

    ``sure``: how much likelier, in logits, its choice is than each other id. ``dies``: after so many
    requests it answers nothing more.
    """

    def __init__(self, says=SAYS, *, sure=12.0, context_tokens=4096, dies=None):
        self.says, self.sure = says, sure
        self.requests = self.stops = 0
        self._context, self._dies = context_tokens, dies

    @property
    def info(self):
        return EngineInfo(
            engine="scripted 1", device="cpu", dtype="none", context_tokens=self._context
        )

    async def start(self):
        pass

    async def generate(self, prompt, sampling, stats):
        self.requests += 1
        if not await self.alive():
            raise CaretError("the engine process died")
        assert len(prompt) + 1 <= self._context
        first, without = sampling.rows
        ends = range(len(prompt) - first + 1, len(prompt) - without + 1)
        rows = torch.stack([self.row(prompt[:end]) for end in ends]) if ends else None
        for number in range(sampling.max_tokens):
            row = self.row(prompt)
            token = int(row.argmax())
            stopped = token in sampling.stop_token_ids
            last = "stop" if stopped else "length" if number + 1 == sampling.max_tokens else ""
            yield Step((token,), (float(row[token]),), last, rows if number == 0 else None)
            if last:
                return
            prompt = [*prompt, token]

    def row(self, prompt):
        """Return the law behind a prompt, (V,)."""
        text = bytes(t if t < 256 else 0 for t in prompt[-len(self.says) :])
        size = next(n for n in range(len(self.says), -1, -1) if text.endswith(self.says[:n]))
        logits = torch.zeros(256 + 7)
        logits[self.says[size] if size < len(self.says) else END] = self.sure
        return torch.log_softmax(logits, 0)

    async def top_tokens(self, prompt, count):
        raise AssertionError("nobody asks for these")

    async def running(self):
        return 0

    async def alive(self):
        return self._dies is None or self.requests <= self._dies

    async def stop(self):
        self.stops += 1


def loading(*engines, folder=None):
    """Return what loads ``engines`` in the place of models, each on a fake checkpoint of its own."""

    async def load(configs):
        checkpoints = [fake_checkpoint() for _ in configs]
        if folder is not None:
            checkpoints = [replace(one, path=folder) for one in checkpoints]
        return [
            Member(engine, replace(one, name=f"fake-{number}", checksum=f"sum-{number}"), config)
            for number, (engine, one, config) in enumerate(
                zip(engines, checkpoints, configs, strict=True), 1
            )
        ]

    return load
