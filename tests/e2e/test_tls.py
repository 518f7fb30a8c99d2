"""A server that other machines could reach, as processes: how it is started, and who may use it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from completion.wire.environment import child_environment
from lsp.session import LspSession, lsp_command
from tests.certificates import make

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="modes of files"),
]

ALICE = "a" * 32


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("tls"))
    for name, text in (("tokens", f"alice {ALICE}\n"), ("token", ALICE), ("wrong", "b" * 32)):
        (folder / name).write_text(text + "\n")
        (folder / name).chmod(0o600)
    return folder


@pytest.fixture
def environment(tmp_path):
    """Of a user who has configured nothing."""
    return {
        **child_environment(), "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }  # fmt: skip


def command(*words):
    return [sys.executable, "-m", "completion.cli", *words]


@asynccontextmanager
async def served(environment, *words):
    """Yield the address of a service on every address of this machine."""
    process = await asyncio.create_subprocess_exec(
        *command("serve", "--engine", "fake", "--listen", "0.0.0.0:0", *words),
        stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    try:
        port = 0
        async for line in process.stderr:
            entry = json.loads(line)
            if entry["event"] == "listening":
                port = int(entry["address"].rpartition(":")[2])
            if entry["event"] == "serving":
                break
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.communicate()


def protected(files):
    return (
        "--tls-cert", str(files / "server.pem"), "--tls-key", str(files / "server.key"),
        "--token-file", str(files / "tokens"),
    )  # fmt: skip


def known(files, named="token"):
    """Return what a client sets."""
    return {
        "CARET_CLIENT_TLS_CA": str(files / "ca.pem"),
        "CARET_CLIENT_TOKEN_FILE": str(files / named),
    }


async def run(environment, *words):
    done = await asyncio.to_thread(
        subprocess.run, command(*words), env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no TLS (--tls-cert, --tls-key) and no tokens (--token-file)"),
        (("--tls-cert", "server.pem", "--tls-key", "server.key"), "no tokens (--token-file)"),
        (("--token-file", "tokens"), "no TLS"),
        (("--insecure", "--token-file", "server.pem"), "may be read by others"),
        (("--insecure", "--tls-cert", "server.pem", "--tls-key", "alice.key"), "no certificate"),
    ],
)
async def test_what_is_open_to_others_without_both_is_refused_in_one_line(
    files, environment, words, said
):
    words = [str(files / word) if (files / word).exists() else word for word in words]
    listen = ("serve", "--engine", "fake", "--listen", "0.0.0.0:0")
    status, _, err = await run(environment, *listen, *words)
    lines = [line for line in err.splitlines() if not line.startswith("{")]
    assert status == 2
    assert len(lines) == 1
    assert said in lines[0]


async def test_at_one_s_own_risk_it_is_served_in_clear_text(files, environment, tmp_path):
    (tmp_path / "a.py").write_text("x = ")
    async with served(environment, "--insecure") as address:
        place = f"{tmp_path}/a.py:1:5"
        status, out, _ = await run(environment, "complete", place, "--server", address)
    assert (status, out) == (0, "value = compute(value)\n")


async def test_each_command_shows_its_token_over_tls(files, environment, tmp_path):
    (tmp_path / "a.py").write_text("x = ")
    place = f"{tmp_path}/a.py:1:5"
    with_both = {**environment, **known(files)}
    async with served(environment, *protected(files)) as address:
        server = ("--server", address)
        assert await run(with_both, "complete", place, *server) == (
            0,
            "value = compute(value)\n",
            "",
        )
        status, out, _ = await run(with_both, "explain", place, *server, "--json")
        assert status == 0
        assert json.loads(out)["response"]["candidates"]
        wrong = {**environment, **known(files, "wrong")}
        for case, said in (
            ({**environment, "CARET_CLIENT_TLS_CA": str(files / "ca.pem")}, "client.token_file"),
            (wrong, "none of this server's"),
            (environment, "no completion server answers"),
            ({**with_both, "CARET_CLIENT_TLS_CA": str(files / "other.pem")}, "handshake"),
        ):
            status, out, err = await run(case, "complete", place, *server)
            assert status == 1
            assert out == ""
            assert said in err
            assert len(err.splitlines()) == 1


@asynccontextmanager
async def editor(environment, address, root):
    async with LspSession(lsp_command("--server", address), environment=environment) as session:
        await session.initialize(root)
        yield session


async def test_an_editor_completes_over_tls_with_its_token(files, environment, tmp_path):
    async with (
        served(environment, *protected(files)) as address,
        editor({**environment, **known(files)}, address, tmp_path) as session,
    ):
        await session.ready()
        uri = session.open(tmp_path / "a.py", "x = ")
        shown = await session.complete(uri, 0, 4, triggerKind=1)
        assert shown.text == "value = compute(value)"
        assert not [m for m in session.notifications if m["method"] == "window/showMessage"]
        assert await session.shutdown() == 0


async def test_an_editor_whose_token_is_refused_says_so_once(files, environment, tmp_path):
    wrong = {**environment, **known(files, "wrong")}
    async with (
        served(environment, *protected(files)) as address,
        editor(wrong, address, tmp_path) as session,
    ):
        uri = session.open(tmp_path / "a.py", "x = ")
        told = asyncio.create_task(
            session.notification(lambda m: m["method"] == "window/showMessage")
        )
        while not told.done():
            await session.complete(uri, 0, 4, triggerKind=1)
        for _ in range(3):
            await session.complete(uri, 0, 4, triggerKind=1)
        said = [m for m in session.notifications if m["method"] == "window/showMessage"]
        assert await session.shutdown() == 0
    assert len(said) == 1
    assert "none of this server's" in told.result()["params"]["message"]


async def test_neither_workspace_nor_editor_settings_say_where_a_token_goes(
    files, environment, tmp_path
):
    names = ("token_file", "tls_ca", "tls_cert", "tls_key", "server")
    (tmp_path / ".caret.toml").write_text(
        "[client]\n" + "".join(f'{name} = "/evil/{name}"\n' for name in names)
    )
    async with (
        served(environment, *protected(files)) as address,
        editor({**environment, **known(files)}, address, tmp_path) as session,
    ):
        await session.ready()
        session.notify("workspace/didChangeConfiguration", {
            "settings": {"caret": {name: f"/evil/{name}" for name in names}},
        })  # fmt: skip
        uri = session.open(tmp_path / "a.py", "x = ")
        shown = await session.complete(uri, 0, 4, triggerKind=1)
        assert shown.text == "value = compute(value)"
        said = [
            m["params"]["message"] for m in session.notifications
            if m["method"] == "window/showMessage"
        ]  # fmt: skip
        assert await session.shutdown() == 0
    for name in names:
        assert sum(f"client.{name} cannot be set by a workspace" in one for one in said) >= 1, said


async def test_a_server_of_one_s_own_needs_nothing_of_what_others_need(
    files, environment, tmp_path
):
    """What the user's public server is configured with is not the private one's."""
    config = tmp_path / "config" / "caret"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(
        f'[server]\nlisten = "0.0.0.0:1"\ntoken_file = "{files}/tokens"\n'
        f'tls_cert = "{files}/server.pem"\ntls_key = "{files}/server.key"\n'
        f'tls_client_ca = "{files}/ca.pem"\n'
    )
    (tmp_path / "a.py").write_text("x = ")
    words = ("--serve-arg=--engine", "--serve-arg=fake", "--own-server")
    async with LspSession(lsp_command(*words), environment=environment) as session:
        await session.initialize(tmp_path)
        await session.ready()
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4, triggerKind=1)).text
        assert await session.shutdown() == 0


async def test_a_container_asks_for_its_health_over_tls_and_without_a_token(environment, files):
    async def probe(*words):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "completion.wire.probe", *words,
            stderr=subprocess.PIPE, env=environment,
        )  # fmt: skip
        said = (await process.communicate())[1].decode()
        return process.returncode, said

    async with served(environment, *protected(files)) as address:
        assert await probe(address, "--tls-ca", str(files / "ca.pem")) == (0, "")
        for words in ((), ("--tls-ca", str(files / "other.pem"))):
            status, said = await probe(address, *words)
            assert status == 1
            assert len(said.splitlines()) == 1
    status, said = await probe(address, "--tls-ca", str(files / "absent.pem"))
    assert status == 1
    assert "tls_ca" in said
