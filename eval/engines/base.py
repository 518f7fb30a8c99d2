"""The interface of who answers the items of a suite: a service, a model in process, a baseline.

A subclass says who it is in :meth:`Engine.start`, answers one item at a time from
:meth:`Engine.answer` (called concurrently), and frees everything in :meth:`Engine.stop`. It knows
nothing of suites, metrics or files of results. (`completion.engine` is what runs a model; this is
what is measured.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

from completion.errors import UsageError
from completion.wire import completion_pb2 as pb
from eval.item import Answer, Ask, Item


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who answers; stands in every result, and a run is only resumed by the same one."""

    name: str
    """Of the model, or of the baseline."""
    version: str = ""
    checksum: str = ""
    engine: str = ""
    """``vllm 0.32.0``; empty where there is no model."""
    device: str = ""
    template: str = ""
    arm: str = ""
    healing: str = ""
    context_tokens: int = 0


class Engine(ABC):
    """Answers items. ``async with`` it, or pair :meth:`start` with :meth:`stop`."""

    name: ClassVar[str]
    """What ``--engine`` calls it."""
    address: str = ""
    """Where a language server reaches the same model, after :meth:`start`; empty: nowhere."""

    @abstractmethod
    async def start(self) -> Identity:
        """Get ready. Raises CaretError with what to do when it cannot."""

    @abstractmethod
    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Answer one item.

        Raises:
            EngineGone: it will answer nothing more; the run stops and can be resumed.
            CaretError: this request was refused; the message says why.
        """

    def sync(self, changes: AsyncIterator[pb.WorkspaceChange]) -> AsyncIterator[pb.WorkspaceState]:
        """Apply changes of workspaces that items are asked in; yield the state behind each, in order.

        Raises:
            UsageError: this engine holds none.
            EngineGone: as :meth:`answer`.
            CaretError: a change was refused; the message says why.
        """
        raise UsageError(f"--engine {self.name} holds no workspace; take server or in-process")

    async def stop(self) -> None:  # noqa: B027
        """Free what was started. Safe to repeat."""

    async def __aenter__(self) -> Engine:
        """Get ready; :meth:`start` is called apart, for what it returns."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Stop it."""
        await self.stop()
