"""What may not be sent never arrives, and what may not be sent any more is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from completion.config import ClientConfig, Config, ContextConfig, WorkspaceModelConfig
from completion.config_sources import load
from lsp.client import Listener, Service
from tests.lsp.context.workspace import write
from tests.lsp.workspace.keeper import Desk, replaced

KEY = "AK" + "IA" + "Q3EGZ5T7WXN2K4LB"


async def test_keys_are_masked_in_files_and_documents(keeper, tmp_path):
    text = f"KEY = '{KEY}'\nx = 1\n"
    masked = text.replace(KEY, "*" * len(KEY))
    write(tmp_path, {"a.py": text})
    async with Desk(tmp_path, keeper) as desk:
        await keeper.has({"a.py": masked})
        document = desk.open("b.py", "y = 1\n")
        await keeper.has({"a.py": masked, "b.py": "y = 1\n"})
        desk.edit(document, replaced((0, 0), (0, 0), text))
        await keeper.has({"a.py": masked, "b.py": f"{masked}y = 1\n"})
        assert not any(KEY.encode() in text for text in keeper.ever)


async def test_secret_and_ignored_files_never_arrive(keeper, tmp_path):
    write(tmp_path, {
        ".gitignore": "build/\n", ".caretignore": "mine.py\n", "build/a.py": "built\n",
        "mine.py": "mine\n", "id_rsa.py": "rsa\n", "ok.py": "ok\n", "node_modules/m/a.js": "m\n",
    })  # fmt: skip
    async with Desk(tmp_path, keeper) as desk:
        for name in (".env", "mine.py", "build/a.py", "server.pem", "credentials"):
            desk.open(name, "A = 'open and not to be sent'\n")
        desk.open("also.py", "also\n")
        await keeper.has({"ok.py": "ok\n", "also.py": "also\n"})
        assert keeper.ever == {b"ok\n", b"also\n"}


async def test_a_file_sent_before_the_rule_was_written_is_gone_after_it(keeper, tmp_path):
    files = {"private.py": "correcthorse\n", "ok.py": "ok\n", "open_private.py": "battery\n"}
    write(tmp_path, files)
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("open_private.py", "battery\n")
        await keeper.has(files)
        desk.write(".caretignore", "*private.py\n")
        await keeper.has({"ok.py": "ok\n"})
        desk.edit(document, replaced((0, 0), (0, 0), "staple"))
        desk.write("private.py", "correcthorse again\n")
        desk.write("ok.py", "ok 2\n")
        await keeper.has({"ok.py": "ok 2\n"})
        (tmp_path / ".caretignore").unlink()
        desk.tell(".caretignore")
        await keeper.has({
            "ok.py": "ok 2\n", "private.py": "correcthorse again\n",
            "open_private.py": "staplebattery\n",
        })  # fmt: skip


async def test_a_rule_is_seen_where_the_editor_tells_of_no_file(keeper, tmp_path):
    write(tmp_path, {"private.py": "p\n", "ok.py": "ok\n"})
    async with Desk(tmp_path, keeper):
        await keeper.has({"private.py": "p\n", "ok.py": "ok\n"})
        write(tmp_path, {".gitignore": "private.py\n"})
        await keeper.has({"ok.py": "ok\n"})


async def test_a_setting_that_excludes_files_takes_them_away(keeper, tmp_path):
    write(tmp_path, {"private/p.py": "p\n", "ok.py": "ok\n"})
    async with Desk(tmp_path, keeper) as desk:
        await keeper.has({"private/p.py": "p\n", "ok.py": "ok\n"})
        excluded = ContextConfig(excluded_globs=("private/",))
        desk.configure(replace(desk.config, context=excluded))
        await keeper.has({"ok.py": "ok\n"})


@pytest.mark.parametrize(
    "off",
    [
        {"workspace_model": WorkspaceModelConfig(enabled=False)},
        {"context": ContextConfig(enabled=False)},
        {"client": ClientConfig(enabled=False)},
    ],
    ids=lambda off: next(iter(off)),
)
async def test_switched_off_the_server_forgets(keeper, tmp_path, off):
    write(tmp_path, {"a.py": "a\n"})
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("b.py", "b\n")
        await keeper.has({"a.py": "a\n", "b.py": "b\n"})
        (workspace_id,) = keeper.workspaces
        desk.configure(replace(Config(), **off))
        assert desk.workspaces.membership(document) is None
        await keeper.until(lambda keeper: keeper.closed == [workspace_id])
        desk.configure(Config())
        await keeper.has({"a.py": "a\n", "b.py": "b\n"})
        assert workspace_id not in keeper.workspaces


async def test_a_server_elsewhere_gets_nothing_unless_switched_on(keeper, tmp_path, monkeypatch):
    monkeypatch.setattr(Service, "is_local", property(lambda service: False))
    write(tmp_path, {"a.py": "a\n"})
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("b.py", "b\n")
        await desk.service.connection()
        await asyncio.sleep(0.1)
        assert keeper.streams == 0 and desk.workspaces.membership(document) is None
        desk.configure(replace(Config(), workspace_model=WorkspaceModelConfig(remote=True)))
        await keeper.has({"a.py": "a\n", "b.py": "b\n"})


def test_which_servers_are_elsewhere():
    def is_local(address: str) -> bool:
        return Service(address=address, listener=Listener()).is_local

    assert is_local("") and is_local("unix:/run/x") and is_local("127.0.0.1:1")
    assert is_local("[::1]:1") and is_local("localhost:1")
    assert not is_local("10.0.0.1:1") and not is_local("0.0.0.0:1")
    assert not is_local("example.org:1") and not is_local("nonsense")


def test_a_workspace_cannot_switch_it_on(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    user = tmp_path / "user" / "caret" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("[workspace_model]\nenabled = false\n")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / ".caret.toml").write_text(
        "[workspace_model]\nenabled = true\nremote = true\nmax_bytes = 200000000\n"
    )
    loaded = load(workspace, {})
    assert loaded.config.workspace_model == WorkspaceModelConfig(enabled=False)
    assert len(loaded.messages) == 3
