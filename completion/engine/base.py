"""The interface of an engine: token ids in, steps of sampled tokens out.

A subclass starts its model in :meth:`Engine.start`, yields a :class:`Step` for every advance from
:meth:`Engine.generate`, and frees everything of a request as soon as that generator is closed.
One call is one candidate, so that each can be stopped by itself. An engine knows nothing of
documents, templates, stop rules or bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from completion.errors import CaretError
from completion.together import together
from completion.workspace.request import Mixing

if TYPE_CHECKING:
    from torch import Tensor


ROWS_KEY = "caret_rows"
"""In a request's ``extra_args``: of which of its prompt's positions it wants the law."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineInfo:
    """What is being run, for ``GetModel`` and ``caret doctor``."""

    engine: str
    """Name and version, ``vllm 0.32.0``."""
    device: str
    """``cpu`` or ``cuda``."""
    dtype: str
    context_tokens: int
    """Prompt and answer together."""
    max_allowed_ids: int = 1 << 15
    """Most ``allowed_token_ids`` of one request; beyond, a mask costs more than it brings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How the tokens of one candidate are drawn."""

    max_tokens: int
    stop_token_ids: tuple[int, ...] = ()
    """Ids that end the text; the id itself is reported as its last token."""
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    allowed_token_ids: tuple[int, ...] = ()
    """Nothing else is drawn; empty: everything may be."""
    rows: tuple[int, int] = (0, 0)
    """Of which of the prompt's positions the first step brings the law: (m, n) are the last m without
    the last n, so that (1, 0) is the law of the first token drawn. The same twice: of none."""
    mixing: Mixing | None = None
    """The workspace that is mixed into the law; of none: the law is the model's own."""
    cache_salt: str = ""
    """Whose request it is: what was computed for one is never read from the cache for another, whose
    time to the first token would tell of it. Empty: a server with one user."""


@dataclass(frozen=True, slots=True)
class Step:
    """One advance of a candidate."""

    token_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    """Of each token, natural log, untempered."""
    finished: str = ""
    """Empty while running, then ``stop`` (a stop id) or ``length``."""
    rows: Tensor | None = None
    """With the first step, where asked for: log-probabilities behind positions of the prompt, in
    their order, float32, (m - n, V), untempered. A row of NaN is of a position that was read from the
    cache: never of the prompt's last one."""


@dataclass(slots=True)
class RequestStats:
    """What the engine measured of one request; filled while it runs."""

    first_token_ms: float = 0.0
    cached_tokens: int = 0


@dataclass(slots=True)
class EngineWork:
    """Tokens that the engine has worked on since it started, for requests that were cancelled, too."""

    prompt: int = 0
    """Of prompts, computed and not found in the prefix cache."""
    generated: int = 0
    abandoned: int = 0
    """Of prompts of requests that were cancelled before their first token: at most so many, for
    nothing says how many of them were computed."""
    drafted: int = 0
    """Drafts that the model was asked about, as :meth:`Engine.running` last found."""
    accepted: int = 0
    """Those among them that were what it says."""


class Engine(ABC):
    """A model that continues token ids."""

    @cached_property
    def work(self) -> EngineWork:
        """What was computed; the engine counts it while it runs."""
        return EngineWork()

    @property
    @abstractmethod
    def info(self) -> EngineInfo:
        """What is being run; valid after :meth:`start`."""

    @abstractmethod
    async def start(self) -> None:
        """Load the model. Raises CaretError when it cannot, with what to do."""

    @abstractmethod
    def generate(
        self, prompt: list[int], sampling: Sampling, stats: RequestStats
    ) -> AsyncGenerator[Step, None]:
        """Continue ``prompt``; closing the generator (or cancelling its task) aborts the request."""

    @abstractmethod
    async def top_tokens(
        self,
        prompt: list[int],
        count: int,
        mixing: Mixing | None = None,
        cache_salt: str = "",
    ) -> list[tuple[int, float]]:
        """Return the ``count`` most probable next ids with their log-probabilities, best first."""

    async def next_laws(
        self,
        prompts: Sequence[list[int]],
        stats: RequestStats | None = None,
        mixing: Mixing | None = None,
        cache_salt: str = "",
    ) -> list[Tensor]:
        """Return the law of the token behind each prompt: float32 log-probabilities, (V,) each.

        One batch where the engine batches. ``stats``, where given, is of the first prompt.
        """
        waiting = [stats or RequestStats(), *(RequestStats() for _ in prompts[1:])]
        return await together(
            self._law_behind(prompt, one, mixing, cache_salt)
            for prompt, one in zip(prompts, waiting, strict=True)
        )

    async def _law_behind(
        self, prompt: list[int], stats: RequestStats, mixing: Mixing | None, cache_salt: str
    ) -> Tensor:
        sampling = Sampling(max_tokens=1, rows=(1, 0), mixing=mixing, cache_salt=cache_salt)
        steps = self.generate(prompt, sampling, stats)
        async with aclosing(steps):
            async for step in steps:
                if step.rows is not None:
                    return step.rows[-1]
        raise CaretError("the engine gave no law of a prompt")

    async def workspaces(self, method: str, *words: Any) -> Any:
        """Call a method of the engine core's :class:`~completion.workspace.workspaces.Workspaces`.

        In order with each other and with requests. Plain values go and come.

        Raises:
            CaretError: this engine has none.
        """
        raise CaretError("this engine holds no workspaces")

    @abstractmethod
    async def running(self) -> int:
        """Return how many requests the model itself still holds, running or waiting."""

    async def alive(self) -> bool:
        """Return whether the model can still answer; one that cannot is never mended."""
        return True

    @abstractmethod
    async def stop(self) -> None:
        """Free the model and end what was started."""
