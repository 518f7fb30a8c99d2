"""From the last key to ghost text on the screen, in each editor: ``python -m tests.e2e.measure_seen``.

Functions of real files (``caret eval build replay``) are typed into Neovim and VS Code at 60 ms a key.
Behind each line end, and behind so many keys, the typist pauses and looks; nothing is ever taken. One
service on the bundled model, the editors one after the other. In Neovim a text is seen when the redraw
that holds it ends, in VS Code behind the frame that paints it. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from completion.wire.own_server import OwnServer
from eval.item import Item, to_text
from eval.metrics.latency import percentile
from eval.replay.in_time import Pace
from eval.suites.replay import Replay
from tests.e2e import install_neovim, install_vscode
from tests.e2e.neovim import GHOST, Editor
from tests.e2e.vscode.workbench import Workbench

NEOVIMS = (("0.12", "builtin"), ("0.12", "extmarks"), ("0.10", "extmarks"))
PLAIN = {
    "editor.autoClosingBrackets": "never",
    "editor.autoClosingQuotes": "never",
    "editor.autoIndent": "none",
    "editor.suggestOnTriggerCharacters": False,
    "editor.acceptSuggestionOnEnter": "off",
    "caret.timeoutMs": 60_000,
}
"""A text that is typed comes out as it is."""

_CLOCK = """
local shown = ...
local state = { key = 0, before = '', seen = nil, text = '' }
_G.caret_seen = state
local function ghost()
  local found = loadstring(shown)()
  local texts = {}
  for _, one in ipairs(found) do texts[#texts + 1] = one.text end
  return table.concat(texts, '\\n')
end
vim.on_key(function()
  state.key, state.before, state.seen, state.text = vim.uv.hrtime(), ghost(), nil, ''
end)
vim.api.nvim_set_decoration_provider(vim.api.nvim_create_namespace('measure'), {
  on_end = function()
    if state.key == 0 or state.seen then return end
    local text = ghost()
    if text ~= '' and text ~= state.before then state.seen, state.text = vim.uv.hrtime(), text end
  end,
})
"""
_SEEN = """
local state = _G.caret_seen
if not state.seen then return vim.NIL end
local through = state.before ~= '' and state.before:find(state.text, 1, true) ~= nil
return { ms = (state.seen - state.key) / 1e6, through = through }
"""


def typed_in_time(
    text: str, press: Callable[[str], None], seen: Callable[[], dict[str, Any] | None], pace: Pace
) -> Iterator[dict[str, Any] | None]:
    """Type; yield what was seen in each pause."""
    since, due = 0, time.monotonic()
    for index, key in enumerate(text):
        time.sleep(max(due - time.monotonic(), 0.0))
        due = time.monotonic() + pace.key_s
        press(key)
        since += 1
        if (since < pace.keys and key != "\n") or index == len(text) - 1:
            continue
        time.sleep(pace.pause_s)
        yield seen()
        since, due = 0, time.monotonic()


def figures(pauses: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Return what was seen, in milliseconds."""
    out: dict[str, Any] = {"pauses": len(pauses)}
    for name, through in (("asked", False), ("typed_through", True)):
        times = [one["ms"] for one in pauses if one and one["through"] is through]
        out[f"{name}_n"] = len(times)
        for percent in (50, 95) if times else ():
            out[f"{name}_p{percent}_ms"] = round(percentile(times, percent), 1)
    return out


def in_neovim(
    arm: tuple[str, str], items: list[Item], server: str, folder: Path, pace: Pace
) -> dict[str, Any]:
    """Type the items into one Neovim."""
    version, engine = arm
    editor = Editor(install_neovim.install(version), folder, server, options={"engine": engine})
    pauses: list[dict[str, Any] | None] = []
    try:
        editor.nvim.ui_attach(120, 40, rgb=True)
        editor.lua(_CLOCK, GHOST)
        for number, item in enumerate(items):
            above, below = to_text(item.prefix), to_text(item.suffix)
            editor.open(f"{number}/{Path(item.path).name}", above + below)
            editor.nvim.command("setlocal noautoindent nosmartindent nocindent indentexpr=")
            row = above.count("\n")
            editor.insert_at(row, len(above.rpartition("\n")[2].encode()))
            pauses += typed_in_time(
                to_text(item.reference),
                lambda key: editor.keys({"\n": "<CR>", "<": "<lt>"}.get(key, key)),
                lambda: editor.lua(_SEEN), pace,
            )  # fmt: skip
            wanted = (above + to_text(item.reference) + below).split("\n")
            editor.until(lambda wanted=wanted: editor.lines == wanted[:-1], "it is all typed")
    finally:
        editor.close()
    return figures(pauses)


def in_vscode(items: list[Item], server: str, folder: Path, pace: Pace) -> dict[str, Any]:
    """Type the items into one workbench."""
    tools = install_vscode.tools()
    vsix = folder / "caret.vsix"
    install_vscode.package(vsix)
    machine = {
        "caret.command": [sys.executable, "-P", "-m", "completion.cli"], "caret.server": server,
    }  # fmt: skip
    pauses: list[dict[str, Any] | None] = []
    with Workbench(tools, vsix, folder, machine=machine, settings=PLAIN) as workbench:
        for number, item in enumerate(items):
            above, below = to_text(item.prefix), to_text(item.suffix)
            place = (above.count("\n") + 1, len(above.rpartition("\n")[2]) + 1)
            name = f"{number}/{Path(item.path).name}"
            path = workbench.show(name, above + below, at=place)
            workbench.status_becomes("ready")
            workbench.ask("wait", selector=".editor-instance .view-lines")
            workbench.ask("clock")
            pauses += typed_in_time(
                to_text(item.reference),
                lambda key: workbench.press("Enter") if key == "\n" else workbench.type(key),
                lambda: workbench.ask("seen"), pace,
            )  # fmt: skip
            saved = workbench.saved(path, above + below)
            if saved.rstrip("\n") != (above + to_text(item.reference) + below).rstrip("\n"):
                raise AssertionError(f"{name} is not what was typed")
    return figures(pauses)


async def measure(items: list[Item], which: list[str], pace: Pace) -> dict[str, Any]:
    """Return the figures of each editor."""
    found: dict[str, Any] = {}
    async with OwnServer() as own:
        with ExitStack() as stack:
            for arm in NEOVIMS if "neovim" in which else ():
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="caret-")))
                name = " ".join(("Neovim", *arm))
                sys.stderr.write(f"typing into {name}\n")
                found[name] = await asyncio.to_thread(
                    in_neovim, arm, items, str(own.address), folder, pace
                )
            if "vscode" in which:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="caret-")))
                sys.stderr.write("typing into VS Code\n")
                found["VS Code"] = await asyncio.to_thread(
                    in_vscode, items, str(own.address), folder, pace
                )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="items of `caret eval build replay`")
    parser.add_argument("--files", type=int, default=3)
    parser.add_argument("--editor", action="append", choices=["neovim", "vscode"])
    args = parser.parse_args()
    items = Replay().load(args.data).items[: args.files]
    found = asyncio.run(measure(items, args.editor or ["neovim", "vscode"], Pace()))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
