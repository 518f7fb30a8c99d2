"""The workspace model end to end: real `caret lsp`, a server of its own, the bundled model."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

import psutil
import pytest

from lsp.session import LspSession, lsp_command
from tests.e2e.processes import environment_of, serving_child

pytestmark = [
    pytest.mark.engine,
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

WORD = "zwieback_marzipan"
"""What no model says by itself."""
WIDGETS = "".join(
    f"class {name}:\n    def area(self):\n        return self.{WORD}(self.width)\n\n\n"
    for name in ("Left", "Right", "Upper", "Lower")
)
MAIN = """import os


class Box:
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return self."""
"""Where any model has something to say."""
ESTABLISHED = b"workspace: the stream is established"


class Editor:
    """One open file, and what is said at its end.

    The text is another one each time, so that nothing is served from memory.
    """

    def __init__(self, session: LspSession, path: Path) -> None:
        self.session = session
        self._uri = session.open(path, MAIN)
        self._versions = itertools.count(2)

    async def answer(self) -> str:
        """What is shown; something is, sooner or later."""
        above, _, last = MAIN.rpartition("\n")
        for version in self._versions:
            self.session.change(self._uri, version, {"text": f"# {version}\n{MAIN}"})
            shown = await self.session.complete(self._uri, above.count("\n") + 2, len(last))
            if shown.items:
                return shown.text
            await asyncio.sleep(0.05)
        raise AssertionError

    async def comes_to_know(self) -> None:
        """Return when the workspace's word is said; the test's timeout is the limit."""
        while WORD not in await self.answer():
            pass

    async def forgets(self) -> None:
        while WORD in await self.answer():
            pass


async def test_what_only_the_workspace_knows_is_said_and_said_again_by_a_new_server(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    # no snippets: what is known of the other file comes through the workspace's copy alone
    environment = environment_of(tmp_path, CARET_CONTEXT_MAX_BYTES="0")
    command = lsp_command("--own-server", "--log-level", "debug")
    async with LspSession(command, environment=environment) as session:
        await session.initialize(root)
        await session.ready()
        while ESTABLISHED not in session.stderr:
            await asyncio.sleep(0.01)
        editor = Editor(session, root / "main.py")
        for _ in range(3):
            assert WORD not in await editor.answer(), "the file is not there yet"

        widgets = root / "widgets.py"

        def tell(kind: int) -> None:
            event = {"uri": widgets.as_uri(), "type": kind}
            session.notify("workspace/didChangeWatchedFiles", {"changes": [event]})

        widgets.write_text(WIDGETS)
        tell(1)
        await editor.comes_to_know()
        widgets.unlink()
        tell(3)
        await editor.forgets()
        widgets.write_text(WIDGETS)
        tell(1)
        await editor.comes_to_know()

        before, established = serving_child(session), session.stderr.count(ESTABLISHED)
        before.kill()
        psutil.wait_procs([before], timeout=60)
        await editor.comes_to_know()
        assert serving_child(session).pid != before.pid
        assert session.stderr.count(ESTABLISHED) > established
        assert await session.shutdown() == 0
