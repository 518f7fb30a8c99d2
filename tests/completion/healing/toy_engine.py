"""An engine that runs a toy model: real requests, steps and aborts, in any order and with any delay."""

from __future__ import annotations

import asyncio
import random

import torch

from completion.engine.base import Engine, EngineInfo, Step
from completion.errors import CaretError
from tests.completion.healing.toy import END_ID, Toy


class ToyEngine(Engine):
    """Greedy, or drawn with the request's seed at temperature 1.

    ``cached``: the share of rows that are NaN because a cache had them. ``delays``: every step comes
    after a random number of turns of the event loop. ``failing``: requests of these numbers fail.
    """

    def __init__(self, toy: Toy, *, seed=0, cached=0.0, delays=4, failing=()):
        self.toy = toy
        self.rng = random.Random(seed)
        self.cached, self.delays, self.failing = cached, delays, set(failing)
        self.open = 0
        self.asked = 0
        self.prompts: list[tuple[int, ...]] = []

    @property
    def info(self):
        return EngineInfo(engine="toy", device="cpu", dtype="float64", context_tokens=64)

    async def start(self):
        pass

    async def stop(self):
        pass

    async def running(self):
        return self.open

    async def top_tokens(self, prompt, count, mixing=None, cache_salt=""):
        values, ids = torch.topk(self.toy.row(tuple(prompt)), count)
        return list(zip(ids.tolist(), values.tolist(), strict=True))

    async def generate(self, prompt, sampling, stats):
        number, self.asked = self.asked, self.asked + 1
        self.prompts.append(tuple(prompt))
        self.open += 1
        try:
            ids = tuple(prompt)
            generator = torch.Generator().manual_seed(sampling.seed or 0)
            rows = self._rows(ids, *sampling.rows)
            for at in range(sampling.max_tokens):
                for _ in range(self.rng.randrange(self.delays)):
                    await asyncio.sleep(0)
                if number in self.failing:
                    raise CaretError("the toy failed")
                row = self.toy.row(ids)
                if sampling.temperature > 0:
                    weights = torch.softmax(row / sampling.temperature, 0)
                    token = int(torch.multinomial(weights, 1, generator=generator))
                else:
                    token = int(row.argmax())
                ended = token in sampling.stop_token_ids
                last = "length" if at + 1 == sampling.max_tokens else ""
                yield Step((token,), (float(row[token]),), "stop" if ended else last, rows)
                if ended:
                    return
                ids, rows = (*ids, token), None
        finally:
            self.open -= 1

    def _rows(self, ids, first, without):
        ends = range(max(0, len(ids) - first + 1), len(ids) - without + 1)
        if not ends:
            return None
        rows = torch.stack([self.toy.row(ids[:end]) for end in ends])
        for row, end in enumerate(ends):
            if end < len(ids) and self.rng.random() < self.cached:
                rows[row] = float("nan")
        return rows


__all__ = ["END_ID", "ToyEngine"]
