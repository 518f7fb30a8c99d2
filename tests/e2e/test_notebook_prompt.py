"""A notebook's last cell through a real `caret lsp` and a real model: the other cells are in its prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp.session import LspSession, lsp_command

pytestmark = pytest.mark.e2e

ABOVE = [
    ("python", "import csv\n\nLIMIT = 12\n"),
    ("markdown", "Rows are read here."),
    ("python", "def load_rows(path):\n    return list(csv.reader(open(path)))\n"),
]
LAST = ("python", "rows = load_")


async def prompt_tokens(session, path: Path, cells) -> int:
    """Ask at the end of the last cell; return how long the prompt was."""
    uris = session.open_notebook(path, cells)
    heard = len(session.notifications)
    await session.complete(uris[-1], 0, len(LAST[1]), triggerKind=1)
    told = [n["params"] for n in session.notifications[heard:] if n["method"] == "caret/timings"]
    session.close_notebook(path, uris)
    return told[-1]["tokens"]["prompt"]


async def test_the_last_cells_prompt_has_the_other_cells(service, tmp_path):
    environment = {
        "XDG_CONFIG_HOME": str(tmp_path / "none"), "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CARET_CLIENT_TIMEOUT_MS": "600000",
    }  # fmt: skip
    (tmp_path / "w").mkdir()
    path = tmp_path / "w" / "n.ipynb"
    command = lsp_command("--server", str(service.address))
    async with LspSession(command, environment=environment) as session:
        await session.initialize(
            tmp_path / "w", capabilities={"experimental": {"caretTimings": True}}
        )
        await session.ready()
        alone = await prompt_tokens(session, path, [LAST])
        with_others = await prompt_tokens(session, path, [*ABOVE, LAST])
    others = sum(len(text) for language, text in ABOVE if language == "python")
    assert with_others - alone > others / 8, "a token has some three characters of code"
