"""Toy models as engines: what `ByteModel` asks for is counted, and two vocabularies differ."""

from __future__ import annotations

from completion.engine.base import Engine, EngineInfo, Step
from tests.completion.healing.toy import Toy

OTHER = (b"a", b"b", b"ba", b"bab", b"abb", b"", b"bbb")
"""Another vocabulary of the same two bytes; id 5 is its end."""


class ToyEngine(Engine):
    """A :class:`Toy` behind the interface; a prompt is the tokens behind nothing."""

    def __init__(self, toy: Toy, context_tokens: int = 64) -> None:
        self.toy = toy
        self.asked: list[tuple[int, ...]] = []
        self._context = context_tokens

    @property
    def info(self):
        return EngineInfo(engine="toy", device="cpu", dtype="float64", context_tokens=self._context)

    async def start(self):
        pass

    async def generate(self, prompt, sampling, stats):
        wanted, less = sampling.rows
        assert (sampling.max_tokens, less) == (1, 0)
        assert len(prompt) + 1 <= self._context
        ends = range(len(prompt) - wanted + 1, len(prompt) + 1)
        self.asked += [tuple(prompt[:end]) for end in ends]
        rows = [self.toy.row(tuple(prompt[:end])).float() for end in ends]
        best = int(rows[-1].argmax())
        yield Step((best,), (float(rows[-1][best]),), "length", _stacked(rows))

    async def top_tokens(self, prompt, count, mixing=None, cache_salt=""):
        raise AssertionError("nobody asks for these")

    async def running(self):
        return 0

    async def stop(self):
        pass


def _stacked(rows):
    import torch

    return torch.stack(rows)
