"""The VS Code extension in the real workbench, before the real service on the bundled model.

What the model says is not what is tested: ghost text is read from the screen, and the file on disk
must be what was there, what was typed, and what was taken.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e import install_vscode
from tests.e2e.vscode.workbench import Workbench, read, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SAMPLE = '''\
"""Shapes and their areas."""

import math


class Circle:
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius ** 2

    def perimeter(self):
        return 2 * math.pi * self.radius


class Rectangle:
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return '''


@pytest.fixture(scope="module")
def workbench(tools, vsix, tmp_path_factory) -> Iterator[Workbench]:
    home = tmp_path_factory.mktemp("vscode")
    machine = {"caret.command": [sys.executable, "-P", "-m", "completion.cli"]}
    # On a machine under load the model may take its time; what is tested is not how long. A popup
    # takes ghost text away that says another name than the one it has chosen: tested elsewhere.
    settings = {"caret.timeoutMs": 60_000, "caret.popup.enabled": False}
    with Workbench(tools, vsix, home, machine=machine, settings=settings) as one:
        yield one


def ready(workbench: Workbench, name: str, text: str) -> Path:
    path = workbench.open(name, text)
    workbench.status_becomes("ready")
    return path


def servers(workbench: Workbench) -> list[psutil.Process]:
    """`caret lsp`, and the server that it shares, of this workbench only."""
    return [one for one in workbench.processes() if "completion.cli" in words(one)]


def words(process: psutil.Process) -> list[str]:
    """A process's command line; empty once it has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_what_needs_no_vs_code(tools):
    install_vscode.unit_tests()


def test_ghost_text_appears_while_typing_and_tab_takes_it(workbench):
    path = ready(workbench, "shapes.py", SAMPLE)
    workbench.screenshot("opened")
    workbench.type("self.", delay_ms=60)
    ghost = workbench.ghost()
    workbench.screenshot("ghost")
    assert ghost.strip()
    workbench.press("Tab")
    assert workbench.ghost(wait=False) == ""
    assert workbench.saved(path, SAMPLE).startswith(f"{SAMPLE}self.{ghost.splitlines()[0]}")


def test_what_is_typed_of_it_stays_typed_and_the_rest_stays_shown(workbench):
    path = ready(workbench, "through.py", SAMPLE)
    workbench.type("self.", delay_ms=60)
    ghost = workbench.ghost()
    typed, rest = ghost[:3], ghost[3:]
    workbench.type(typed, delay_ms=30)
    until(lambda: workbench.ghost(wait=None).startswith(rest[:1]), "the rest is shown")
    shown = workbench.ghost()
    workbench.press("Tab")
    assert workbench.saved(path, SAMPLE).startswith(f"{SAMPLE}self.{typed}{shown.splitlines()[0]}")


def test_a_word_is_taken_at_a_time(workbench):
    path = ready(workbench, "words.py", SAMPLE)
    workbench.type("self.", delay_ms=60)
    ghost = workbench.ghost()
    typed = f"{SAMPLE}self."
    assert workbench.saved(path, SAMPLE) == typed
    workbench.press("Control+ArrowRight")
    taken = workbench.saved(path, typed).removeprefix(typed)
    assert taken and ghost.startswith(taken) and re.fullmatch(r"\w+\W*|\W+\w*", taken)


def test_with_several_cursors_only_what_is_typed_comes_in(workbench):
    text = "first = 1\nsecond = 2\nthird = 3\n"
    path = ready(workbench, "cursors.py", text)
    workbench.press("Control+Home", "End")
    for _ in range(2):
        workbench.command("Add Cursor Below")
    workbench.press("End")
    workbench.type(" + 40", delay_ms=60)
    workbench.press("Escape", "Escape")
    assert workbench.saved(path, text) == "first = 1 + 40\nsecond = 2 + 40\nthird = 3 + 40\n"


def test_settings_hold_at_once(workbench):
    ready(workbench, "settings.py", SAMPLE)
    assert workbench.suggested()
    workbench.press("Escape")
    workbench.set({"caret.disabledLanguages": ["python"]})
    workbench.status_becomes("disabled for this language")
    workbench.screenshot("off")
    workbench.set({"caret.disabledLanguages": None})
    workbench.status_becomes("ready")
    assert workbench.suggested()


def test_it_is_switched_off_for_the_language_and_on_again_by_commands(workbench):
    ready(workbench, "commands.py", SAMPLE)
    workbench.command("Disable Suggestions for This Language")
    workbench.status_becomes("disabled for this language")
    workbench.command("Disable Suggestions in This File")
    workbench.command("Enable Suggestions Here")
    workbench.status_becomes("ready")
    workbench.command("Disable in This Workspace")
    workbench.status_becomes("Caret is disabled")
    workbench.command("Enable Suggestions Here")
    workbench.status_becomes("ready")
    assert workbench.suggested()


def test_a_completion_is_explained_in_a_document(workbench):
    ready(workbench, "explained.py", SAMPLE)
    workbench.command("Explain This Completion")
    until(
        lambda: any("The prompt, as sent" in one for one in workbench.ask("frames", selector="h2")),
        "the explanation is shown",
    )
    workbench.screenshot("explained")
    shown = " ".join(workbench.ask("frames", selector="body"))
    assert "explained.py, line 23" in shown
    assert "class Rectangle" in shown
    assert "ends there because" in shown


def test_a_server_that_is_killed_comes_back(workbench):
    ready(workbench, "killed.py", SAMPLE)
    before = {one.pid for one in servers(workbench)}
    serve = [one for one in servers(workbench) if "serve" in words(one)]
    assert serve
    os.kill(serve[0].pid, signal.SIGKILL)
    workbench.status_becomes("loading")
    workbench.screenshot("loading")
    workbench.press("Alt+\\")  # asked for while it loads: answered once it has
    workbench.status_becomes("ready")
    assert {one.pid for one in servers(workbench)} != before
    assert workbench.ghost()


def test_a_language_server_that_is_killed_comes_back(workbench):
    ready(workbench, "killed_too.py", SAMPLE)
    lsp = [one for one in servers(workbench) if "lsp" in words(one)]
    for one in lsp:
        os.kill(one.pid, signal.SIGKILL)
    until(
        lambda: any("lsp" in words(one) and one not in lsp for one in servers(workbench)),
        "another one runs",
    )
    workbench.status_becomes("ready")
    assert workbench.suggested()


def test_in_a_notebook_cell_too(workbench):
    cells = [["import math\n"], ["radius = 2\n", "area = math."]]
    notebook = {
        "cells": [
            {"cell_type": "code", "execution_count": None, "id": f"cell{number}", "metadata": {},
             "outputs": [], "source": source}
            for number, source in enumerate(cells)
        ],
        "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    path = workbench.show("cells.ipynb", json.dumps(notebook))
    before = read(path)
    workbench.ask("click", selector=".cell-list-container .code-cell-row >> nth=1 >> .view-lines")
    workbench.press("Control+End")
    workbench.status_becomes("ready")
    ghost = workbench.suggested()
    workbench.screenshot("notebook")
    workbench.press("Tab")
    saved = json.loads(workbench.saved(path, before))
    last = "".join(saved["cells"][1]["source"])
    assert last.startswith(f"radius = 2\narea = math.{ghost.splitlines()[0]}")


def test_without_the_program_it_says_how_to_install_it(tools, vsix, tmp_path):
    machine = {"caret.command": ["no-such-program-as-caret"]}
    with Workbench(tools, vsix, tmp_path, machine=machine, settings={}) as one:
        one.open("a.py", "x = 1\n")
        one.status_becomes("not installed")
        one.ask("wait", selector=".notification-toast:has-text('How to Install')")
        one.screenshot("missing")
        one.ask("click", selector=".notification-toast a:has-text('How to Install')")
        until(
            lambda: any("Install Caret" in text for text in one.ask("frames", selector="h1")),
            "the way to install it is shown",
        )
        one.screenshot("install")


def test_two_windows_share_one_server(workbench):
    ready(workbench, "shared.py", SAMPLE)
    workbench.ask("window", id="caret.caret.caret", wanted="ready")
    running = [words(one) for one in servers(workbench)]
    assert sum("lsp" in one for one in running) >= 2
    assert sum("serve" in one for one in running) == 1
