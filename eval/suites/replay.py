"""Keystroke replay: a function of a real file is typed key by key, with completions at hand.

With a service (``--engine server``) each key goes as ``didChange`` to a real `caret lsp`, behind
each key ``textDocument/inlineCompletion`` is asked, and ranges and replaced text are applied as
LSP says. Any other engine is asked directly by the same typist. What is not imitated: auto-closed
brackets, auto-indentation, and a typist who does not wait for the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from completion.errors import UsageError
from eval.build.builders import BUILDERS, load
from eval.engines.base import Engine
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, to_text
from eval.replay.direct import DirectSuggester
from eval.replay.editor import Editor
from eval.replay.measures import measures
from eval.replay.replay import replay
from eval.replay.typist import Typing
from eval.suites.base import Draw, Loaded, Scores, Suite


class Replay(Suite):
    """One item a file: ``reference`` is typed between ``prefix`` and ``suffix``.

    An item's answers are those to its requests, one behind each key, in their order: so the
    latency table is of keystrokes. Through a service one file is typed at a time, whatever the
    number of workers, because the latency is to be that of one user.
    """

    name = "replay"
    version = BUILDERS["replay"].version
    about = "a function typed key by key; keystrokes that completions save, and their latency"
    headline = ("keystrokes_saved", "accepted")
    default_limit = 3
    one_at_a_time = True

    def __init__(self, on_key: Callable[[Item, int, int], None] | None = None) -> None:
        """Take who is told behind each request: the item, characters there, characters in all."""
        self._on_key = on_key
        self._turn = asyncio.Lock()

    def load(self, data: Path | None) -> Loaded:
        """Return one item for each Python file of a tree that has a function to type, or read
        built ones.

        Raises:
            UsageError: there is no tree (and how to get one), no such function in it, or the file
                is cut off or another suite's.
        """
        return load(self.name, data)

    def ask(self, item: Item) -> Ask:
        """Return an editor's question: lines as the syntax says, and only what is shown."""
        return Ask(lines="auto", raw=False)

    async def answers(self, item: Item, engine: Engine, draw: Draw) -> list[Answer]:
        """Type the item; return the answers to all requests.

        Raises:
            UsageError: answers are to be drawn, or healed in a way that no editor can ask for.
            EngineGone: the service or the language server has ended.
        """
        if draw.samples > 1 or draw.temperature or draw.healing != "default":
            raise UsageError(
                "replay types as an editor does, and an editor asks for one greedy answer healed "
                "as the server does; leave out --samples, --temperature and --healing"
            )
        typing = Typing(
            above=to_text(item.prefix), region=to_text(item.reference), below=to_text(item.suffix)
        )

        def progress(done: int, whole: int) -> None:
            if self._on_key is not None:
                self._on_key(item, done, whole)

        if not engine.address:
            return await replay(typing, DirectSuggester(engine, item, self.ask(item)), progress)
        async with (
            self._turn,
            Editor(engine.address, item.path, item.language, typing) as editor,
        ):
            return await replay(typing, editor, progress)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return the figures that :func:`eval.replay.measures.measures` defines."""
        return measures(to_text(item.reference), answers)
