"""Feedback through a real `caret lsp` process: what an editor sends, and what then is in the file."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from completion.wire import completion_pb2 as pb
from lsp.feedback.events import Kind
from lsp.feedback.messages import COMMAND, DISMISSED, PARTLY_ACCEPTED, SHOWN
from lsp.feedback.store import read
from lsp.session import LspSession

CANARY = "hunter2_canary"
TEXT = f"# {CANARY}_comment\npassword = \n"
ANSWER = f"{CANARY}_answer('x')"

TWO = {"CARET_CLIENT_CANDIDATES": "2"}
"""With one, the answer comes in lines, and there is no second."""


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / ".state" / "caret" / "feedback.sqlite3"


@pytest.fixture(autouse=True)
def answers(service):
    numbers = itertools.count()

    def answer(request: pb.CompleteRequest) -> pb.CompleteResponse:
        texts = (ANSWER, ANSWER + " or None")
        candidates = [
            pb.Candidate(text=text.encode(), stop_reason=pb.STOP_REASON_SYNTAX) for text in texts
        ]
        return pb.CompleteResponse(completion_id=f"id{next(numbers)}", candidates=candidates)

    service.answer = answer


async def command(session: LspSession, *arguments) -> None:
    await session.request(
        "workspace/executeCommand", {"command": COMMAND, "arguments": [*arguments]}
    )


async def offered(session: LspSession, tmp_path: Path, name: str = "a.py") -> dict:
    uri = session.open(tmp_path / name, TEXT)
    return (await session.complete(uri, 1, 11)).items[0]


async def use(session: LspSession, tmp_path: Path) -> None:
    """Suggest, show, take in part, take whole, dismiss."""
    item = await offered(session, tmp_path)
    identity, candidate = item["command"]["arguments"]
    about = {"completionId": identity, "candidate": candidate}
    session.notify(SHOWN, {**about, "visibleMs": 900})
    session.notify(PARTLY_ACCEPTED, {**about, "acceptedLength": 7})
    place = {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 11}}
    uri = (tmp_path / "a.py").as_uri()
    session.change(uri, 2, {"range": place, "text": item["insertText"]})
    await command(session, identity, candidate)
    session.notify(DISMISSED, {**about, "candidate": 1, "reason": f"because {CANARY}"})


async def test_an_item_says_how_to_tell_that_it_was_taken(editor, tmp_path):
    async with editor() as session:
        assert COMMAND in session.capabilities["capabilities"]["executeCommandProvider"]["commands"]
        item = await offered(session, tmp_path)
        assert item["command"] == {"title": "", "command": COMMAND, "arguments": ["id0", 0]}


async def test_what_an_editor_tells_is_kept_without_a_word_of_the_source(editor, tmp_path, store):
    async with editor(environment=TWO) as session:
        await use(session, tmp_path)
        assert await session.shutdown() == 0
        logged = session.stderr.decode()
    events = list(read(store))
    assert {(e.kind, e.candidate, e.visible_ms, e.accepted_bytes, e.reason) for e in events} == {
        (Kind.SHOWN, 0, 900, 0, ""),
        (Kind.PARTLY_ACCEPTED, 0, 0, 7, ""),
        (Kind.ACCEPTED, 0, 0, len(ANSWER), ""),
        (Kind.DISMISSED, 1, 0, 0, "other"),
    }
    assert {(e.language, e.scope, e.stop_reason) for e in events} == {("python", "code", "syntax")}
    written = b"".join(path.read_bytes() for path in store.parent.iterdir())
    for word in (CANARY, "password", "answer", "a.py", tmp_path.name):
        assert word.encode() not in written, word
    assert CANARY not in logged


async def test_whatever_is_malformed_is_passed_over(editor, tmp_path, store):
    async with editor() as session:
        item = await offered(session, tmp_path)
        for params in (None, [], 7, "x", {}, {"completionId": f"{CANARY} = 1", "visibleMs": 9},
                       {"completionId": "id0", "candidate": "0", "visibleMs": 800},
                       {"completionId": "unknown", "candidate": 0, "visibleMs": 800}):  # fmt: skip
            for method in (SHOWN, PARTLY_ACCEPTED, DISMISSED):
                session.notify(method, params)
        for arguments in ([], ["id0"], [None, None], [CANARY, 0], ["id0", 0, 1], [{"a": 1}, []]):
            await command(session, *arguments)
        await session.request("workspace/executeCommand", {"command": COMMAND})
        assert (await session.complete((tmp_path / "a.py").as_uri(), 1, 11)).items
        assert item["command"]["arguments"] == ["id0", 0]
        assert await session.shutdown() == 0
        assert CANARY not in session.stderr.decode()
    assert list(read(store)) == []


@pytest.mark.parametrize("how", ["setting", "variable", "workspace"])
async def test_off_there_is_no_command_and_no_file(editor, tmp_path, store, how):
    more: dict = {}
    if how == "setting":
        more["options"] = {"feedback": {"enabled": False}}
    elif how == "variable":
        more["environment"] = {"CARET_FEEDBACK_ENABLED": "false"}
    else:
        (tmp_path / ".caret.toml").write_text("[feedback]\nenabled = false\n")
    async with editor(**more) as session:
        item = await offered(session, tmp_path)
        assert "command" not in item
        await command(session, "id0", 0)
        session.notify(SHOWN, {"completionId": "id0", "candidate": 0, "visibleMs": 900})
        assert await session.shutdown() == 0
    assert not store.exists()


async def test_a_workspace_cannot_switch_it_on(editor, tmp_path, store):
    (tmp_path / ".caret.toml").write_text("[feedback]\nenabled = true\nshare = true\n")
    off = {"CARET_FEEDBACK_ENABLED": "false"}
    (tmp_path / "none" / "caret").mkdir(parents=True)
    (tmp_path / "none" / "caret" / "config.toml").write_text("[feedback]\nenabled = false\n")
    async with editor(options={"feedback": {"enabled": True}}, environment=off) as session:
        assert "command" not in await offered(session, tmp_path)
    async with editor(options={"feedback": {"enabled": True}}) as session:
        assert "command" not in await offered(session, tmp_path, "b.py")
        said = [m["params"]["message"] for m in session.notifications if "showM" in m["method"]]
        assert any("feedback.share" in text for text in said)


async def test_nothing_is_sent_to_the_server_unless_that_is_switched_on(editor, service, tmp_path):
    async with editor() as session:
        await use(session, tmp_path)
        assert await session.shutdown() == 0
    assert service.feedback == []


async def test_shared_it_arrives_at_the_server(editor, service, tmp_path, store):
    async with editor(environment={"CARET_FEEDBACK_SHARE": "true"}) as session:
        await use(session, tmp_path)
        await service.until(lambda service: len(service.feedback) == 4)
        assert await session.shutdown() == 0
    kept = {event.event_id: event for event in read(store)}
    assert {event.event_id for event in service.feedback} == set(kept)
    for sent in service.feedback:
        assert CANARY not in str(sent)
        assert kept[sent.event_id].kind == sent.kind
        assert (sent.completion_id, sent.language_id, sent.scope) == ("id0", "python", "code")


async def test_a_store_that_cannot_be_had_is_said_once_and_completions_go_on(editor, tmp_path):
    (tmp_path / "file").touch()
    async with editor(environment={"XDG_STATE_HOME": str(tmp_path / "file")}) as session:
        await use(session, tmp_path)
        said = await session.notification(
            lambda m: m["method"] == "window/showMessage" and "not kept" in m["params"]["message"]
        )
        assert said["params"]["type"] == 2
        for number in range(3):
            item = await offered(session, tmp_path, f"b{number}.py")
            await command(session, *item["command"]["arguments"])
        assert await session.shutdown() == 0
        assert str(session.notifications).count("not kept") == 1


async def test_two_editors_keep_one_store(editor, tmp_path, store):
    async with editor(environment=TWO) as one, editor(environment=TWO) as other:
        await use(one, tmp_path)
        await use(other, tmp_path)
        await asyncio.gather(one.shutdown(), other.shutdown())
    assert len(list(read(store))) == 8
