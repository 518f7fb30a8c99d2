"""The server that Neovims share is killed under them, and ghost text comes back by itself.

All is real: the plugin, `caret lsp`, the `caret serve` that the first of them starts, its model.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.neovim import ARMS, Editor, in_editors_thread, start

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # the first time it is downloaded

SHAPES = '''\
"""Shapes and their areas."""

import math


class Circle:
    def measure(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius ** 2

    def perimeter(self):
        return 2 * math.pi * {first}


class Rectangle:
    def measure(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return {second}
'''
TEXT = SHAPES.format(first="", second="")
FIRST, SECOND = (SHAPES[: SHAPES.index(mark)].count("\n") for mark in ("{first}", "{second}"))
LOADED_S = 400
"""The model loads within this, whatever else the machine does."""

STAGES = """
_G.stages = {}
vim.api.nvim_create_autocmd('User', { pattern = 'CaretStatus', callback = function()
  _G.stages[#_G.stages + 1] = require('caret').status()
end })
"""


@pytest.fixture
def run() -> Iterator[Path]:
    """A user's own folder for sockets; what serves in it is ended at the end."""
    folder = Path(tempfile.mkdtemp(prefix="c-"))  # short: a socket's path has 107 bytes
    yield folder
    for process in servers(folder):
        process.kill()
        process.wait()
    shutil.rmtree(folder)


def servers(run: Path) -> list[psutil.Process]:
    """Each `caret serve` on a socket in this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if "serve" in words and f"unix:{run}" in " ".join(words):
            found.append(process)
    return found


def shown_behind(editor: Editor, row: int, typed: str) -> str:
    """Type at a line's end, and return the ghost text that comes without being asked for."""
    editor.insert_at(row, len(editor.lines[row]), typed)
    editor.until(lambda: editor.ghost != "", "a ghost text", LOADED_S)
    return editor.ghost


def lost_and_found(editor: Editor) -> bool:
    """Whether the plugin's status has been "loading", and is "ready" since."""
    stages = editor.lua("return _G.stages")
    return "loading" in stages and stages[-1] == "ready"


@in_editors_thread
def test_a_server_that_is_killed_comes_back_in_every_neovim(run, tmp_path):
    environment = {"XDG_RUNTIME_DIR": str(run), "CARET_CLIENT_TIMEOUT_MS": "600000"}
    editors: list[Editor] = []
    try:
        for number, arm in enumerate(ARMS):
            one = start(arm, None, tmp_path / str(number), environment=environment)
            editors.append(one)
            one.lua(STAGES)
            one.edit("shapes.py", TEXT)
        for one in editors:
            one.until(lambda one=one: one.status == "ready", "the model", LOADED_S)
            assert shown_behind(one, FIRST, "self.").strip()
            one.lua("_G.stages = {}")
        (server,) = servers(run)
        os.kill(server.pid, signal.SIGKILL)
        for one in editors:
            one.until(lambda one=one: lost_and_found(one), "it is lost and found", LOADED_S)
            ghost = shown_behind(one, SECOND, "self.")
            one.keys("<Tab>")
            line = f"        return self.{ghost.splitlines()[0]}"
            one.until(lambda one=one, line=line: one.lines[SECOND] == line, "it is taken")
        (after,) = servers(run)
        assert after.pid != server.pid
    finally:
        for one in editors:
            one.close()
