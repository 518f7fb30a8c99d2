"""A word that stands in a document, a workspace and a prompt, and in nothing that is kept of them.

A whole session is made with real processes; then logs, metrics, the feedback store, the kept index,
caches and what crashes wrote are searched for the word. File names are no source text: the index has
them, to find the definition again.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import socket
import sqlite3
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lsp.context.index.store import FILE as INDEX
from lsp.feedback.messages import COMMAND, DISMISSED, PARTLY_ACCEPTED, SHOWN
from lsp.feedback.store import read
from lsp.session import LspSession, lsp_command

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="a server of its own needs unix sockets"),
]

WORD = "zyxcanary7731"
FORMS = (
    WORD.encode(), WORD.upper().encode(), WORD.encode("utf-16-le"), WORD[::-1].encode(),
    WORD.encode().hex().encode(), base64.b64encode(WORD.encode())[:-4], WORD[3:].encode(),
)  # fmt: skip
OTHER = f'"""About {WORD}."""\n\n\ndef {WORD}_made(size):\n    """{WORD}"""\n    return "{WORD}"\n'
OPEN = (
    f"import other\n\n# {WORD}\n{WORD}_value = other.{WORD}_made(1)\ndef use():\n"
    f"    return {WORD}_val"
)
CRASHES = """
import asyncio, os, sys

words = getattr(sys, "orig_argv", [])
crash, quoted = os.environ.get("CRASH", ""), os.environ.get("QUOTED", "")


def boom(*args, **more):
    raise ValueError(f"cannot read {quoted!r}\\n{quoted}")


async def unwaited():
    boom()


if "serve" in words and crash == "handler":
    from completion.server.completer import Completer

    Completer.build = boom
if "serve" in words and crash == "task":
    from completion.server.completer import Completer

    build = Completer.build

    def building(self, *args, **more):
        asyncio.ensure_future(unwaited())
        asyncio.get_running_loop().call_soon(boom)
        return build(self, *args, **more)

    Completer.build = building
if "serve" in words and crash == "process":
    from completion.engine.fake import FakeEngine

    FakeEngine.alive = boom
if "lsp" in words and crash == "editor":
    import lsp.server

    lsp.server.complete = boom
if crash == "engine" and any("multiprocessing" in word for word in words):  # the engine core
    import completion.healing.rows

    def fail(*args, **more):
        raise ValueError("of tokens, for it knows no text")

    completion.healing.rows.law_of = fail
"""
"""Put into each process: failures that quote the text they were at, as errors of libraries do."""


class Home:
    """A user's folders, the project among them, and all that may be written outside of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "other.py").write_text(OTHER)
        (self.project / "more.js").write_text(f"export function {WORD}() {{ return 1; }}\n")
        (self.project / "open.py").write_text(OPEN)
        (folder / "inject").mkdir()
        (folder / "inject" / "sitecustomize.py").write_text(CRASHES)
        (folder / "run").mkdir(mode=0o700)
        self.environment = {
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONPATH": os.pathsep.join(
                filter(None, (str(folder / "inject"), os.environ.get("PYTHONPATH")))
            ),
            "CARET_CLIENT_TIMEOUT_MS": "600000",
        }
        (folder / "tmp").mkdir()
        self.written = b""
        """What did not go into files: standard error, metrics."""

    @contextlib.asynccontextmanager
    async def editor(
        self, *words: str, crash: str = "", shared: bool = True, ready: bool = True
    ) -> Any:
        serve = [f"--serve-arg={word}" for word in words]
        own = [] if shared else ["--own-server"]
        environment = {**self.environment, "CRASH": crash, "QUOTED": OPEN}
        command = lsp_command("--log-level", "debug", *own, *serve)
        async with LspSession(command, environment=environment) as session:
            await session.initialize(self.project, capabilities={})
            if ready:
                await session.ready()
            yield session
        self.written += session.stderr

    def kept(self) -> dict[str, bytes]:
        """Everything outside of the project that is a file or was written to a pipe."""
        found = {"standard error and metrics": self.written}
        for path in self.folder.rglob("*"):
            if path.is_file() and self.project not in path.parents:
                found[str(path.relative_to(self.folder))] = path.read_bytes()
        return found


@pytest.fixture
def home() -> Iterator[Home]:
    folder = Path(tempfile.mkdtemp(prefix="c-"))  # short: a socket's path has 107 bytes
    yield Home(folder)
    shutil.rmtree(folder, ignore_errors=True)


async def indexed(home: Home, count: int) -> None:
    """Return once the kept index has so many files."""
    while True:
        for path in (home.folder / "cache" / "caret" / "index").glob(f"*/{INDEX}"):
            with contextlib.suppress(sqlite3.Error):
                db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
                with contextlib.closing(db):
                    if db.execute("SELECT count(*) FROM files").fetchone()[0] >= count:
                        return
        await asyncio.sleep(0.05)


def scraped(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return answer.read()


async def use(session: LspSession, home: Home) -> None:
    """Do with it what an editor can, and what none should."""
    path = home.project / "open.py"
    uri = session.open(path, OPEN)
    line, column = OPEN.count("\n"), len(OPEN.rpartition("\n")[2])
    place = {"line": line, "character": column}
    shown = await session.complete(uri, line, column, triggerKind=1)
    (item, *_) = shown.items
    identity, candidate = item["command"]["arguments"]
    about = {"completionId": identity, "candidate": candidate}
    session.notify(SHOWN, {**about, "visibleMs": 900})
    session.notify(PARTLY_ACCEPTED, {**about, "acceptedLength": 1})
    session.notify(DISMISSED, {**about, "reason": f"because of {WORD}"})
    session.change(uri, 2, {"range": {"start": place, "end": place}, "text": item["insertText"]})
    await session.request("workspace/executeCommand", {
        "command": COMMAND, "arguments": [identity, candidate],
    })  # fmt: skip
    await session.names(uri, line, column)
    where = {"textDocument": {"uri": uri}, "position": place}
    assert WORD in (await session.request("caret/explain", where))["markdown"]
    # What is wrong, and quotes the document.
    session.notify("textDocument/didChange", {"textDocument": WORD, "contentChanges": OPEN})
    session.notify("workspace/didChangeConfiguration", {"settings": {"caret": {WORD: OPEN}}})
    session.notify("caret/unknown", {WORD: OPEN})
    session.write(f"Content-Length: 9\r\n\r\n{WORD[:9]}".encode())
    for method in ("workspace/executeCommand", "caret/unknown", "textDocument/inlineCompletion"):
        _, answer = session.send(method, {"command": WORD, "arguments": [OPEN], "position": OPEN})
        await answer
    session.notify("textDocument/didSave", {"textDocument": {"uri": uri}, "text": OPEN})
    session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def nothing_is_kept(home: Home) -> None:
    told = {
        where: [line[:200] for line in data.splitlines() if any(form in line for form in FORMS)]
        for where, data in home.kept().items()
        if any(form in data for form in FORMS)
    }
    assert not told


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


FAKE = ("--engine", "fake", "--log-level", "debug")


@pytest.mark.parametrize(
    "words",
    [FAKE, pytest.param(("--log-level", "debug"), marks=pytest.mark.engine)],
    ids=["fake", "bundled"],
)
async def test_a_whole_session_leaves_no_word_of_the_source(home, words):
    port = free_port()
    metrics = ("--metrics", f"127.0.0.1:{port}")
    async with home.editor(*words, *metrics) as session:
        await use(session, home)
        await indexed(home, 3)
        home.written += await asyncio.to_thread(scraped, port)
        assert await session.shutdown() == 0
    kept = home.kept()
    assert any(name.startswith("state/caret/serve-") and data for name, data in kept.items())
    assert any(name.endswith(INDEX) for name in kept)
    assert b"caret_requests_total" in home.written
    assert list(read(home.folder / "state" / "caret" / "feedback.sqlite3"))
    nothing_is_kept(home)


@pytest.mark.parametrize("crash", ["handler", "task", "editor"])
@pytest.mark.parametrize("shared", [True, False])
async def test_what_fails_in_between_is_logged_by_its_kind_alone(home, crash, shared):
    async with home.editor(*FAKE, crash=crash, shared=shared) as session:
        uri = session.open(home.project / "open.py", OPEN)
        line, column = OPEN.count("\n"), len(OPEN.rpartition("\n")[2])
        for _ in range(2):
            with contextlib.suppress(Exception):
                await session.complete(uri, line, column, triggerKind=1)
        await session.shutdown()
    assert b"ValueError" in b"".join(home.kept().values()), "it did fail"
    nothing_is_kept(home)


@pytest.mark.parametrize("shared", [True, False])
async def test_a_crash_of_the_whole_server_is_told_without_what_it_quotes(home, shared):
    async with home.editor(*FAKE, crash="process", shared=shared, ready=False) as session:
        await session.notification(lambda m: m["method"] == "window/showMessage")
        home.written += repr(session.notifications).encode()
        await session.shutdown()
    assert b"ValueError" in b"".join(home.kept().values()), "it did crash"
    nothing_is_kept(home)


@pytest.mark.engine
async def test_an_engine_that_dies_at_a_prompt_tells_nothing_of_it(home):
    words = ("--log-level", "debug", "--arm", "exact_spm")
    async with home.editor(*words, crash="engine") as session:
        uri = session.open(home.project / "open.py", OPEN)
        line, column = OPEN.count("\n"), len(OPEN.rpartition("\n")[2])
        with contextlib.suppress(Exception):
            await session.complete(uri, line, column, triggerKind=1)
        await session.notification(lambda m: m["method"] == "window/showMessage")
        home.written += repr(session.notifications).encode()
        await session.shutdown()
    written = b"".join(home.kept().values())
    assert b"of tokens, for it knows no text" in written, "it did die of this"
    assert b"Dumping" not in written, "prompts as tokens, the workspace's text as their bytes"
    assert b"caret_mix" not in written
    nothing_is_kept(home)
