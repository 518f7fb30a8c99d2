"""What a server that was started or found is to its client, whoever else it serves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import grpc.aio

from completion.wire.address import Address
from completion.wire.channel import open_channel

AS_CONFIGURED_BY_NOBODY = tuple(
    word
    for flag in ("metrics", "tls-cert", "tls-key", "tls-client-ca", "token-file")
    for word in (f"--{flag}", "")
)
"""Words for a `caret serve` on a private socket. What the user has configured is of the one server
that others reach: a second one could not have its metrics address, and needs no credentials."""


class StartedServer(ABC):
    """``async with`` it, or pair :meth:`start` with :meth:`stop`."""

    @property
    @abstractmethod
    def address(self) -> Address:
        """Where it listens."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """Its process id; 0: not known."""

    @abstractmethod
    async def start(self) -> None:
        """Have it, and return when it serves.

        Raises:
            CaretError: it ended while starting, or does not serve in time.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Have done with it. Safe to repeat."""

    @abstractmethod
    async def wait_ended(self) -> str:
        """Return, once it has ended or is about to, one line on why."""

    def channel(self) -> grpc.aio.Channel:
        """Return a new channel to it; close it before :meth:`stop`."""
        return open_channel(self.address)

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self.stop()
