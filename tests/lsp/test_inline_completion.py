"""`textDocument/inlineCompletion` through a real `caret lsp` process."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from completion.wire import completion_pb2 as pb
from lsp.session import RefusedError, inline

TEXT = "# 😋\nname = '😋'; f(\n"
REQUEST_CANCELLED = -32800


def edit(line: int, character: int, text: str) -> dict:
    place = {"line": line, "character": character}
    return {"range": {"start": place, "end": place}, "text": text}


def said(session, kind: str = "window/showMessage") -> list[str]:
    return [m["params"]["message"] for m in session.notifications if m["method"] == kind]


@pytest.mark.parametrize(
    ("offered", "chosen", "cursor"),
    [
        (["utf-8", "utf-16"], "utf-8", 17),
        (["utf-16"], "utf-16", 15),
        (["utf-32", "utf-16"], "utf-32", 14),
        (["utf-7"], "utf-16", 15),
    ],
)
async def test_positions_are_in_the_encoding_that_the_client_prefers(
    editor, service, tmp_path, offered, chosen, cursor
):
    service.answer = lambda request: pb.CompleteResponse(
        candidates=[pb.Candidate(text=b"x)", replace_after=1)]
    )
    async with editor(encodings=offered) as session:
        assert session.capabilities["capabilities"]["positionEncoding"] == chosen
        uri = session.open(tmp_path / "a.py", TEXT.replace("f(", "f()"))
        answer = await session.complete(uri, 1, cursor)
        (request,) = service.requests
        assert request.document.prefix == "# 😋\nname = '😋'; f(".encode()
        assert request.document.suffix == b")\n"
        assert request.document.path == "a.py"
        (item,) = answer.items
        assert item["insertText"] == "x)"
        assert item["range"] == {
            "start": {"line": 1, "character": cursor},
            "end": {"line": 1, "character": cursor + 1},
        }


async def test_a_crlf_document_stays_one(editor, service, tmp_path):
    service.answer = lambda request: pb.CompleteResponse(
        candidates=[pb.Candidate(text=b"a\r\n    b")]
    )
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = 1\r\ny = \r\n")
        answer = await session.complete(uri, 1, 99)
        assert service.requests[0].document.prefix == b"x = 1\r\ny = "
        assert service.requests[0].document.suffix == b"\r\n"
        assert service.requests[0].document.eol == "\r\n"
        assert answer.text == "a\r\n    b"


async def test_an_answer_for_a_text_that_is_no_more_is_never_shown(editor, service, tmp_path):
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        _, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await service.until(lambda s: s.running == 1)
        session.change(uri, 2, edit(0, 0, "yy"))
        assert (await answer)["result"] == {"items": []}
        await service.until(lambda s: s.running == 0)
        assert service.cancelled == 1


async def test_closing_a_document_ends_its_request(editor, service, tmp_path):
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        _, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await service.until(lambda s: s.running == 1)
        session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        assert (await answer)["result"] == {"items": []}
        await service.until(lambda s: s.cancelled == 1)


async def test_a_newer_request_supersedes_the_older_down_to_the_service(editor, service, tmp_path):
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        first, old = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await service.until(lambda s: s.running == 1)
        _, new = session.send("textDocument/inlineCompletion", inline(uri, 0, 1))
        assert (await old)["result"] == {"items": []}
        await service.until(lambda s: s.cancelled == 1)
        service.gate.set()
        assert (await new)["result"]["items"][0]["insertText"] == "done"
        assert len(session.responses[first]) == 1


async def test_a_cancelled_request_is_answered_so_and_frees_the_service(editor, service, tmp_path):
    service.gate.clear()
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        number, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await service.until(lambda s: s.running == 1)
        session.cancel(number)
        assert (await answer)["error"]["code"] == REQUEST_CANCELLED
        await service.until(lambda s: s.running == 0)
        assert service.cancelled == 1


async def test_a_thousand_requests_and_cancels_are_each_answered_once(editor, service, tmp_path):
    service.gate.clear()
    async with editor() as session:
        uris = [session.open(tmp_path / f"{n}.py", "x = ") for n in range(4)]
        sent = {}
        for number in range(1000):
            uri = uris[number % 4]
            ident, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
            sent[ident] = answer
            if number % 3 == 0:
                session.cancel(ident)
            if number % 50 == 0:
                await session.process.stdin.drain()
        session.cancel(999_999)  # of nothing
        service.gate.set()
        answers = await asyncio.gather(*sent.values())
        assert await session.shutdown() == 0
        assert {len(session.responses[ident]) for ident in sent} == {1}
        assert all(
            "result" in answer or answer["error"]["code"] == REQUEST_CANCELLED for answer in answers
        )
        assert not said(session)
        await service.until(lambda s: s.running == 0)


async def test_edits_are_applied_in_order_while_slow_completions_are_under_way(
    editor, service, tmp_path
):
    service.gate.clear()
    async with editor() as session:
        for number in range(8):
            slow = session.open(tmp_path / f"slow{number}.py", "x = ")
            session.send("textDocument/inlineCompletion", inline(slow, 0, 4))
        await service.until(lambda s: s.running == 8)
        uri = session.open(tmp_path / "a.py", "\n" * 5000)
        for version in range(300):
            session.change(uri, version + 2, edit(2500, version * 4, f"{version:03d}."))
        session.send("textDocument/inlineCompletion", inline(uri, 2500, 9999))
        await service.until(lambda s: s.running == 9)
        expected = "".join(f"{version:03d}." for version in range(300))
        assert service.requests[-1].document.prefix.decode().rsplit("\n", 1)[1] == expected
        assert service.cancelled == 0


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
    ],
    ids=lambda status: status.name,
)
async def test_a_failing_service_is_an_empty_answer_without_a_popup(
    editor, service, tmp_path, status
):
    service.status = status
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items == ()
        assert not said(session)


async def test_the_deadline_of_the_configuration_holds(editor, service, tmp_path):
    service.gate.clear()
    async with editor(environment={"CARET_CLIENT_TIMEOUT_MS": "50"}) as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items == ()


async def test_the_gate_keeps_text_from_the_service(editor, service, tmp_path):
    settings = {"disabled_languages": ["markdown"], "max_file_bytes": 100}
    async with editor(options=settings) as session:
        for name, language, text in (
            ("a.md", "markdown", "x"),
            ("b.py", "python", "x" * 101),
            ("c.py", "python", "x\0"),
        ):
            uri = session.open(tmp_path / name, text, language)
            assert (await session.complete(uri, 0, 1)).items == ()
        assert (await session.complete("file:///never/opened.py", 0, 0)).items == ()
        assert service.requests == []
        assert (await session.complete(session.open(tmp_path / "d.py", ""), 0, 0)).text == "done"


async def test_formatting_options_trigger_and_popup_reach_the_service(editor, service, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "os.pa")
        popup = {
            "range": {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 5}},
            "text": "path",
        }
        params = inline(uri, 0, 5, triggerKind=1, selectedCompletionInfo=popup)
        params["formattingOptions"] = {"tabSize": 8, "insertSpaces": False}
        await session.request("textDocument/inlineCompletion", params)
        (request,) = service.requests
        assert request.trigger == pb.CompleteRequest.TRIGGER_INVOKED
        assert request.document.tab_size == 8
        assert request.selected_completion == pb.SelectedCompletion(text=b"path", replace_before=2)


async def test_the_log_holds_no_source_text_at_any_level(editor, service, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "hush_text = ")
        secret = pb.CompleteResponse(candidates=[pb.Candidate(text=b"hush_answer")])
        service.answer = lambda request: secret
        await session.complete(uri, 0, 12)
        session.change(uri, 2, edit(0, 12, "hush_edit"))
        session.change("file:///unknown_hush", 2, edit(0, 0, "hush_lost"))
        service.status = grpc.StatusCode.INTERNAL
        await session.complete(uri, 0, 12)
        with pytest.raises(RefusedError):
            await session.request("textDocument/inlineCompletion", {"textDocument": "hush_param"})
        session.write(b"Content-Length: 11\r\n\r\n{hush_body}")
        await session.shutdown()
    assert b"hush" not in session.stderr
