"""A list of names for a place, in time: what is found, then what the model says of it.

Of the budget, static analysis may take half; where it has not answered by then, the names in scope
stand in for it, and its answer is there for the next key. The model is asked about the likeliest names
first and until the budget is spent; what it has not scored keeps the order of static analysis.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from completion.config import PopupConfig
from completion.wire import completion_pb2 as pb
from lsp.context.ignore import Rules
from lsp.popup.analysis import Analysis, Names, Question
from lsp.popup.in_scope import in_scope, nearness
from lsp.popup.latest import Latest
from lsp.popup.names import Match, Name, matching
from lsp.popup.place import Place
from lsp.popup.ranking import agreeing, promising, ranked
from lsp.popup.scope_weights import log_weight
from lsp.popup.scores import Asks, Scores
from lsp.positions import wire_bytes

T = TypeVar("T")

ANALYSIS_SHARE = 0.5
"""Of the budget, what static analysis may take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """Whom to ask for scores, and about which place."""

    ask: Asks
    request: pb.ScoreRequest
    rules: Rules | None
    """Which files' names may be sent; None: all, where there is no workspace."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A list, best first, and whether another one may be better after the next key."""

    names: Sequence[Name]
    ask_again: bool


class Popup:
    """What lists need from one request to the next. From the event loop only; :meth:`close` it."""

    def __init__(self, config: PopupConfig | None = None, command: Sequence[str] = ()) -> None:
        """Take the configuration; ``command`` stands in for jedi's process in tests."""
        self._command = command
        self.config = config or PopupConfig()
        self.latest = Latest()
        self._scores = Scores()
        self._analyses: dict[str, Analysis] = {}
        self._nowhere: tempfile.TemporaryDirectory[str] | None = None
        # its own: what else runs in threads here takes its time
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="popup")

    def configured(self, config: PopupConfig) -> None:
        """Take another configuration."""
        if config != self.config:
            self.config = config
            self.latest.drop_all()

    def forget(self) -> None:
        """Remember nothing of files as they were."""
        for analysis in self._analyses.values():
            analysis.forget()

    async def warm(self, root: str, path: str) -> None:
        """Have jedi ready for the folder ``root``: its first answer takes seconds."""
        question = Question(path=path, text="", line=0, column=0)
        await self._analysis(root).names("warm", question)

    async def find(
        self,
        place: Place,
        root: str,
        roots: Sequence[str],
        model: Callable[[], Awaitable[Model | None]],
        until: float,
        shown: Callable[[], str] = str,
    ) -> Found:
        """Return the list for a place by the loop's time ``until``.

        ``root`` is the workspace folder that the document is in, nothing where it is in none;
        ``model`` returns how the model is asked, or None where it is not to be; ``shown`` the word
        with the ghost text behind it, as it is at the end.
        """
        names, late = await self._names(place, root, roots, until)
        matched = matching(names, place.word.typed)
        asked = self.config.ranking != "static" and bool(matched)
        if asked:
            asks = await _within(until, model())
            asked = asks is not None
            if asks is not None:
                await _within(until, self._learn(place, root, matched, asks, until))
        log_probs = self._scores.known(place.key) if asked else {}
        weight = functools.partial(log_weight, is_member=place.word.is_member)
        order = ranked(matched, log_probs, *([weight] if self.config.ranking == "both" else []))
        if asked:
            order = agreeing(order, shown())
        best = order[: self.config.max_items]
        unscored = asked and any(name.text not in log_probs for name in best)
        return Found(names=best, ask_again=late or unscored or len(best) < len(order))

    async def close(self) -> None:
        """End what runs."""
        self.latest.drop_all()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for analysis in self._analyses.values():
            await analysis.close()
        if self._nowhere is not None:
            self._nowhere.cleanup()

    async def _names(
        self, place: Place, root: str, roots: Sequence[str], until: float
    ) -> tuple[Names, bool]:
        """Return what may stand there, and whether more may be known later."""
        late = False
        if place.language is not None and place.language.name == "python":
            analysis = self._analysis(root)
            now = asyncio.get_running_loop().time()
            half = now + (until - now) * ANALYSIS_SHARE
            found = await _within(half, analysis.names(place.key, place.question(roots)))
            if found is not None:
                return found, False
            late = analysis.usable
        if place.word.is_member:
            return (), late
        work = functools.partial(
            in_scope, place.language, wire_bytes(place.before), wire_bytes(place.after)
        )
        return await _within(until, self._in_thread(work)) or (), late

    async def _learn(
        self,
        place: Place,
        root: str,
        matched: Sequence[tuple[Name, Match]],
        model: Model,
        until: float,
    ) -> None:
        most = self.config.max_scored
        rules = model.rules

        def chosen() -> list[str]:
            near = nearness(wire_bytes(place.before), wire_bytes(place.after))
            refused = {
                path
                for path in {name.path for name, _ in matched if name.path}
                if rules is not None and rules.allows(Path(root, path))
            }
            sent = [(name, how) for name, how in matched if name.path not in refused]
            return promising(sent, near)[:most]

        texts = await self._in_thread(chosen)
        await self._scores.learn(place.key, model.request, texts, model.ask, until)

    def _in_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _analysis(self, root: str) -> Analysis:
        analysis = self._analyses.get(root)
        if analysis is None:
            if not root and self._nowhere is None:
                self._nowhere = tempfile.TemporaryDirectory(prefix="caret-popup-")
            folder = root or (self._nowhere.name if self._nowhere is not None else root)
            analysis = self._analyses[root] = Analysis(Path(folder), self._command)
        return analysis


async def _within(until: float, work: Awaitable[T]) -> T | None:
    """Return what ``work`` returns, or None when it has not by the loop's time ``until``."""
    try:
        async with asyncio.timeout_at(until):
            return await work
    except TimeoutError:
        return None
