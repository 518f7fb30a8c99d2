"""Engines that know the answers: what a suite scores of them is known before it is run."""

from __future__ import annotations

from eval.engines.base import Engine, Identity
from eval.item import Answer, Ask, Item, to_bytes, to_text


class Oracle(Engine):
    """Answers every item with its reference: 100 % everywhere, or the suite is wrong."""

    name = "oracle"

    async def start(self) -> Identity:
        """Nothing to get ready."""
        return Identity(name=self.name)

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Return the reference."""
        return _said(item.reference)


class Silent(Engine):
    """Answers nothing: 0 % everywhere."""

    name = "silent"

    async def start(self) -> Identity:
        """Nothing to get ready."""
        return Identity(name=self.name)

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Return an answer without any text, which is not an empty one."""
        return Answer(declined="silent")


class Half(Engine):
    """Answers the first half of every reference, in characters, rounded down."""

    name = "half"

    async def start(self) -> Identity:
        """Nothing to get ready."""
        return Identity(name=self.name)

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Return the half; a byte that is no UTF-8 counts as a character."""
        text = to_text(item.reference)
        return _said(to_bytes(text[: len(text) // 2]))


def _said(text: bytes) -> Answer:
    return Answer(raw=text, cut=text, raw_end="model", cut_end="model", ranked=(text,))
