"""Two real `caret serve`, killed, stopped and started under load, before clients of both."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import sys

import pytest

from completion.wire.rendezvous import ranked
from lsp.client import Listener
from lsp.replicas import Replicas
from tests.e2e.processes import Line, Served, ask, lsp_before, served

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and unix sockets"),
]

DOCUMENTS = [f"src/module_{n}.py" for n in range(24)]
CLIENTS = 12
TIMEOUT_S = 60.0


class Load:
    """Clients that ask on and on, in turn for one candidate whole and in lines."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas
        self.answered = 0
        self.failed: list[str] = []
        self._more = asyncio.Event()

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._ask_on(n)) for n in range(CLIENTS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def more(self, count: int) -> None:
        """Wait until so many further requests have been answered."""
        wanted = self.answered + count
        while self.answered < wanted and not self.failed:
            self._more.clear()
            await self._more.wait()

    async def _ask_on(self, client: int) -> None:
        for number in itertools.count():
            request = ask(DOCUMENTS[(client + number) % len(DOCUMENTS)])
            if number % 2:
                answer = await self._replicas.complete(request, timeout_s=TIMEOUT_S)
                fine = answer is not None and bool(answer.candidates)
            else:
                stream = self._replicas.stream(request, timeout_s=TIMEOUT_S)
                chunks = [chunk async for chunk in stream]
                fine = bool(chunks) and chunks[-1].done
            self.answered += fine
            if not fine:
                self.failed.append(f"{request.document.path}, {'whole' if number % 2 else 'lines'}")
            self._more.set()


@contextlib.asynccontextmanager
async def both(*servers: Served | Line):
    replicas = Replicas([str(one.address) for one in servers], Listener())
    replicas.start()
    await ready(replicas, True, True)
    try:
        yield replicas
    finally:
        await replicas.close()


async def ready(replicas: Replicas, *wanted: bool) -> None:
    while tuple(link.is_ready for link in replicas.links) != wanted:
        await asyncio.sleep(0.005)


def asked(server: Served) -> float:
    return server.count("caret_requests_total")


async def test_each_document_is_asked_about_at_its_own_server_alone(tmp_path):
    async with served(tmp_path) as one, served(tmp_path) as other, both(one, other) as replicas:
        names = [str(one.address), str(other.address)]
        mine = sum(ranked(path, names)[0] == 0 for path in DOCUMENTS)
        assert 0 < mine < len(DOCUMENTS)
        for path in DOCUMENTS * 5:
            assert await replicas.complete(ask(path), timeout_s=TIMEOUT_S)
        assert asked(one) == 5 * mine
        assert asked(other) == 5 * (len(DOCUMENTS) - mine)


async def test_one_killed_under_load_costs_no_client_an_answer_and_gets_its_documents_back(
    tmp_path,
):
    words = ("--fake-delay-ms", "2", "--max-queued", "200")
    listen = f"unix:{tmp_path}/one"
    async with (
        served(tmp_path, *words, listen=listen) as one,
        served(tmp_path, *words) as other,
        both(one, other) as replicas,
        Load(replicas) as load,
    ):
        await load.more(100)
        one.process.kill()
        await load.more(100)
        assert load.failed == []
        assert [link.is_ready for link in replicas.links] == [False, True]
        async with served(tmp_path, *words, listen=listen) as again:
            await ready(replicas, True, True)
            await load.more(100)
            assert asked(again) > 0
            other.process.send_signal(signal.SIGTERM)
            assert await other.ended() == 0
            await load.more(100)
        assert load.failed == []


async def test_one_whose_line_goes_dead_is_passed_over_after_the_first_silence(tmp_path):
    async with (
        served(tmp_path) as one,
        served(tmp_path) as other,
        Line(one.address) as line,
        both(line, other) as replicas,
    ):
        names = [str(line.address), str(other.address)]
        path = next(path for path in DOCUMENTS if ranked(path, names)[0] == 0)
        assert await replicas.complete(ask(path), timeout_s=TIMEOUT_S)
        line.die()
        assert await replicas.complete(ask(path), timeout_s=0.2) is None
        await ready(replicas, False, True)
        assert await replicas.complete(ask(path), timeout_s=TIMEOUT_S)
        line.live()
        await ready(replicas, True, True)
        before = asked(one)
        assert await replicas.complete(ask(path), timeout_s=TIMEOUT_S)
        assert asked(one) == before + 1


async def test_an_editor_goes_on_when_the_server_of_its_document_is_gone(tmp_path):
    async with served(tmp_path) as one, served(tmp_path) as other:
        servers = [one, other]
        names = [str(server.address) for server in servers]
        async with lsp_before(", ".join(names), tmp_path) as session:
            await session.initialize(tmp_path)
            await session.ready()
            while not all(asked(server) for server in servers):  # its workspace is in step
                await asyncio.sleep(0.01)
            uri = session.open(tmp_path / "a.py", "x = ")
            assert (await session.complete(uri, 0, 4)).items
            first = servers[ranked("a.py", names)[0]]
            while not first.count("caret_requests_total", method="StreamComplete"):
                await asyncio.sleep(0.01)  # counted when it is whole
            first.process.kill()
            first.process.wait()
            session.change(uri, 2, {"text": "y = "})
            assert (await session.complete(uri, 0, 4)).items
            assert await session.shutdown() == 0
