"""A real Neovim with Caret's plugin, driven as a user would: keys go in, ghost text and text come out.

Everything waits for events that Neovim tells of; no time is slept. One thread owns all of it, because
pynvim's event loop is its own; :func:`in_editors_thread` runs a test there.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pynvim
import pytest

from lsp.session import lsp_command
from tests.e2e.install_neovim import Neovim, UnavailableError, install
from tests.e2e.kept import Kept

PLUGIN = Path(__file__).parents[2] / "lsp" / "editors" / "neovim"

ARMS = [("0.12", "builtin"), ("0.12", "extmarks"), ("0.10", "extmarks")]
"""Each version of Neovim with each engine that it has."""
IDS = [" ".join(arm) for arm in ARMS]

_EVENTS = ("InsertEnter", "InsertLeave", "TextChanged", "TextChangedI", "TextChangedP", "CursorMovedI",
           "CompleteChanged", "LspAttach", "LspProgress", "LspRequest", "LspNotify", "User")  # fmt: skip

_TELL = """
local channel, events = ...
local function tell() vim.rpcnotify(channel, 'happened') end
vim.api.nvim_create_autocmd(events, { callback = function() vim.schedule(tell) end })
"""

GHOST = """
local found = {}
for name, id in pairs(vim.api.nvim_get_namespaces()) do
  if name == 'caret' or name == 'nvim.lsp.inline_completion' then
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, id, 0, -1, { details = true })) do
      local lines = { mark[4].virt_text }
      vim.list_extend(lines, mark[4].virt_lines or {})
      for index, line in ipairs(lines) do
        local text = {}
        for _, chunk in ipairs(line) do text[#text + 1] = chunk[1] end
        lines[index] = table.concat(text)
      end
      found[#found + 1] = { row = mark[2], col = mark[3], text = table.concat(lines, '\\n') }
    end
  end
end
return found
"""

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="neovim")


def in_editors_thread(test: Callable[..., None]) -> Callable[..., Any]:
    """Run a test, or what a fixture calls, in the thread that Neovim is driven from."""

    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> Any:
        call = functools.partial(test, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(_THREAD, call)

    return run


class Editor:
    """One Neovim, its language server's process included.

    ``server`` is the address of its service; None: the one that `caret lsp` shares, or starts.
    """

    def __init__(
        self,
        neovim: Neovim,
        folder: Path,
        server: str | None,
        *,
        options: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.engine = f"{neovim.version} {(options or {}).get('engine', 'auto')}"
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        given = {
            "cmd": lsp_command(*(["--server", server] if server else [])),
            "cmd_env": {**_kept_apart(folder), **(environment or {})},
            "filetypes": ["python"],
            **(options or {}),
        }
        self._given = given
        init = folder / "init.lua"
        init.write_text(
            f"vim.opt.runtimepath:prepend({json.dumps(str(PLUGIN))})\n"
            "vim.cmd('filetype on')\n"
            f"require('caret').setup(vim.json.decode({json.dumps(json.dumps(given))}))\n"
        )
        self.nvim = pynvim.attach(
            "child",
            argv=[str(neovim.command), "--embed", "--headless", "--clean", "-n", "-u", str(init)],
        )
        self._pid = self.nvim.funcs.getpid()
        self.nvim.exec_lua(_TELL, self.nvim.channel_id, list(_EVENTS))
        log = Path(self.nvim.funcs.stdpath("log")) / "lsp.log"
        self._kept = Kept(folder / ".state", folder / ".cache", log)

    def set(self, **settings: Any) -> None:
        """Change settings of the server as a user does who sources a changed configuration anew."""
        given = {**self._given, "settings": {**self._given.get("settings", {}), **settings}}
        self.lua("require('caret').setup(vim.json.decode(...))", json.dumps(given))

    def close(self) -> None:
        """End it, and with it its language server; nothing of what was open is left anywhere."""
        with contextlib.suppress(OSError, EOFError):
            self.nvim.command("qall!", async_=False)
        self.nvim.close()
        self._kept.assert_nothing()

    def open(self, name: str, text: str | bytes, *, fileformat: str = "unix") -> None:
        """Edit a file with this text; its language server is attached and ready afterwards."""
        self.edit(name, text, fileformat=fileformat)
        self.until(lambda: self.status == "ready", "the server is ready")

    def edit(self, name: str, text: str | bytes, *, fileformat: str = "unix") -> None:
        """Edit a file with this text, whatever its language server does."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        self._kept.opened(text)
        self.keys("<Esc>")
        self.nvim.command(f"edit! ++ff={fileformat} {path}")

    @property
    def store(self) -> Path:
        """Where its language server keeps what became of suggestions."""
        return self.folder / ".state" / "caret" / "feedback.sqlite3"

    @property
    def status(self) -> str:
        """What the plugin says for a status line."""
        return self.lua("return require('caret').status()")

    def health(self) -> str:
        """What ``:checkhealth`` says of the plugin."""
        self.nvim.command("checkhealth caret")
        report = "\n".join(self.lines)
        self.nvim.command("bwipeout")
        return report

    def lua(self, code: str, *args: Any) -> Any:
        """Run Lua; return what it returns."""
        return self.nvim.exec_lua(code, *args)

    def keys(self, *keys: str) -> None:
        """Type; ``<Esc>`` and its like are keys."""
        for one in keys:
            self.nvim.input(one)

    def insert_at(self, row: int, column: int, typed: str = "") -> None:
        """Go to a zero-based line and byte, begin to insert there, and type."""
        self.keys("<Esc>")
        self.until(lambda: self.nvim.api.get_mode()["mode"] == "n", "normal mode")
        line = self.nvim.current.buffer[row]
        at_end = column >= len(line.encode("utf-8", "surrogateescape"))
        self.nvim.api.win_set_cursor(0, (row + 1, column))
        self.keys("A" if at_end else "i", *typed)
        self.until(
            lambda: self.nvim.api.get_mode()["mode"].startswith("i") and not self._typing(),
            "insert mode",
        )

    def _typing(self) -> bool:
        return self.nvim.api.get_mode()["blocking"]

    @property
    def lines(self) -> list[str]:
        """The buffer's lines."""
        return list(self.nvim.current.buffer[:])

    @property
    def cursor(self) -> tuple[int, int]:
        """Zero-based line and byte of the cursor."""
        row, column = self.nvim.api.win_get_cursor(0)
        return row - 1, column

    @property
    def ghosts(self) -> list[dict[str, Any]]:
        """Each ghost text on the screen, with where it stands."""
        return self.lua(GHOST)

    @property
    def ghost(self) -> str:
        """The ghost text; empty: there is none."""
        found = self.ghosts
        assert len(found) <= 1, found
        return found[0]["text"] if found else ""

    def suggestion(self) -> str:
        """Wait for a ghost text; return it."""
        self.until(lambda: self.ghost != "", "a ghost text")
        return self.ghost

    def no_suggestion(self) -> None:
        """Wait until there is none."""
        self.until(lambda: not self.ghosts, "no ghost text")

    def until(self, holds: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
        """Wait for events until ``holds``; fail after a time that is only there for a broken test."""
        # One that hangs answers nothing any more: it is ended, which whoever waits for it sees.
        hung = threading.Timer(2 * timeout_s, os.kill, (self._pid, signal.SIGKILL))
        hung.start()
        try:
            self._wait(holds, what, timeout_s)
        finally:
            hung.cancel()

    def _wait(self, holds: Callable[[], bool], what: str, timeout_s: float) -> None:
        self.lua(
            "local channel, ms, what = ...; "
            "vim.defer_fn(function() vim.rpcnotify(channel, 'too late', what) end, ms)",
            self.nvim.channel_id, int(timeout_s * 1000), (mark := f"{what} {id(holds)}"),
        )  # fmt: skip
        while not holds():
            message = self.nvim.next_message()
            assert message is not None, "Neovim has ended"
            if message[1] == "too late" and message[2] == [mark]:
                said = self.nvim.command_output("messages")
                raise AssertionError(
                    f"waited in vain for {what}: {self.lines} {self.cursor} {self.ghosts} {said}"
                )


def start(
    arm: tuple[str, str],
    server: str | None,
    folder: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    filetypes: Sequence[str] = ("python",),
    environment: Mapping[str, str] | None = None,
) -> Editor:
    """Start one of :data:`ARMS`; skip the test where this machine cannot have it."""
    version, engine = arm
    try:
        neovim = install(version)
    except UnavailableError as error:
        pytest.skip(f"Neovim {version} cannot be installed here: {error}")
    options = {
        "engine": engine,
        "settings": {"candidates": 3, **(settings or {})},
        "filetypes": list(filetypes),
    }
    return Editor(neovim, folder, server, options=options, environment=environment)


def _kept_apart(folder: Path) -> dict[str, str]:
    """Return variables that keep the user's own files out of a test."""
    return {
        "XDG_CONFIG_HOME": str(folder / "none"),
        "XDG_CACHE_HOME": str(folder / ".cache"),
        "XDG_STATE_HOME": str(folder / ".state"),
        "CARET_CLIENT_TIMEOUT_MS": "600000",
        "PYTHONPATH": str(PLUGIN.parents[2]),
    }
