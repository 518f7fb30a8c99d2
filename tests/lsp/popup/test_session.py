"""`textDocument/completion` through a real `caret lsp` process, with jedi, before a service."""

from __future__ import annotations

import asyncio

import pytest

from completion.wire import completion_pb2 as pb
from lsp.session import LspSession

PATIENT = {"popup": {"budget_ms": 60_000}}
"""Long enough for jedi to read what it needs on a busy machine."""
SHOP = """class Shop:
    def open_door(self): ...
    def order(self): ...
    def paint(self): ...


shop = Shop()
shop."""


def labels(answer: dict) -> list[str]:
    ordered = sorted(answer["items"], key=lambda item: item["sortText"])
    assert ordered == answer["items"]  # for clients that do not sort
    return [item["label"] for item in ordered]


def end(text: str) -> tuple[int, int]:
    return text.count("\n"), len(text) - text.rfind("\n") - 1


def behind_shop(uri: str) -> dict:
    line, character = end(SHOP)
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


async def configure(session: LspSession, **settings) -> None:
    session.notify("workspace/didChangeConfiguration", {"settings": {"caret": settings}})


async def test_members_are_jedis_and_their_order_is_the_models(editor, service, tmp_path):
    likely = {"order": -0.1, "paint": -0.5, "open_door": -4.0}
    service.likely = lambda text: likely.get(text, -20.0)
    async with editor(options=PATIENT) as session:
        assert session.capabilities["capabilities"]["completionProvider"] == {
            "triggerCharacters": ["."]
        }
        uri = session.open(tmp_path / "a.py", SHOP)
        answer = await session.names(uri, *end(SHOP))
        assert labels(answer)[:3] == ["order", "paint", "open_door"]
        assert answer["items"][0]["kind"] == 2  # a method
        asked = service.scored[0]
        assert asked.document.prefix.decode() == SHOP
        assert asked.document.path == "a.py"
        assert asked.edge == pb.ScoreRequest.EDGE_IDENTIFIER_END
        assert {b"order", b"paint", b"open_door"} <= set(asked.texts)


async def test_the_typed_word_is_cut_off_for_the_model_and_only_narrows_the_list(
    editor, service, tmp_path
):
    async with editor(options=PATIENT) as session:
        uri = session.open(tmp_path / "a.py", SHOP)
        await session.names(uri, *end(SHOP))
        calls = len(service.scored)
        line, column = end(SHOP)
        place = {"line": line, "character": column}
        session.change(uri, 2, {"range": {"start": place, "end": place}, "text": "OpD"})
        answer = await session.names(uri, line, column + 3)
        assert labels(answer) == ["open_door"]  # other cases, letters of its parts
        assert answer["items"][0]["textEdit"] == {
            "newText": "open_door",
            "range": {"start": place, "end": {"line": line, "character": column + 3}},
        }
        assert len(service.scored) == calls  # it was known
        assert not answer["isIncomplete"]


async def test_the_name_that_ghost_text_says_comes_first_but_in_the_order_of_static_analysis(
    editor, service, tmp_path
):
    # VS Code chooses the first name by itself, and takes ghost text away that says another.
    likely = {"order": -0.1, "paint": -0.5}
    service.likely = lambda text: likely.get(text, -20.0)
    service.answer = lambda request: pb.CompleteResponse(
        candidates=[pb.Candidate(text=b"paint(1)")]
    )
    for ranking, orders in (("both", ("order", "paint")), ("static", (None, None))):
        async with editor(options={"popup": {"budget_ms": 60_000, "ranking": ranking}}) as session:
            uri = session.open(tmp_path / "a.py", SHOP)
            before = labels(await session.names(uri, *end(SHOP)))
            assert (await session.complete(uri, *end(SHOP))).text == "paint(1)"
            behind = labels(await session.names(uri, *end(SHOP)))
            assert sorted(before) == sorted(behind)
            if ranking == "static":
                assert before == behind and before[0] != "paint"
            else:
                assert (before[0], behind[0]) == orders


async def test_nearer_names_weigh_more_where_both_are_asked_for(editor, service, tmp_path):
    text = "value_far = 1\n\ndef f(value_near):\n    return valu"
    service.likely = lambda text: -1.0
    for ranking, first in (("both", "value_near"), ("model", "value_far"), ("static", "value_far")):
        async with editor(options={"popup": {"budget_ms": 60_000, "ranking": ranking}}) as session:
            uri = session.open(tmp_path / "a.py", text)
            answer = await session.names(uri, *end(text))
            assert labels(answer)[0] == first
            assert set(labels(answer)) >= {"value_near", "value_far"}
    asked = len(service.scored)
    assert asked and all(b"value_near" in request.texts for request in service.scored)


async def test_when_time_is_up_the_order_is_jedis_and_the_call_ends(editor, service, tmp_path):
    static = {"popup": {"budget_ms": 60_000, "ranking": "static"}}
    async with editor(options=static) as session:
        uri = session.open(tmp_path / "a.py", SHOP)
        own = labels(await session.names(uri, *end(SHOP)))
        assert not service.scored
        service.score_gate.clear()
        await configure(session, popup={"budget_ms": 50, "ranking": "both"})
        answer = await session.names(uri, *end(SHOP))
        assert labels(answer) == own
        assert answer["isIncomplete"]
        await service.until(lambda s: len(s.scored) == s.scores_cancelled)


async def test_an_edit_or_a_newer_request_ends_the_older_one(editor, service, tmp_path):
    service.score_gate.clear()
    async with editor(options=PATIENT) as session:
        uri = session.open(tmp_path / "a.py", SHOP)
        _, first = session.send("textDocument/completion", behind_shop(uri))
        await service.until(lambda s: len(s.scored) == 1)
        _, second = session.send("textDocument/completion", behind_shop(uri))
        assert (await first)["result"] == {"isIncomplete": True, "items": []}
        await service.until(lambda s: s.scores_cancelled == 1 and len(s.scored) == 2)
        place = {"line": 0, "character": 0}
        session.change(uri, 2, {"range": {"start": place, "end": place}, "text": "#"})
        assert (await second)["result"] == {"isIncomplete": True, "items": []}
        await service.until(lambda s: s.scores_cancelled == 2)


async def test_a_list_that_is_waited_for_keeps_no_ghost_text(editor, service, tmp_path):
    service.score_gate.clear()
    async with editor(options=PATIENT) as session:
        uri = session.open(tmp_path / "a.py", SHOP)
        number, answer = session.send("textDocument/completion", behind_shop(uri))
        await service.until(lambda s: len(s.scored) == 1)
        assert (await session.complete(uri, *end(SHOP))).text == "done"
        assert not answer.done() and service.scores_cancelled == 0  # nor does it end the list
        session.cancel(number)
        assert (await answer)["error"]["code"] == -32800
        await service.until(lambda s: s.scores_cancelled == 1)


@pytest.mark.parametrize("encodings", [["utf-8"], ["utf-16"], ["utf-32"]])
async def test_the_word_is_replaced_in_the_clients_units(editor, service, tmp_path, encodings):
    text = "größe = 1\nx = '😋'; größ"
    encoding = encodings[0]

    def units(text: str) -> int:
        return len(text.encode(f"{encoding}-le" if encoding != "utf-8" else encoding)) // {
            "utf-8": 1, "utf-16": 2, "utf-32": 4
        }[encoding]  # fmt: skip

    line = text.split("\n")[1]
    async with editor(options=PATIENT, encodings=encodings) as session:
        uri = session.open(tmp_path / "a.py", text + "abc")
        answer = await session.names(uri, 1, units(line))
        (item,) = [item for item in answer["items"] if item["label"] == "größe"]
        assert item["textEdit"]["range"] == {
            "start": {"line": 1, "character": units(line[:-4])},
            "end": {"line": 1, "character": units(line) + 3},  # the rest of the word goes, too
        }


async def test_a_client_that_can_insert_or_replace_is_given_both(editor, service, tmp_path):
    item = {"insertReplaceSupport": True, "labelDetailsSupport": True}
    text = "import json\njson.lo"
    capabilities = {"textDocument": {"completion": {"completionItem": item}}}
    async with editor(options=PATIENT, capabilities=capabilities) as session:
        uri = session.open(tmp_path / "a.py", text + "ng")
        answer = await session.names(uri, *end(text))
        (found,) = [item for item in answer["items"] if item["label"] == "loads"]
        edit = found["textEdit"]
        assert edit["insert"]["end"] == {"line": 1, "character": 7}
        assert edit["replace"]["end"] == {"line": 1, "character": 9}
        assert edit["insert"]["start"] == edit["replace"]["start"] == {"line": 1, "character": 5}
        assert found["labelDetails"]["description"].startswith("json")


@pytest.mark.parametrize(
    ("text", "settings", "offers"),
    [
        ("apple = 1\n# app", {}, False),
        ("apple = 1\nx = 'app", {}, False),
        ('apple = 1\n"""app', {}, False),
        ("apple = 1\n# app", {"popup": {"disabled_scopes": []}}, True),
        ("apple = 1\nx = f'{app", {}, True),
        ("apple = 1\nx = 12", {}, False),
        ("apple = 1\napp", {"popup": {"enabled": False}}, False),
        ("apple = 1\napp", {"enabled": False}, False),
        ("apple = 1\napp", {"disabled_languages": ["javascript"]}, False),
        ("apple = 1\napp", {"automatic": False}, True),
    ],
)
async def test_where_lists_are_offered(editor, service, tmp_path, text, settings, offers):
    language = "javascript" if "disabled_languages" in settings else "python"
    patient = {**settings, "popup": {**PATIENT["popup"], **settings.get("popup", {})}}
    async with editor(options=patient) as session:
        uri = session.open(tmp_path / "a.x", text, language)
        answer = await session.names(uri, *end(text))
        assert ("apple" in labels(answer)) is offers
        assert offers or (answer == {"isIncomplete": False, "items": []} and not service.scored)


async def test_other_languages_have_the_names_in_scope(editor, service, tmp_path):
    text = "const total = 1;\nfunction add(first, second) {\n  return "
    service.likely = lambda text: {"second": -0.1}.get(text, -5.0)
    async with editor(options=PATIENT) as session:
        uri = session.open(tmp_path / "a.js", text + ";\n}\n", "javascript")
        answer = await session.names(uri, *end(text))
        assert labels(answer)[0] == "second"
        assert set(labels(answer)) == {"first", "second", "total", "add"}
        assert not answer["isIncomplete"]
        uri = session.open(tmp_path / "b.js", text + "total.", "javascript")
        assert labels(await session.names(uri, *end(text + "total."))) == []


async def test_a_long_list_is_cut_and_says_so(editor, service, tmp_path):
    text = "".join(f"name_{n:03} = {n}\n" for n in range(50)) + "name_"
    options = {"popup": {"budget_ms": 60_000, "max_items": 10, "max_scored": 20}}
    service.likely = lambda text: float(text[-3:]) - 1000 if text[-3:].isdigit() else -2000
    async with editor(options=options) as session:
        uri = session.open(tmp_path / "a.py", text)
        answer = await session.names(uri, *end(text))
        assert answer["isIncomplete"] and len(answer["items"]) == 10
        assert labels(answer)[0] == "name_049"
        assert sum(len(request.texts) for request in service.scored) == 20


async def test_what_may_not_be_sent_is_listed_and_not_sent(editor, service, tmp_path):
    (tmp_path / ".caretignore").write_text("private.py\n")
    (tmp_path / "private.py").write_text("hush_name = 1\n")
    async with editor(options=PATIENT) as session:
        text = "from private import *\nhush_open = 2\nhush_"
        uri = session.open(tmp_path / "a.py", text)
        answer = await session.names(uri, *end(text))
        assert set(labels(answer)) == {"hush_name", "hush_open"}
        assert [text for request in service.scored for text in request.texts] == [b"hush_open"]
        service.scored.clear()
        uri = session.open(tmp_path / "private.py", "hush_name = 1\nhus")
        answer = await session.names(uri, 1, 3)
        assert "hush_name" in labels(answer)
        assert not service.scored
        await session.shutdown()
    assert b"hush" not in session.stderr


async def test_lists_and_edits_in_any_order_are_each_answered_once(editor, service, tmp_path):
    async with editor(options=PATIENT) as session:
        uri = session.open(tmp_path / "a.py", SHOP)
        line, column = end(SHOP)
        sent = {}
        for number in range(200):
            params = {
                "textDocument": {"uri": uri}, "position": {"line": line, "character": column},
            }  # fmt: skip
            ident, answer = session.send("textDocument/completion", params)
            sent[ident] = answer
            if number % 3 == 0:
                session.cancel(ident)
            place = {"line": 0, "character": 0}
            if number % 7 == 0:
                session.change(
                    uri, number + 2, {"range": {"start": place, "end": place}, "text": "#"}
                )
        answers = await asyncio.gather(*sent.values())
        assert {len(session.responses[ident]) for ident in sent} == {1}
        assert all("result" in a or a["error"]["code"] == -32800 for a in answers)
