"""What sharing rests on: names, locks, what listens, and systems that have none of it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.errors import CaretError
from completion.wire import shared_server
from completion.wire.address import Address
from completion.wire.own_server import OwnServer
from completion.wire.server_log import MAX_BYTES, ServerLog
from completion.wire.shared_server import CannotShare, SharedServer, digest, listens
from completion.wire.start_lock import StartLock
from lsp import client

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets and flock")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
       st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))  # fmt: skip
def test_servers_have_one_name_only_if_they_are_asked_for_in_the_same_words(one, other):
    assert (digest(one) == digest(other)) == (one == other)
    assert len(digest(one)) == 16


async def test_the_lock_has_one_holder_and_the_next_gets_it(tmp_path):
    first, second = StartLock(tmp_path / "l"), StartLock(tmp_path / "l")
    await first.acquire(1)
    first.note(4711)
    with pytest.raises(CaretError, match=r"0 s .* \(process 4711\)"):
        await second.acquire(0.05)
    waiting = asyncio.create_task(second.acquire(60))
    await asyncio.sleep(0)
    first.release()
    await waiting
    second.release()


async def test_a_lock_that_is_handed_down_is_held_until_the_child_lets_go(tmp_path):
    lock, other = StartLock(tmp_path / "l"), StartLock(tmp_path / "l")
    await lock.acquire(1)
    code = "import os, sys; sys.stdin.readline(); os.close(int(sys.argv[1])); sys.stdin.readline()"
    child = subprocess.Popen(  # noqa: ASYNC220 - given a descriptor, which asyncio cannot
        [sys.executable, "-c", code, str(lock.fd)], pass_fds=(lock.fd,),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    lock.release()
    with pytest.raises(CaretError, match="has been starting"):
        await other.acquire(0.05)
    assert child.stdin is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    await other.acquire(60)
    child.communicate()
    other.release()


async def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "l").symlink_to(tmp_path / "victim")
    with pytest.raises(CaretError):
        await StartLock(tmp_path / "l").acquire(1)
    assert not (tmp_path / "victim").exists()


def test_only_a_socket_with_a_listener_listens():
    with tempfile.TemporaryDirectory(prefix="c-") as folder:
        path = Path(folder, "s")
        address = Address(path=str(path))
        assert not listens(address)
        path.touch()
        assert not listens(address)
        path.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
            one.bind(address.path)
            assert not listens(address)
            one.listen(0)
            # However many call and are not let in.
            assert [listens(address) for _ in range(5)] == [True] * 5
        assert path.exists() and not listens(address), "left behind by one that died"


def test_a_system_without_locks_has_a_server_of_its_own_and_says_so(monkeypatch):
    monkeypatch.setattr(shared_server, "CAN_LOCK", False)
    with pytest.raises(CannotShare, match="no locks"):
        SharedServer(identity=["x"], idle_s=1)
    warned: list[str] = []
    service = client.Service(shared_idle_s=60.0, listener=client.Listener(warn=warned.append))
    assert isinstance(service._server(), OwnServer)
    assert isinstance(service._server(), OwnServer)
    assert len(warned) == 1 and "server of its own" in warned[0]


def test_the_log_tells_of_the_last_server_only_and_does_not_grow(tmp_path):
    log = ServerLog(tmp_path / "serve-a.log")
    for word in ("one", "two"):
        with log.opened() as file:
            file.write(b'{"event": "listening", "address": "x"}\n')
            file.write(word.encode() + b"\n")
    assert log.lines() == ["two"]
    assert ServerLog(log.path).lines() == ["two"], "also for a client that has not started it"
    with log.opened() as file:
        file.write(b"usage: caret serve\nerror: nonsense\n")
    assert log.lines() == ["usage: caret serve", "error: nonsense"]
    with log.opened() as file:
        file.write(b"x" * (MAX_BYTES + 1))
    with log.opened() as file:
        assert os.fstat(file.fileno()).st_size == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["serve-a.log", "serve-a.log.1"]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    log = ServerLog(tmp_path / "none" / "serve-a.log")
    with log.opened() as file:
        file.write(b"x")
    assert log.lines() == []
