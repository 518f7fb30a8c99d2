"""What the model thinks of names at a place: asked a few at a time, kept while the word is typed.

The document is cut at the start of the word, and whole names are asked about, so what is typed of the
word changes no score: it only says which names are still meant.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from completion.wire import completion_pb2 as pb

AT_ONCE = 16
"""Names in one call: what comes too late is lost, and what is asked keeps the engine busy."""
KEPT = 8
"""Places whose scores are remembered."""


class Asks(Protocol):
    """What :meth:`lsp.client.Service.score` promises."""

    def __call__(
        self, request: pb.ScoreRequest, *, timeout_s: float
    ) -> Awaitable[pb.ScoreResponse | None]:
        """Return the answer, or None when there is none."""
        ...


class Scores:
    """Log-probabilities by place and name. From the event loop only."""

    def __init__(self) -> None:
        self._known: OrderedDict[object, dict[str, float]] = OrderedDict()

    def known(self, key: object) -> Mapping[str, float]:
        """Return what is known of the place ``key``: natural logarithms."""
        return self._known.get(key, {})

    async def learn(
        self, key: object, request: pb.ScoreRequest, texts: Sequence[str], ask: Asks, until: float
    ) -> None:
        """Ask about ``texts`` that are not known yet, the first ones first, until the loop's time
        ``until``. ``request`` is the place. Cancelling it cancels the call; what came is kept."""
        loop = asyncio.get_running_loop()
        known = self._known.setdefault(key, {})
        self._known.move_to_end(key)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        rest = [text for text in texts if text not in known]
        for first in range(0, len(rest), AT_ONCE):
            asked = rest[first : first + AT_ONCE]
            left = until - loop.time()
            if left <= 0:
                return
            one = pb.ScoreRequest(texts=[text.encode() for text in asked])
            one.MergeFrom(request)
            answer = await ask(one, timeout_s=left)
            if answer is None or len(answer.log_probs) != len(asked):
                return
            known.update(zip(asked, answer.log_probs, strict=True))

    def forget(self) -> None:
        """Remember nothing."""
        self._known.clear()
