"""What goes along with a request through a real `caret lsp`, and that the command line sends the same."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from completion.wire import completion_pb2 as pb
from completion.wire.environment import child_environment
from lsp.session import LspSession, lsp_command
from tests.lsp.context.workspace import CURSOR, write

STORE = '''"""Things are kept here."""

class Store:
    """Keeps things."""

    def __init__(self, path: str) -> None:
        self.path = path

    def deposit(self, key: str, value: bytes) -> None:
        raise NotImplementedError
'''
APP = f"""from shop.store import Store

def main():
    store = Store("here")
    store.deposit({CURSOR})
"""
FILES = {
    "pyproject.toml": "",
    "shop/__init__.py": "",
    "shop/store.py": STORE,
    "shop/app.py": APP.replace(CURSOR, ""),
    "shop/prices.py": "def price_of(key: str) -> int:\n    return 3\n",
    ".gitignore": "private.py\n",
    "private.py": "class Store:\n    def deposit(self, hidden): ...\n",
    ".env": "deposit=1\nStore=2\n",
}
LINE, COLUMN = 4, 18
TOLD = {"experimental": {"caretContext": True, "caretAlwaysAsk": True}}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> dict[str, str]:
    """An environment in which nothing of the user's is read or written.

    One for all tests: what jedi keeps of the standard library takes it seconds to make.
    """
    folder = tmp_path_factory.mktemp("home")
    return {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder / "none")}


async def started(session: LspSession, root: Path | None) -> LspSession:
    await session.initialize(root, capabilities=TOLD)
    await session.ready()
    return session


def lsp(service, home) -> LspSession:
    return LspSession(lsp_command("--server", service.address), environment=home)


async def gathered(session, service, path: Path, wanted: str) -> tuple[str, pb.CompleteRequest]:
    """Open `path`, ask until a request takes `wanted` along; return its URI and that request.

    What was sent once stays for a while, so a set that was gathered too early is left behind by
    opening the file anew. Every round waits for a gathering to end, and for no time.
    """
    version = 0
    async with asyncio.timeout(120):
        while True:
            version += 1
            uri = session.open(path, path.read_text(), version=version)
            for _ in range(2):
                heard = len(session.notifications)
                await session.complete(uri, LINE, COLUMN)
                request = service.requests[-1]
                if any(wanted in snippet.text.decode() for snippet in request.snippets):
                    return uri, request
                await told(session, heard)
            session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


async def told(session, heard: int) -> None:
    """Wait for the end of a gathering, after the first `heard` notifications."""
    await session.notification(
        lambda m: (
            m["method"] == "caret/context" and any(m is n for n in session.notifications[heard:])
        )
    )


def texts(request: pb.CompleteRequest) -> dict[str, str]:
    return {one.path: one.text.decode() for one in request.snippets}


async def test_definitions_of_other_files_go_along_and_secrets_do_not(service, home, tmp_path):
    root = write(tmp_path / "w", FILES)
    async with lsp(service, home) as session:
        await started(session, root)
        session.open(root / ".env", FILES[".env"], "dotenv")
        session.open(root / "private.py", FILES["private.py"])
        _, request = await gathered(session, service, root / "shop/app.py", "def deposit(self, key")
    assert request.snippets[-1].path == "shop/store.py"
    assert request.snippets[-1].relevance == 1.0
    for one in service.requests:
        assert not {".env", "private.py"} & set(texts(one))
        assert not any("hidden" in text or "deposit=1" in text for text in texts(one).values())


async def test_the_first_request_waits_for_nothing(service, home, tmp_path):
    root = write(tmp_path / "w", FILES)
    async with lsp(service, home) as session:
        await started(session, root)
        uri = session.open(root / "shop/app.py", FILES["shop/app.py"])
        shown = await session.complete(uri, LINE, COLUMN)
        assert shown.text
        assert not service.requests[0].snippets


async def test_while_a_line_is_typed_the_snippets_stay_as_they_are(service, home, tmp_path):
    root = write(tmp_path / "w", FILES)
    async with lsp(service, home) as session:
        await started(session, root)
        uri, first = await gathered(session, service, root / "shop/app.py", "def deposit(self, key")
        for count, key in enumerate("price_of(store, Other.thing"):
            place = {"line": LINE, "character": COLUMN + count}
            session.change(uri, 2 + count, {"range": {"start": place, "end": place}, "text": key})
            await session.complete(uri, LINE, COLUMN + count + 1)
            assert list(service.requests[-1].snippets) == list(first.snippets)


async def test_an_edit_elsewhere_goes_along(service, home, tmp_path):
    root = write(tmp_path / "w", FILES)
    async with lsp(service, home) as session:
        await started(session, root)
        prices = session.open(root / "shop/prices.py", FILES["shop/prices.py"])
        place = {"line": 1, "character": 11}
        session.change(prices, 2, {"range": {"start": place, "end": place}, "text": "00"})
        _, request = await gathered(session, service, root / "shop/app.py", "def price_of")
    (snippet,) = [one for one in request.snippets if one.path == "shop/prices.py"]
    assert snippet.kind == "recent_edit"
    assert b"return 003" in snippet.text or b"return 300" in snippet.text


async def test_without_a_workspace_folder_nothing_is_read_from_disk(service, home, tmp_path):
    root = write(tmp_path / "w", FILES)
    async with lsp(service, home) as session:
        await started(session, None)
        uri = session.open(root / "shop/app.py", FILES["shop/app.py"])
        heard = session.notification(lambda m: m["method"] == "caret/context")
        await session.complete(uri, LINE, COLUMN)
        await heard
        await session.complete(uri, LINE, COLUMN)
        assert not service.requests[-1].snippets


async def test_context_can_be_switched_off_in_the_editor(service, home, tmp_path):
    root = write(tmp_path / "w", FILES)
    async with lsp(service, home) as session:
        await started(session, root)
        uri, _ = await gathered(session, service, root / "shop/app.py", "class Store")
        session.notify(
            "workspace/didChangeConfiguration",
            {"settings": {"caret": {"context": {"enabled": False}}}},
        )
        await session.complete(uri, LINE, COLUMN)
        assert not service.requests[-1].snippets


async def test_explain_sends_what_the_language_server_sends(service, home, tmp_path):
    root = write(tmp_path / "w", FILES)
    path = root / "shop/app.py"
    async with lsp(service, home) as session:
        await started(session, root)
        _, from_editor = await gathered(session, service, path, "def deposit(self, key")
    done = await explain(service, home, f"{path}:{LINE + 1}:{COLUMN + 1}")
    from_command = service.requests[-1]
    assert list(from_command.snippets) == list(from_editor.snippets)
    assert from_command.document.path == from_editor.document.path == "shop/app.py"
    assert from_command.repo_name == from_editor.repo_name == "w"
    assert [one["path"] for one in done["context"]["snippets"]] == list(texts(from_editor))
    alone = await explain(service, home, f"{path}:{LINE + 1}:{COLUMN + 1}", "--no-context")
    assert alone["context"] == {"off": "--no-context"}
    assert not service.requests[-1].snippets


async def explain(service, home, *arguments: str) -> dict:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "completion.cli", "explain", "--json",
        "--server", service.address, *arguments,
        stdout=asyncio.subprocess.PIPE, env={**child_environment(), **home},
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)
