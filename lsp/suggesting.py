"""The keystroke path, done: what :mod:`lsp.keystrokes` decides, with a clock, a service and tasks.

Knows the wire and no editor. From the event loop only.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Protocol

from completion.config import ClientConfig
from completion.wire import completion_pb2 as pb
from lsp.keystrokes.actions import Action, Answer, Cancel, Policy, Start
from lsp.keystrokes.cache import Cache, Piece, Question
from lsp.keystrokes.place import Place
from lsp.keystrokes.rhythm import Rhythm
from lsp.keystrokes.schedule import Schedule
from lsp.keystrokes.speculate import Speculation, Thought

log = logging.getLogger("caret.lsp")

Make = Callable[[], pb.CompleteRequest | None]
"""Returns what is sent for a question; ``None``: its document is no more what it was."""

_LASTING = ("filtered:", "too_short")
"""How reasons begin why there is no candidate, if they would be the same next time."""


class Sender(Protocol):
    """What :class:`lsp.client.Service` promises."""

    async def complete(
        self, request: pb.CompleteRequest, *, timeout_s: float
    ) -> pb.CompleteResponse | None:
        """Return the answer, or None."""
        ...

    def stream(
        self, request: pb.CompleteRequest, *, timeout_s: float
    ) -> AsyncGenerator[pb.CompleteChunk, None]:
        """Yield the answer in parts."""
        ...


class Suggesting:
    """Answers requests; :meth:`close` it at the end."""

    def __init__(
        self,
        sender: Callable[[], Sender | None],
        *,
        told: Callable[[pb.CompleteResponse], None] = lambda response: None,
    ) -> None:
        """Take what returns the service, if there is one; ``told`` is of each answer of the model."""
        self._sender, self._told = sender, told
        self._config = ClientConfig()
        cache = Cache()
        self._schedule = Schedule(cache, Rhythm(), Speculation(cache))
        self._tickets = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._makes: dict[str, tuple[Question, Make]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def configured(self, config: ClientConfig, policy: Policy) -> None:
        """Take another configuration: what was answered under the old one is forgotten."""
        if (config, policy) == (self._config, self._schedule.policy):
            return
        self._config, self._schedule.policy = config, policy
        self.reset()

    @property
    def under_way(self) -> int:
        """How many questions are with the model."""
        return len(self._tasks)

    async def suggest(self, question: Question, make: Make) -> Answer:
        """Return the answer to a request. ``make`` is called only if the model is asked.

        Raises:
            asyncio.CancelledError: when the caller is cancelled; the model need not answer then.
        """
        ticket = next(self._tickets)
        future = self._waiting[ticket] = asyncio.get_running_loop().create_future()
        self._makes[question.place.document] = (question, make)
        self._do(self._schedule.ask(ticket, question, self._now()))
        try:
            return await future
        except asyncio.CancelledError:
            if self._waiting.pop(ticket, None) is not None:
                self._do(self._schedule.cancelled(ticket, self._now()))
            raise

    def edited(
        self, document: str, cursors: Callable[[], Sequence[Place] | None], *, is_key: bool
    ) -> None:
        """Take notice of an edit; ``cursors`` returns where the cursor may be now, None: anywhere."""
        found = cursors() if self._schedule.is_under_way(document) else ()
        self._makes.pop(document, None)
        self._do(self._schedule.edited(document, found, self._now(), is_key=is_key))

    def shown(self, place: Place) -> bytes:
        """Return the ghost text at ``place``; of several the first; nothing where there is none."""
        suggestion = self._schedule.shown(place)
        return suggestion.pieces[0].text if suggestion is not None and suggestion.pieces else b""

    def placed(self, question: Question, make: Make) -> None:
        """Take notice that the cursor was put somewhere."""
        if not self._schedule.is_under_way(question.place.document):
            self._makes[question.place.document] = (question, make)
            self._do(self._schedule.placed(question, self._now()))

    def closed(self, document: str) -> None:
        """Forget ``document``."""
        self._do(self._schedule.closed(document))
        self._makes.pop(document, None)

    def reset(self) -> None:
        """Forget everything that was answered, and answer what waits with nothing."""
        self._do(self._schedule.reset())

    async def close(self) -> None:
        """End what is under way."""
        self.reset()
        if self._timer is not None:
            self._timer.cancel()
        tasks = [*self._tasks.values(), *self._ending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Answer(ticket=ticket):
                    future = self._waiting.pop(ticket, None)
                    if future is not None and not future.done():
                        future.set_result(action)
                case Start(flight=number, thought=thought):
                    # Made now: an edit may come before the task begins.
                    task = asyncio.create_task(self._ask_model(number, self._request(thought)))
                    self._tasks[number] = task
                    task.add_done_callback(self._ended)
                case Cancel(flight=number):
                    task = self._tasks.pop(number, None)
                    if task is not None:
                        self._ending.add(task)
                        task.cancel()
        self._set_timer()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._schedule.next_wake
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._wake)

    def _wake(self) -> None:
        self._do(self._schedule.wake(self._now()))

    async def _ask_model(self, number: int, request: pb.CompleteRequest | None) -> None:
        response: pb.CompleteResponse | None = None
        try:
            sender = self._sender()
            if sender is not None and request is not None:
                response = await self._response(number, sender, request)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # who waits is answered, whatever has gone wrong
            log.error("a completion failed (%s)", type(error).__name__)
        self._tasks.pop(number, None)
        if response is None:
            self._do(self._schedule.finished(number, (), self._now(), is_known=False))
            return
        self._told(response)
        known = bool(response.candidates) or response.declined.startswith(_LASTING)
        self._do(
            self._schedule.finished(
                number, pieces_of(response), self._now(), completion_id=response.completion_id,
                is_known=known,
            )
        )  # fmt: skip

    async def _response(
        self, number: int, sender: Sender, request: pb.CompleteRequest
    ) -> pb.CompleteResponse | None:
        if not can_stream(request):
            return await sender.complete(request, timeout_s=self._config.timeout_ms / 1000)
        text, after = b"", 0
        async with aclosing(
            sender.stream(request, timeout_s=self._config.timeout_ms / 1000)
        ) as chunks:
            async for chunk in chunks:
                if chunk.done:
                    return chunk.summary
                text, after = text + chunk.text, after or chunk.replace_after
                pieces = (Piece(text=text, replace_after=after),)
                self._do(
                    self._schedule.progress(
                        number, pieces, self._now(), completion_id=chunk.completion_id
                    )
                )
        return None

    def _request(self, thought: Thought) -> pb.CompleteRequest | None:
        """Return what is sent for ``thought``; made from the request that it was thought of behind."""
        asked, make = self._makes.get(thought.question.place.document, (None, None))
        request = make() if make is not None and asked == thought.asked else None
        if request is None:
            return None
        request.trigger = (
            pb.CompleteRequest.TRIGGER_INVOKED
            if thought.question.invoked
            else pb.CompleteRequest.TRIGGER_AUTOMATIC
        )
        if thought.after is not None:
            document = request.document
            cut = len(document.prefix) - thought.replace_before
            document.prefix = document.prefix[:cut] + thought.after.text
            document.suffix = document.suffix[thought.after.replace_after :]
            document.scope = ""  # of another place
            request.ClearField("selected_completion")
        return request


def can_stream(request: pb.CompleteRequest) -> bool:
    """Whether ``request`` can be answered line by line: one candidate, unasked for, no popup."""
    return (
        request.trigger == pb.CompleteRequest.TRIGGER_AUTOMATIC
        and request.options.candidates <= 1
        and not request.HasField("selected_completion")
    )


def pieces_of(response: pb.CompleteResponse) -> tuple[Piece, ...]:
    """Return the candidates of ``response`` as the keystroke path knows them."""
    return tuple(
        Piece(text=one.text, replace_after=one.replace_after, number=number)
        for number, one in enumerate(response.candidates)
    )
