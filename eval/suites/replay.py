"""Keystroke replay: a function of a real file is typed key by key, with completions at hand.

With a service (``--engine server``) each key goes as ``didChange`` to a real `caret lsp`, behind
each key ``textDocument/inlineCompletion`` is asked, and ranges and replaced text are applied as
LSP says. The file stands in its package, or in the folder that ``--data`` or ``--workspace`` name:
a copy of it, which holds nothing of what is not typed yet, with three of its neighbours open. Any
other engine is asked directly by the same typist. What is not imitated: auto-closed brackets,
auto-indentation, and a typist who does not wait for the answer.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from completion.errors import UsageError
from eval.build.builders import BUILDERS, load
from eval.engines.base import Engine
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, to_text
from eval.replay.direct import DirectSuggester
from eval.replay.editor import Editor, Manner
from eval.replay.measures import measures
from eval.replay.replay import replay
from eval.replay.typist import Typing
from eval.suites.base import Draw, Loaded, Scores, Suite
from eval.workspace.place import Place, place_of


class Replay(Suite):
    """One item a file: ``reference`` is typed between ``prefix`` and ``suffix``.

    An item's answers are those to its requests, one behind each key, in their order: so the
    latency table is of keystrokes. Through a service one file is typed at a time, whatever the
    number of workers, because the latency is to be that of one user.
    """

    name = "replay"
    version = f"{BUILDERS['replay'].version}.1"
    """Of the items, and of how they are typed: from .1 on in a workspace."""
    about = "a function typed key by key; keystrokes that completions save, and their latency"
    headline = ("keystrokes_saved", "accepted")
    default_limit = 3
    one_at_a_time = True

    def __init__(
        self, on_key: Callable[[Item, int, int], None] | None = None, *,
        workspace: Path | None = None, manner: Manner | None = None,
    ) -> None:  # fmt: skip
        """Take who is told behind each request (the item, characters there, characters in all),
        the folder that items' paths begin in where the data does not say it, and the manner."""
        self._on_key = on_key
        self._workspace, self._manner = workspace, manner or Manner()
        self._data: Path | None = None
        self._folder: Path | None = None
        self._turn = asyncio.Lock()

    def load(self, data: Path | None) -> Loaded:
        """Return one item for each Python file of a tree that has a function to type, or read
        built ones.

        Raises:
            UsageError: there is no tree (and how to get one), no such function in it, or the file
                is cut off or another suite's.
        """
        loaded = load(self.name, data)
        self._data = data
        return loaded

    def place_of(self, item: Item) -> Place | None:
        """Return where the file of ``item`` lies; ``None`` where nobody said.

        Raises:
            UsageError: it is not below ``--workspace``.
        """
        return place_of(item, self._workspace, self._data)

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
        editing = Editor(
            engine.address, item.path, item.language, typing, self._scratch(),
            place=self.place_of(item), manner=self._manner,
        )  # fmt: skip
        async with self._turn, editing as editor:
            return await replay(typing, editor, progress)

    def _scratch(self) -> Path:
        """Return a folder that lasts as long as the suite: what jedi keeps takes seconds to make."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="caret-replay-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return the figures that :func:`eval.replay.measures.measures` defines."""
        return measures(to_text(item.reference), answers)
