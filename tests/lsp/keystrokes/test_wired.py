"""The keystroke path through a real `caret lsp`: what reaches the service, and what does not."""

from __future__ import annotations

import asyncio

from completion.wire import completion_pb2 as pb
from lsp.session import inline
from tests.lsp.conftest import candidate

INVOKED = 1
THINKS = {"CARET_CLIENT_SPECULATE": "true"}
BODY = "\n    first = 1\n    second = 2\n    third = 3"


def insert(line: int, character: int, text: str) -> dict:
    place = {"line": line, "character": character}
    return {"range": {"start": place, "end": place}, "text": text}


async def key(session, uri, version: int, line: int, column: int, text: str):
    """Type on one line, ask behind it, and wait for the answer."""
    session.change(uri, version, insert(line, column, text))
    return await session.complete(uri, line, column + len(text))


def asks(session, uri, line: int, column: int, **context) -> asyncio.Future:
    return session.send("textDocument/inlineCompletion", inline(uri, line, column, **context))[1]


def texts(answer) -> list[str]:
    return [item["insertText"] for item in answer["result"]["items"]]


async def test_what_is_shown_is_typed_through_without_the_service(editor, service, tmp_path):
    service.answer = lambda request: candidate("compute(1)")
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        assert (await session.complete(uri, 0, 4)).text == "compute(1)"
        for number in range(len("compute(1)") - 1):
            shown = await key(session, uri, number + 2, 0, 4 + number, "compute(1)"[number])
            assert shown.text == "compute(1)"[number + 1 :]
        assert len(service.requests) == 1
        assert (await key(session, uri, 99, 0, 4, "other")).items
        assert len(service.requests) == 2


async def test_a_bracket_that_the_editor_closes_is_typed_through(editor, service, tmp_path):
    service.answer = lambda request: candidate("(1)")
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "f\n")
        await session.complete(uri, 0, 1)
        session.change(uri, 2, insert(0, 1, "()"))
        (item,) = (await session.complete(uri, 0, 2)).items
        assert item["insertText"] == "1)"
        assert (item["range"]["start"]["character"], item["range"]["end"]["character"]) == (2, 3)
        assert len(service.requests) == 1


async def test_the_first_line_goes_out_and_the_next_ones_come_without_another_request(
    editor, service, tmp_path
):
    service.answer = lambda request: candidate(BODY)
    service.lines = asyncio.Semaphore(0)
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "if x:\n")
        answer = asks(session, uri, 0, 5)
        service.lines.release()
        service.lines.release()
        assert texts(await answer) == ["\n    first = 1"]
        session.change(uri, 2, insert(0, 5, "\n    first = 1"))
        answer = asks(session, uri, 1, 13)
        service.lines.release()
        assert texts(await answer) == ["\n    second = 2"]
        service.lines.release()
        await service.until(lambda s: s.running == 0)
        session.change(uri, 3, insert(1, 13, "\n    second = 2"))
        assert (await session.complete(uri, 2, 14)).text == "\n    third = 3"
        assert len(service.requests) == 1


async def test_who_asks_gets_all_lines(editor, service, tmp_path):
    service.answer = lambda request: candidate(BODY)
    service.lines = asyncio.Semaphore(0)
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "if x:\n")
        assert (await session.complete(uri, 0, 5, triggerKind=INVOKED)).text == BODY


async def test_a_request_under_way_serves_what_is_typed_if_it_agrees(editor, service, tmp_path):
    service.answer = lambda request: candidate("compute(1)")
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        old = asks(session, uri, 0, 4)
        await service.until(lambda s: s.running == 1)
        await asyncio.sleep(0.2)  # it has run for longer than an answer is expected to take
        session.change(uri, 2, insert(0, 4, "c"))
        assert texts(await old) == []
        new = asks(session, uri, 0, 5)
        service.gate.set()
        assert texts(await new) == ["ompute(1)"]
        assert (len(service.requests), service.cancelled) == (1, 0)


async def test_one_that_turns_out_to_disagree_is_asked_anew(editor, service, tmp_path):
    service.answer = lambda request: candidate(
        "ey" if request.document.prefix.endswith(b"k") else "compute(1)"
    )
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        asks(session, uri, 0, 4)
        await service.until(lambda s: s.running == 1)
        session.change(uri, 2, insert(0, 4, "k"))
        answer = asks(session, uri, 0, 5)
        service.gate.set()
        assert texts(await answer) == ["ey"]
        assert [r.document.prefix for r in service.requests] == [b"x = ", b"x = k"]


async def test_the_next_suggestion_is_there_when_one_is_accepted(editor, service, tmp_path):
    def answer(request: pb.CompleteRequest) -> pb.CompleteResponse:
        return candidate("2 + 2" if request.document.prefix == b"x = 1 + " else "1 + ")

    service.answer = answer
    async with editor(environment=THINKS) as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        await session.complete(uri, 0, 4)
        await service.until(lambda s: len(s.requests) == 2 and s.running == 0)
        assert service.requests[1].document.prefix == b"x = 1 + "
        assert service.requests[1].document.suffix == b"\n"
        service.gate.clear()
        assert (await key(session, uri, 2, 0, 4, "1 + ")).text == "2 + 2"


async def test_a_key_ends_what_is_thought_of_ahead(editor, service, tmp_path):
    async with editor(environment=THINKS) as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        await session.complete(uri, 0, 4)
        service.gate.clear()
        await service.until(lambda s: len(s.requests) == 2 and s.running == 1)
        session.change(uri, 2, insert(0, 4, "q"))
        await service.until(lambda s: s.running == 0)
        assert service.cancelled == 1


async def test_nothing_is_thought_of_ahead_where_that_is_off(editor, service, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        await session.complete(uri, 0, 4)
        session.notify("caret/cursorMoved", {"textDocument": {"uri": uri}, "position": {
            "line": 1, "character": 0,
        }})  # fmt: skip
        await asyncio.sleep(0.6)  # nothing is what is waited for
        assert len(service.requests) == 1


async def test_a_cursor_that_was_put_somewhere_finds_its_suggestion_there(
    editor, service, tmp_path
):
    async with editor(environment=THINKS) as session:
        uri = session.open(tmp_path / "a.py", "x = \ny = \n")
        session.notify("caret/cursorMoved", {"textDocument": {"uri": uri}, "position": {
            "line": 1, "character": 4,
        }})  # fmt: skip
        session.notify("caret/cursorMoved", {"textDocument": uri})  # no such thing
        await service.until(lambda s: len(s.requests) == 1 and s.running == 0)
        assert service.requests[0].document.prefix == b"x = \ny = "
        service.gate.clear()
        assert (await session.complete(uri, 1, 4)).text == "done"


async def test_what_is_shown_stays_when_other_files_change(editor, service, tmp_path):
    cells = [("python", "def first():\n    return 1\n"), ("python", "value = fir\n")]
    service.answer = lambda request: candidate("st()")
    async with editor() as session:
        one, other = session.open_notebook(tmp_path / "n.ipynb", cells)
        assert (await session.complete(other, 0, 11)).text == "st()"
        session.change_notebook(tmp_path / "n.ipynb", 2, textContent=[{
            "document": {"uri": one, "version": 2}, "changes": [insert(0, 0, "# more\n")],
        }])  # fmt: skip
        assert (await session.complete(other, 0, 11)).text == "st()"
        assert len(service.requests) == 1


async def test_a_popup_item_is_part_of_the_question(editor, service, tmp_path):
    def popup(text: str, end: int) -> dict:
        start, stop = {"line": 0, "character": 3}, {"line": 0, "character": end}
        return {"range": {"start": start, "end": stop}, "text": text}

    service.answer = lambda request: pb.CompleteResponse(
        candidates=[
            pb.Candidate(
                text=request.selected_completion.text + b".join(a)",
                replace_before=request.selected_completion.replace_before,
            )
        ]
    )
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "os.pa\n")
        shown = await session.complete(uri, 0, 5, selectedCompletionInfo=popup("path", 5))
        assert shown.text == "path.join(a)"
        session.change(uri, 2, insert(0, 5, "t"))
        (item,) = (await session.complete(uri, 0, 6, selectedCompletionInfo=popup("path", 6))).items
        assert item["insertText"] == "path.join(a)"
        assert item["range"]["start"]["character"] == 3
        assert len(service.requests) == 1
        shown = await session.complete(uri, 0, 6, selectedCompletionInfo=popup("pathsep", 6))
        assert shown.text == "pathsep.join(a)"
        assert len(service.requests) == 2


async def test_an_editor_that_never_cancels_has_each_request_answered_once(
    editor, service, tmp_path
):
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        sent = []
        for number in range(300):
            session.change(uri, number + 2, insert(0, 4, "ab"[number % 2]))
            sent.append(session.send("textDocument/inlineCompletion", inline(uri, 0, 5)))
        service.gate.set()
        answers = await asyncio.gather(*(answer for _, answer in sent))
        assert texts(answers[-1]) == ["done"]
        assert {len(session.responses[number]) for number, _ in sent} == {1}


async def test_a_document_closed_in_mid_answer_is_answered_for_once(editor, service, tmp_path):
    async with editor() as session:
        for closed in (True, False):
            service.gate.clear()
            uri = session.open(tmp_path / "a.py", "x = \n")
            before = len(service.requests)
            number, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
            await service.until(lambda s, before=before: len(s.requests) > before)
            if closed:
                session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
                _, behind = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
                assert texts(await behind) == [], "it has read that it is closed"
            service.gate.set()
            got = await answer
            assert texts(got) == ([] if closed else ["done"])
            assert len(session.responses[number]) == 1


async def test_two_hundred_open_documents_are_each_answered_for(editor, service, tmp_path):
    service.answer = lambda request: candidate(f"in_{request.document.path.removesuffix('.py')}")
    async with editor() as session:
        names = [f"d{number}" for number in range(200)]
        uris = [session.open(tmp_path / f"{name}.py", f"{name} = \n") for name in names]
        asked = [session.complete(uri, 0, 99) for uri in uris]
        assert [shown.text for shown in await asyncio.gather(*asked)] == [f"in_{n}" for n in names]


async def test_a_folder_removed_in_mid_answer_is_no_matter(editor, service, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        service.gate.clear()
        _, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await service.until(lambda s: s.running == 1)
        folder = {"uri": tmp_path.as_uri(), "name": "w"}
        event = {"added": [], "removed": [folder]}
        session.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        service.gate.set()
        assert texts(await answer) == ["done"]
        session.change(uri, 2, insert(0, 4, "y"))
        assert (await session.complete(uri, 0, 5)).text == "done"


async def test_a_document_closed_and_opened_again_begins_anew(editor, service, tmp_path):
    async with editor() as session:
        for _ in range(2):
            uri = session.open(tmp_path / "a.py", "x = \n")
            assert (await session.complete(uri, 0, 4)).text == "done"
            session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        assert len(service.requests) == 2


async def test_the_source_of_each_answer_is_told_to_who_wants_it(editor, service, tmp_path):
    capabilities = {"experimental": {"caretTimings": True}}
    async with editor(capabilities=capabilities) as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        await session.complete(uri, 0, 4)
        await key(session, uri, 2, 0, 4, "d")
        told = [n["params"] for n in session.notifications if n["method"] == "caret/answered"]
        assert [one["source"] for one in told] == ["model", "cache"]


async def test_how_long_an_answer_took_is_told_from_when_its_request_was_read(
    editor, service, tmp_path
):
    capabilities = {"experimental": {"caretTimings": True}}
    async with editor(capabilities=capabilities) as session:
        uri = session.open(tmp_path / "a.py", "x = \n")
        for _ in range(3):
            answer = await session.complete(uri, 0, 4)
            (told, *_) = (
                n["params"]["milliseconds"]
                for n in reversed(session.notifications)
                if n["method"] == "caret/answered"
            )
            assert 0 < told < answer.milliseconds


async def test_a_thousand_characters_of_emoji_and_line_ends_are_typed_through(
    editor, service, tmp_path
):
    text = "é = '😋'\r\n\tx(1)\r\n" * 12 + "z"
    service.answer = lambda request: candidate(text)
    async with editor(encodings=["utf-16"]) as session:
        uri = session.open(tmp_path / "a.py", "v: \r\n\r\n")
        await session.complete(uri, 0, 3)
        line, column, version = 0, 3, 1
        keys = text.replace("\r\n", "\n")
        for number, one in enumerate(keys[:-1]):
            version += 1
            typed = "\r\n" if one == "\n" else one
            session.change(uri, version, insert(line, column, typed))
            units = len(one.encode("utf-16-le")) // 2
            line, column = (line + 1, 0) if one == "\n" else (line, column + units)
            shown = await session.complete(uri, line, column)
            assert shown.text == keys[number + 1 :].replace("\n", "\r\n")
        assert len(service.requests) == 1
