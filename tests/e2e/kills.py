"""Engine, server and language server killed at random moments under a typing client.

    python -m tests.e2e.kills --times 50

Real processes, the bundled model. A key is typed, a request sent and its answer waited for, on and on;
after each kill the typing goes on until something is shown again. Prints a line a kill and one of all
figures; status 1 where a request was neither answered nor failed, or something did not come back.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import psutil

import completion
from completion.errors import CaretError
from lsp.feedback.messages import COMMAND, SHOWN
from lsp.session import LspSession, lsp_command
from tests.e2e.processes import engine_of, environment_of, integrity

KEY_S = 0.12
BACK_S = 180.0
"""How long after a kill something may take to be shown again, in seconds."""
ANSWER_S = 60.0
"""A request that has no answer by then never has one."""
KINDS = ("engine", "server", "language server")
_SOURCES = sorted((Path(completion.__file__).parent / "server").glob("*.py"))


class Typist:
    """One editor after another, for a language server that was killed ends its session."""

    def __init__(self, home: Path, seed: int, words: Sequence[str]) -> None:
        self._home, self._words = home, words
        self._project = home / "project"
        self._project.mkdir()
        self._random = random.Random(seed)
        self._stack = contextlib.AsyncExitStack()
        self._number = 0
        self.session: LspSession
        self.requests = self.answered = self.ended = self.shown = 0

    async def open(self) -> None:
        """Start a language server, and type in a new document."""
        await self._stack.aclose()
        environment = environment_of(self._home)
        self.session = await self._stack.enter_async_context(
            LspSession(lsp_command(*self._words), environment=environment)
        )
        # Nothing from memory: what is shown again comes from the model.
        asks = {"experimental": {"caretAlwaysAsk": True}}
        await self.session.initialize(self._project, capabilities=asks)
        self._begin()

    async def close(self) -> None:
        await self._stack.aclose()

    def _begin(self) -> None:
        """Type another file from somewhere in its middle on."""
        self._number += 1
        self._text = self._random.choice(_SOURCES).read_text()
        self._at = self._random.randrange(len(self._text) // 3, len(self._text) // 2)
        self._uri = self.session.open(
            self._project / f"typed_{self._number}.py", self._text[: self._at]
        )
        self._version = 1

    async def key(self) -> bool:
        """Type a key, ask, and return whether something is shown.

        Raises:
            CaretError: the language server has ended; the request counts as ended by that.
            TimeoutError: there is no answer.
        """
        if self._at >= len(self._text) - 1:
            self._begin()
        before = self._text[: self._at]
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2].encode())}
        self._version += 1
        self.session.change(
            self._uri, self._version,
            {"range": {"start": place, "end": place}, "text": self._text[self._at]},
        )  # fmt: skip
        self._at += 1
        before = self._text[: self._at]
        line, column = before.count("\n"), len(before.rpartition("\n")[2].encode())
        self.requests += 1
        try:
            async with asyncio.timeout(ANSWER_S):
                shown = await self.session.complete(self._uri, line, column)
        except CaretError:
            self.ended += 1
            raise
        self.answered += 1
        for item in shown.items[:1]:
            self.shown += 1
            identity, candidate = item["command"]["arguments"]
            about = {"completionId": identity, "candidate": candidate}
            self.session.notify(SHOWN, {**about, "visibleMs": 100})
            self.session.send(
                "workspace/executeCommand", {"command": COMMAND, "arguments": [identity, candidate]}
            )
        return bool(shown.items)

    async def until_shown(self) -> float:
        """Type until something is shown; return how many seconds that took.

        Raises:
            TimeoutError: it never is.
        """
        began = time.monotonic()
        while time.monotonic() < began + BACK_S:
            try:
                if await self.key():
                    return time.monotonic() - began
            except CaretError:  # the language server was killed: an editor starts the next
                await self.open()
            await asyncio.sleep(KEY_S)
        raise TimeoutError("nothing was shown again")

    async def until(self, over: asyncio.Event) -> None:
        """Type; the request that is under way when it is over is waited for."""
        while not over.is_set():
            await self.key()
            await asyncio.sleep(KEY_S)


def processes(home: Path) -> list[psutil.Process]:
    """The servers whose sockets are in this home."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if "serve" in words and f"unix:{home}" in " ".join(words):
                found.append(process)
    return found


async def kill(kind: str, typist: Typist, home: Path) -> None:
    """Kill one; a server that is just being replaced is waited for."""
    if kind == "language server":
        typist.session.process.kill()
        return
    while True:
        for server in processes(home):
            with contextlib.suppress(psutil.Error, ValueError):
                (engine_of(server) if kind == "engine" else server).kill()
                return
        await asyncio.sleep(KEY_S)


async def run(times: int, seed: int, engine: str) -> int:
    home = Path(tempfile.mkdtemp(prefix="c-"))  # short: a socket's path has 107 bytes
    choice = random.Random(seed)
    words = ("--serve-arg=--engine", f"--serve-arg={engine}")
    kinds = KINDS if engine == "vllm" else KINDS[1:]
    typist = Typist(home, seed, words)
    back: dict[str, list[float]] = defaultdict(list)
    stores: set[str] = set()
    lost = 0
    try:
        await typist.open()
        await typist.until_shown()
        for number in range(times):
            # Each as often as the others; at a moment that has nothing to do with the keys.
            kind = kinds[number % len(kinds)]
            over = asyncio.Event()
            typing = asyncio.create_task(typist.until(over))
            await asyncio.sleep(choice.uniform(0.5, 5.0))
            await kill(kind, typist, home)
            over.set()
            (end,) = await asyncio.gather(typing, return_exceptions=True)
            lost += isinstance(end, TimeoutError)
            try:
                back[kind].append(await typist.until_shown())
            except TimeoutError:
                lost += 1
                print(f"{number + 1}: {kind}: not back within {BACK_S:.0f} s", flush=True)
                continue
            stores.add(integrity(home))
            print(f"{number + 1}: {kind}: shown again after {back[kind][-1]:.1f} s", flush=True)
        await typist.close()
    finally:
        for process in processes(home):
            for one in [process, *process.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    one.kill()
        shutil.rmtree(home, ignore_errors=True)
    figures = {
        "kills": times, "requests": typist.requests, "answered": typist.answered,
        "ended_with_their_language_server": typist.ended,
        "neither": typist.requests - typist.answered - typist.ended, "not_back": lost,
        "shown": typist.shown, "store": sorted(stores),
        "back_s": {
            kind: {"n": len(s), "p50": round(statistics.median(s), 1), "worst": round(max(s), 1)}
            for kind, s in back.items()
        },
    }  # fmt: skip
    print(json.dumps(figures))
    return 1 if lost or figures["neither"] or stores - {"ok"} else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50, metavar="N", help="kills (default 50)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=("vllm", "fake"), default="vllm")
    args = parser.parse_args()
    return asyncio.run(run(args.times, args.seed, args.engine))


if __name__ == "__main__":
    sys.exit(main())
