"""The popup at cardinal points: where the wanted name stands in the editor's list.

The items are those of :mod:`eval.suites.cardinal` whose next token is a name. Each is asked through a
real `caret lsp`, with nothing of the name typed and no limit of time, in each way of ranking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from completion.errors import UsageError
from eval.build.builders import BUILDERS, load
from eval.build.code import first_tokens
from eval.engines.base import Engine
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, to_bytes, to_text
from eval.metrics.mrr import reciprocal_rank
from eval.popup_session import PopupSession
from eval.suites.base import Draw, Loaded, Scores, Suite
from eval.suites.cardinal import DEPTH, MAX_TOKENS, Cardinal
from eval.workspace.place import place_of

KINDS = ("attribute", "name")
"""Classes of next tokens that a list can hold."""
RANKINGS = {"static": "_static", "model": "_model", "both": ""}
"""What ``popup.ranking`` says, and how the metrics of it end."""


class Popup(Suite):
    """MRR of the ten first names, by who ranks them.

    ``mrr``: as the popup is by default, static analysis's names by the model with CodeFill's scope
    weights. ``mrr_model``: without the weights. ``mrr_static``: static analysis's own order, no model.
    ``mrr_alone``: the model's own ten candidates, no static analysis. ``gain`` is ``mrr`` less
    ``mrr_static``, ``gain_alone`` ``mrr`` less ``mrr_alone``, ``gain_weights`` ``mrr`` less
    ``mrr_model``, all in pairs. ``first``: the wanted name is the first one. ``listed``: it is
    in the list at all.
    """

    name: ClassVar[str] = "popup"
    version: ClassVar[str] = f"{BUILDERS['cardinal'].version}.1"
    about: ClassVar[str] = "names of the popup at cardinal points; MRR by who ranks them"
    headline: ClassVar[tuple[str, ...]] = ("mrr", "mrr_static")
    default_limit: ClassVar[int] = 200
    one_at_a_time: ClassVar[bool] = True
    baselines: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self._data: Path | None = None
        self._session: PopupSession | None = None
        self._turn = asyncio.Lock()
        self._cardinal = Cardinal()

    def load(self, data: Path | None) -> Loaded:
        """Make the items from a tree, or read built ones of ``cardinal``."""
        self._data = data
        loaded = load("cardinal", data)
        return replace(loaded, items=[item for item in loaded.items if item.kind in KINDS])

    def ask(self, item: Item) -> Ask:
        """Ask the model alone for ten short candidates."""
        return Ask(lines="single", max_tokens=MAX_TOKENS, candidates=DEPTH)

    async def answers(self, item: Item, engine: Engine, draw: Draw) -> list[Answer]:
        """Return the model's own candidates, and a list for each ranking.

        Raises:
            UsageError: the engine is no service, or answers are to be drawn.
            EngineGone: the service or the language server has ended.
        """
        if not engine.address or draw.samples > 1 or draw.temperature or draw.healing != "default":
            raise UsageError(
                "popup asks a language server before a service, greedily: take --engine server, "
                "and leave out --samples, --temperature and --healing"
            )
        async with self._turn:
            alone = await engine.answer(item, self.ask(item))
            if self._session is None:
                self._session = PopupSession(engine.address)
            place = place_of(item, None, self._data)
            lists = await self._session.lists(item, place, tuple(RANKINGS))
        return [
            alone,
            *(
                Answer(
                    raw=to_bytes(names[0]) if names else None,
                    ranked=tuple(map(to_bytes, names)),
                    data={"incomplete": incomplete},
                )
                for names, incomplete in lists
            ),
        ]

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Score the lists."""
        alone, *lists = answers
        depth = int(item.data["depth"])
        wanted = to_text(first_tokens(item.reference, depth, 1)[0].text)
        own = self._cardinal.judge(item, [alone], outcomes)["mrr"]
        assert isinstance(own, float)
        scores: Scores = {"mrr_alone": own}
        ranks: dict[str, float] = {}
        for ending, answer in zip(RANKINGS.values(), lists, strict=True):
            names = [to_text(name) for name in answer.ranked]
            ranks[ending] = reciprocal_rank(names, wanted, DEPTH)
            scores["mrr" + ending] = ranks[ending]
            scores["first" + ending] = float(names[:1] == [wanted])
            scores["listed" + ending] = float(wanted in names)
        scores["gain"] = ranks[""] - ranks["_static"]
        scores["gain_alone"] = ranks[""] - own
        scores["gain_weights"] = ranks[""] - ranks["_model"]
        return scores

    async def stop(self) -> None:
        """End the language server."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
