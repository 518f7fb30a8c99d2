"""Suggestions of an engine that is asked directly, with no language server between."""

from __future__ import annotations

from dataclasses import replace

from eval.engines.base import Engine
from eval.item import Ask, Item, to_bytes
from eval.replay.replay import Suggestion
from eval.replay.typist import Edit, Typing


class DirectSuggester:
    """Asks for the rest of the region at each cursor of ``item``'s file."""

    def __init__(self, engine: Engine, item: Item, ask: Ask) -> None:
        self._engine, self._item, self._ask = engine, item, ask

    async def edited(self, before: Typing, edit: Edit) -> None:
        """Nothing to tell: every question has the whole document."""

    async def suggestion(self, typing: Typing) -> Suggestion:
        """Return what the engine would have an editor insert."""
        at = typing.done
        item = replace(
            self._item,
            id=f"{self._item.id}@{at}",
            prefix=to_bytes(typing.above + typing.region[:at]),
            reference=to_bytes(typing.region[at:]),
        )
        answer = await self._engine.answer(item, self._ask)
        return Suggestion(edit=_edit(typing, answer.cut, answer.replace_after), answer=answer)


def _edit(typing: Typing, cut: bytes | None, replace_after: int) -> Edit | None:
    """Return the edit; ``None`` where there is none that an editor could make."""
    if not cut:
        return None
    try:
        text = cut.decode("utf-8")
        after = len(to_bytes(typing.document[typing.cursor :])[:replace_after].decode("utf-8"))
    except UnicodeDecodeError:
        return None  # half a character
    return Edit(start=typing.cursor, end=typing.cursor + after, text=text)
