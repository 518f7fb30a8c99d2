"""Configuration as editors give it: pulled, pushed, in `initialize`; and from files."""

from __future__ import annotations

from completion.wire import completion_pb2 as pb
from lsp.session import inline

CHANGE = "workspace/didChangeConfiguration"


def shown(session) -> list[str]:
    return [
        m["params"]["message"] for m in session.notifications if m["method"] == "window/showMessage"
    ]


async def test_settings_are_pulled_and_pulled_again_when_they_change(editor, service, tmp_path):
    async with editor(settings={"enabled": False}) as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        while (await session.complete(uri, 0, 4)).items:
            pass  # until the answer to the pull has been taken
        service.requests.clear()
        session.settings = {"enabled": True}
        session.notify(CHANGE, {"settings": None})
        assert (await session.complete(uri, 0, 4)).items, "what comes right behind waits for them"
        assert service.requests


async def test_what_is_under_way_when_settings_change_is_asked_again(editor, service, tmp_path):
    # VS Code does not ask for the same place again where the answer was nothing.
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        method = "textDocument/inlineCompletion"
        _, kept = session.send(method, inline(uri, 0, 4, triggerKind=1))
        await service.until(lambda s: len(s.requests) == 1)
        session.notify(CHANGE, {"settings": {"lines": "single"}})
        await service.until(lambda s: len(s.requests) == 2)
        assert service.requests[1].options.lines == pb.GenerationOptions.LINES_SINGLE
        service.gate.set()
        assert [one["insertText"] for one in (await kept)["result"]["items"]] == ["done"]
        service.gate.clear()
        uri = session.open(tmp_path / "b.py", "y = ")
        _, off = session.send(method, inline(uri, 0, 4))
        await service.until(lambda s: len(s.requests) == 3)
        session.notify(CHANGE, {"settings": {"enabled": False}})
        assert (await off)["result"] == {"items": []}


async def test_settings_are_pushed_nested_or_flat(editor, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        session.notify(CHANGE, {"settings": {"caret": {"enabled": False}}})
        assert (await session.complete(uri, 0, 4)).items == ()
        session.notify(CHANGE, {"settings": {"enabled": True}})
        assert (await session.complete(uri, 0, 4)).text == "done"
        session.notify(CHANGE, {"settings": {"enabled": False}})
        assert (await session.complete(uri, 0, 4)).items == ()
        session.notify(CHANGE, {"settings": {}})
        assert (await session.complete(uri, 0, 4)).text == "done", "unset is the default again"


async def test_an_editor_cannot_say_where_code_goes_and_is_told_so_once(editor, service, tmp_path):
    elsewhere = {"caret": {"server": "198.51.100.1:1", "no_such": 1}}
    async with editor(options=elsewhere) as session:
        for _ in range(3):
            session.notify(CHANGE, {"settings": elsewhere})
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).text == "done"
        messages = shown(session)
        assert len(messages) == 2
        assert any("server" in message for message in messages)
        assert any("no_such" in message for message in messages)


async def test_a_workspace_file_may_switch_off_but_not_redirect(editor, service, tmp_path):
    (tmp_path / ".caret.toml").write_text(
        '[client]\ndisabled_languages = ["python"]\nserver = "198.51.100.1:1"\n'
    )
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items == ()
        other = session.open(tmp_path / "a.js", "x = ", "javascript")
        assert (await session.complete(other, 0, 4)).text == "done"
        assert len(shown(session)) == 1 and "server" in shown(session)[0]
