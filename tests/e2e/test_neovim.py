"""Caret's plugin in real Neovims: 0.12 by its own inline completion and by extmarks, 0.10 by extmarks.

What the model says is not the matter here: where the words count, a service answers as the test wants,
behind the real `caret lsp`; ghost text of the bundled model is accepted at the end.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest

from completion.wire import completion_pb2 as pb
from tests.e2e import fates
from tests.e2e.neovim import ARMS, IDS, Editor, in_editors_thread, start
from tests.e2e.odd_text import odd_text
from tests.e2e.vscode.workbench import until
from tests.lsp.conftest import Service, running_service

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # the first time it is downloaded

NONE = pb.CompleteResponse()
MARK = "# here"


def answer(*texts: str, **fields: int) -> pb.CompleteResponse:
    """A response with these candidates."""
    candidates = [pb.Candidate(text=text.encode(), **fields) for text in texts]
    return pb.CompleteResponse(completion_id="test-1", candidates=candidates)


def going_on(target: str) -> Callable[[pb.CompleteRequest], pb.CompleteResponse]:
    """Answer with what is missing of `target` behind the mark, as a model that is sure would."""

    def rest(request: pb.CompleteRequest) -> pb.CompleteResponse:
        done = request.document.prefix.decode().partition(MARK)[2]
        return answer(target[len(done) :]) if target.startswith(done) else NONE

    return rest


def asked_for(scripted: Service) -> pb.Document:
    """The document that a suggestion was last asked for in; what is asked for ahead does not count."""
    invoked = pb.CompleteRequest.TRIGGER_INVOKED
    return next(one.document for one in reversed(scripted.requests) if one.trigger == invoked)


def seen_by(scripted: Service) -> list[tuple[bytes, int]]:
    """What stood before the cursor in each request, and what the request came of."""
    return [(one.document.prefix, one.trigger) for one in scripted.requests]


COUNT = """
local wanted = ...
_G.told = 0
vim.api.nvim_create_autocmd('LspNotify', { callback = function(args)
  _G.told = _G.told + (args.data.method == wanted and 1 or 0)
end })
"""


@pytest.fixture(scope="module", params=ARMS, ids=IDS)
async def editor(request, scripted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("neovim")
    one = await in_editors_thread(start)(request.param, scripted.address, folder)
    yield one
    await in_editors_thread(one.close)()


def open_at_mark(editor: Editor, scripted: Service, target: str, **how: str) -> None:
    """Open a document and wait for what is suggested behind its mark."""
    scripted.answer = going_on(target)
    editor.open("a.py", f"first = 1\n{MARK}\nlast = 2\n", **how)
    editor.insert_at(1, len(MARK))
    assert editor.suggestion() == target


@in_editors_thread
def test_ghost_text_is_accepted_whole_and_undone_alone(editor, scripted):
    open_at_mark(editor, scripted, " one\n    two 😀\nthree")
    assert editor.ghosts[0]["row"] == 1
    editor.keys("<Tab>")
    editor.until(lambda: len(editor.lines) == 5, "it is inserted")
    assert editor.lines == ["first = 1", f"{MARK} one", "    two 😀", "three", "last = 2"]
    assert editor.cursor == (3, len("three"))
    editor.keys("<Esc>", "u")
    editor.until(lambda: len(editor.lines) == 3, "one undo")
    assert editor.lines == ["first = 1", MARK, "last = 2"]


@in_editors_thread
def test_typing_what_is_shown_shrinks_it(editor, scripted):
    target = " ghöst 😀 text"
    open_at_mark(editor, scripted, target)
    asked = len(scripted.requests)
    for count, key in enumerate(target[:-1], 1):
        editor.keys(key)
        editor.until(
            lambda count=count: editor.lines[1] == MARK + target[:count]
            and editor.ghost == target[count:],
            "the rest",
        )  # fmt: skip
    if "extmarks" in editor.engine:
        assert len(scripted.requests) == asked, "what is shown needs no request"


@in_editors_thread
def test_typing_something_else_hides_it(editor, scripted):
    open_at_mark(editor, scripted, " ghost")
    editor.keys("!")
    editor.until(lambda: editor.lines[1] == f"{MARK}!", "typed")
    editor.no_suggestion()


@in_editors_thread
def test_what_is_typed_faster_than_answers_come_is_folded_into_the_accept(editor, scripted):
    # Neovim's issue 36529: its own accept makes "# here ghost text gho" of this.
    open_at_mark(editor, scripted, " ghost text")
    editor.keys(" gho<Tab>")
    editor.until(lambda: "text" in editor.lines[1], "accepted")
    assert editor.lines == ["first = 1", f"{MARK} ghost text", "last = 2"]
    assert editor.cursor == (1, len(f"{MARK} ghost text"))


@in_editors_thread
def test_a_stale_suggestion_is_never_applied(editor, scripted):
    open_at_mark(editor, scripted, " ghost text")
    editor.keys(" gXo<Tab>.")
    editor.until(lambda: editor.lines[1].endswith("."), "typed")
    assert editor.lines[1].split() == ["#", "here", "gXo", "."], (
        "the key is then what it always was"
    )
    open_at_mark(editor, scripted, " ghost text")
    editor.lua("vim.api.nvim_buf_set_text(0, 1, 0, 1, 0, { 'x' })")
    editor.keys("<Tab>.")
    editor.until(lambda: editor.lines[1].endswith("."), "typed")
    assert "ghost" not in editor.lines[1]


@in_editors_thread
def test_keys_typed_ahead_of_an_accept_come_behind_it(editor, scripted):
    open_at_mark(editor, scripted, " ghost text")
    editor.keys("<Tab>.<M-Right>!")
    editor.until(lambda: "!" in editor.lines[1], "typed")
    assert editor.lines == ["first = 1", f"{MARK} ghost text.!", "last = 2"]


@in_editors_thread
def test_a_closer_that_stands_there_is_replaced_and_not_doubled(editor, scripted):
    def call(request):
        typed = request.document.prefix.decode().rpartition("call(")[2]
        return answer("argument)"[len(typed) :], replace_after=1) if typed in "argument" else NONE

    scripted.answer = call
    editor.open("a.py", "call()\nlast\n")
    editor.insert_at(0, len("call("))
    editor.suggestion()
    editor.keys("ar<Tab>")
    editor.until(lambda: "argument" in editor.lines[0], "accepted")
    assert editor.lines == ["call(argument)", "last"]
    assert editor.cursor == (0, len("call(argument)"))


@in_editors_thread
def test_words_and_lines_are_taken_one_by_one(editor, scripted):
    target = " wörd.next(a)\n    second line\n    third"
    open_at_mark(editor, scripted, target)
    for part in (" wörd", ".", "next"):
        before = editor.lines[1]
        editor.keys("<M-Right>")
        editor.until(lambda before=before: editor.lines[1] != before, "a word")
        assert editor.lines[1] == before + part
        assert editor.suggestion() == target.partition((before + part).removeprefix(MARK))[2]
    editor.keys("<M-C-Right>")
    editor.until(lambda: editor.lines[1].endswith("(a)"), "the line's rest")
    assert len(editor.lines) == 3
    editor.suggestion()
    editor.keys("<M-C-Right>")
    editor.until(lambda: len(editor.lines) == 4, "another line")
    assert editor.lines[2] == "    second line"
    assert editor.suggestion() == "\n    third"
    editor.keys("<Tab>")
    editor.until(lambda: len(editor.lines) == 5, "the rest")
    assert editor.lines == [
        "first = 1",
        MARK + target.split("\n")[0],
        "    second line",
        "    third",
        "last = 2",
    ]


@in_editors_thread
def test_candidates_are_cycled(editor, scripted):
    scripted.answer = lambda request: answer("one", "two", "three")
    editor.open("a.py", "x = \n")
    editor.insert_at(0, 4)
    assert editor.suggestion().startswith("one")
    for key, shown in (("<M-]>", "two"), ("<M-]>", "three"), ("<M-]>", "one"), ("<M-[>", "three")):
        editor.keys(key)
        editor.until(lambda shown=shown: editor.ghost.startswith(shown), shown)
    editor.keys("<Tab>")
    editor.until(lambda: editor.lines == ["x = three"], "the one that is shown")


@in_editors_thread
def test_it_can_be_dismissed_and_asked_for(editor, scripted):
    open_at_mark(editor, scripted, " ghost")
    editor.keys("<C-]>")
    editor.no_suggestion()
    assert editor.lines[1] == MARK
    editor.keys("<M-Bslash>")
    assert editor.suggestion() == " ghost"


@in_editors_thread
def test_it_is_switched_off_and_on(editor, scripted):
    open_at_mark(editor, scripted, " ghost")
    for words, is_on in (("toggle buffer", False), ("toggle buffer", True), ("disable", False)):
        editor.lua(f"vim.cmd('Caret {words}')")
        asked = len(scripted.requests)
        editor.insert_at(0, 0)
        editor.insert_at(1, len(MARK))
        if is_on:
            editor.suggestion()
        else:
            assert editor.status == "off"
            assert not editor.ghosts
            editor.keys("<M-Bslash>")  # asked for, it still comes, and is the first that does
            editor.keys("<Esc>")
            asked_for = scripted.requests[asked:]
            assert all(one.trigger == pb.CompleteRequest.TRIGGER_INVOKED for one in asked_for)
    editor.lua("vim.cmd('Caret enable')")
    editor.insert_at(1, len(MARK))
    editor.suggestion()


@pytest.mark.parametrize("typed", ["ééab", "😀 = f(", "日本\t"])
@in_editors_thread
def test_it_is_asked_where_the_cursor_is_behind_any_character(editor, scripted, typed):
    scripted.answer = lambda request: answer("shown")
    editor.open("units.py", f"first\n{typed}z\n")
    editor.insert_at(1, len(typed.encode()))
    editor.lua("require('caret').suggest()")
    assert editor.suggestion().startswith("shown")
    document = asked_for(scripted)
    assert document.prefix.decode() == f"first\n{typed}"
    assert document.suffix.decode() == "z\n"
    editor.keys("<Tab>")
    editor.until(lambda: editor.lines[1].startswith(f"{typed}shown"), "it is inserted there")
    editor.keys("<Esc>")


@in_editors_thread
def test_a_file_with_cr_lf_stays_one(editor, scripted):
    target = " one\r\n    two"
    scripted.answer = going_on(target)
    editor.open("crlf.py", f"first\r\n{MARK}\r\nlast\r\n".encode(), fileformat="dos")
    editor.insert_at(1, len(MARK))
    assert editor.suggestion() == " one\n    two"
    editor.keys("<M-C-Right>")
    editor.until(lambda: editor.lines[1] == f"{MARK} one", "the first line")
    editor.suggestion()
    editor.keys("<Tab>")
    editor.until(lambda: len(editor.lines) == 4, "accepted")
    assert editor.lines == ["first", f"{MARK} one", "    two", "last"]
    editor.keys("<Esc>")
    editor.nvim.command("write")
    text = (editor.folder / "crlf.py").read_bytes()
    assert text == f"first\r\n{MARK} one\r\n    two\r\nlast\r\n".encode()


@pytest.mark.parametrize("fileformat", ["unix", "dos"])
@in_editors_thread
def test_any_editing_leaves_the_servers_copy_equal(editor, scripted, fileformat):
    scripted.answer = lambda request: answer("shown")
    chance = random.Random(f"{editor.engine} {fileformat}")
    end = "\r\n" if fileformat == "dos" else "\n"

    editor.open(f"random-{fileformat}.py", (odd_text(chance) + end) * 8, fileformat=fileformat)
    for _ in range(8):
        for _ in range(8):
            edit_at_random(editor, chance)
        row = chance.randrange(len(editor.lines))
        line = editor.lines[row]
        cut = chance.randrange(len(line) + 1)
        while "\u200d" in line[max(cut - 1, 0) : cut + 1]:
            cut -= 1  # what is drawn as one, as a family is, is not gone into by every version
        column = len(line[:cut].encode())
        editor.insert_at(row, column)
        assert editor.cursor == (row, column)
        line = editor.lines[row]
        editor.lua("require('caret').suggest()")
        editor.suggestion()
        document = asked_for(scripted)
        lines = editor.lines
        before = [*lines[:row], line.encode()[:column].decode()]
        assert document.prefix.decode() == end.join(before)
        assert (document.prefix + document.suffix).decode() == "".join(one + end for one in lines)
        editor.keys("<Esc>")
        editor.no_suggestion()


def edit_at_random(editor: Editor, chance: random.Random) -> None:
    """Change a piece of the buffer, whole lines, or undo."""
    lines = editor.lines
    kind = chance.randrange(5)
    first = chance.randrange(len(lines))
    last = min(len(lines) - 1, first + chance.randrange(3))
    if kind == 0 and len(lines) > 4:
        editor.nvim.api.buf_set_lines(0, first, last + 1, True, [])
    elif kind == 1:
        editor.nvim.api.buf_set_lines(0, first, first, True, [odd_text(chance), odd_text(chance)])
    elif kind == 2:
        editor.nvim.command("silent! undo")
    else:
        start, stop = (chance.randrange(len(lines[row]) + 1) for row in (first, last))
        if first == last:
            start, stop = min(start, stop), max(start, stop)
        where = (first, len(lines[first][:start].encode()), last, len(lines[last][:stop].encode()))
        editor.nvim.api.buf_set_text(
            0, *where, [odd_text(chance) for _ in range(chance.randrange(1, 3))]
        )


@in_editors_thread
def test_a_suggestion_is_thought_of_where_the_cursor_was_only_moved_to(editor, scripted):
    scripted.answer = lambda request: NONE
    editor.open("moved.py", "first = wörd\nsecond = 😀\nthird = call(a)\n")
    for keys, before in (
        ("j$", "first = wörd\nsecond = 😀"),
        ("j0f(", "first = wörd\nsecond = 😀\nthird = call"),
        ("$", "first = wörd\nsecond = 😀\nthird = call(a)"),
        ("gg$i", "first = wör"),
    ):
        editor.keys(keys)
        thought = (before.encode(), pb.CompleteRequest.TRIGGER_AUTOMATIC)
        until(lambda thought=thought: thought in seen_by(scripted), f"it is asked for {thought}")
    editor.keys("<Esc>")


@in_editors_thread
def test_no_typed_key_says_that_the_cursor_was_put_somewhere(editor, scripted):
    scripted.answer = lambda request: NONE
    editor.open("typed.py", "first\n")
    editor.insert_at(0, 5)
    editor.lua(COUNT, "caret/cursorMoved")
    editor.keys(*" = second", "<CR>", "<BS>")
    editor.until(lambda: editor.lines == ["first = second"], "typed")
    editor.keys("<Left>")
    editor.until(lambda: editor.lua("return _G.told") == 1, "the cursor has moved once")
    editor.lua("require('caret').enable(false, 0)")
    editor.keys("<Left>", "<Right>", "<Left>", "<Esc>")
    editor.until(lambda: editor.cursor == (0, 11), "moved where it is switched off")
    assert editor.lua("return _G.told") == 1


@in_editors_thread
def test_what_becomes_of_suggestions_is_in_the_feedback_store(editor, scripted):
    scripted.answer = fates.answer
    editor.open("fates.py", fates.TEXT)
    for row, (name, text) in enumerate(fates.SUGGESTED.items()):
        editor.insert_at(row, len(f"{name} = "))
        assert editor.suggestion() == text
        time.sleep(fates.SEEN_S)
        if name == "taken":
            editor.keys("<Tab>")
        elif name == "worded":
            editor.keys("<M-Right>")
            editor.until(lambda: editor.lines[1] == "worded = first", "a word")
            assert editor.suggestion() == " + second"
        editor.keys("<C-]>")
        editor.no_suggestion()
    assert editor.lines == ["taken = whole(text)", "worded = first", "hidden = "]
    row = fates.counted(editor.store)
    assert (row.shown, row.accepted, row.accepted_sooner) == (3, 2, 0)
    assert row.accepted_bytes == len("whole(text)first")


@in_editors_thread
def test_files_are_watched(editor, scripted):
    open_at_mark(editor, scripted, " ghost")
    method = "workspace/didChangeWatchedFiles"
    registered = (
        "return vim.lsp.get_clients({ name = 'caret' })[1].dynamic_capabilities:get(...) ~= nil"
    )
    editor.until(lambda: editor.lua(registered, method), "the server has asked for it")


@in_editors_thread
def test_checkhealth_is_clean(editor, scripted):
    open_at_mark(editor, scripted, " ghost")
    editor.keys("<Esc>")
    report = editor.health()
    assert "OK Neovim" in report and "OK running" in report and "OK the model is ready" in report
    assert "ERROR" not in report and "WARNING" not in report
    assert "vim.lsp.inline_completion" in report or editor.engine.endswith("extmarks")


@pytest.mark.parametrize("arm", [ARMS[0], ARMS[-1]], ids=[ARMS[0][0], ARMS[-1][0]])
async def test_a_service_out_of_reach_is_failed_until_it_is_reached(arm, tmp_path):
    async with running_service() as service:
        await service.stop()
        loop = asyncio.get_running_loop()

        def statuses() -> None:
            editor = start(arm, service.address, tmp_path)
            try:
                editor.edit("a.py", "x = 1\n")
                editor.until(lambda: editor.status == "loading", "it is looked for")
                editor.until(lambda: editor.status != "loading", "it is not there")
                assert editor.status == "failed"
                report = editor.health()
                assert "ERROR failed" in report and "caret doctor" in report
                assert "ready" not in report
                asyncio.run_coroutine_threadsafe(service.start(), loop).result()
                editor.until(lambda: editor.status == "ready", "it is reached")
                assert "OK the model is ready" in editor.health()
            finally:
                editor.close()

        await in_editors_thread(statuses)()


@in_editors_thread
def test_fast_typing_is_answered_once_each_and_not_harmed(editor, scripted):
    scripted.answer = lambda request: answer("shown")
    editor.open("fast.py", "\n")
    editor.lua(
        "_G.asked = {}\n"
        "vim.api.nvim_create_autocmd('LspRequest', { callback = function(args)\n"
        "  local request = args.data.request\n"
        "  if request.method ~= 'textDocument/inlineCompletion' then return end\n"
        "  local id = tostring(args.data.request_id)\n"
        "  if request.type ~= 'cancel' then\n"
        "    _G.asked[id] = (_G.asked[id] or 0) + (request.type == 'complete' and 1 or 0)\n"
        "  end\n"
        "end })"
    )
    typed = "value = [number for number in range(100) if number % 7]"
    editor.insert_at(0, 0, typed)
    assert editor.lines == [typed]
    editor.suggestion()
    editor.until(lambda: set(editor.lua("return _G.asked").values()) == {1}, "each answered once")
    assert editor.lines == [typed]


CODE = """import os


def add(first, second):
    return first + second


def add_all(numbers):
    total = 0
    for number in numbers:
        total = add(total, number)
    return total


def subtract(first, second):
    return first - second
"""


@pytest.fixture(scope="module", params=ARMS, ids=IDS)
async def bundled(request, service, tmp_path_factory):
    folder = tmp_path_factory.mktemp("neovim-bundled")
    one = await in_editors_thread(start)(request.param, str(service.address), folder)
    yield one
    await in_editors_thread(one.close)()


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        (14, len("    return "), "at the end of a line"),
        (14, len("    return fir"), "behind a word begun"),
        (10, len("        total = add("), "in the middle of a line"),
    ],
)
@in_editors_thread
def test_what_the_bundled_model_says_is_accepted_as_it_is_shown(bundled, row, column, why):
    lines = CODE.splitlines()
    head, tail = lines[row][:column], lines[row][column:]
    if why != "in the middle of a line":
        tail = ""
    lines[row] = head + tail
    bundled.open("model.py", "\n".join(lines) + "\n")
    bundled.insert_at(row, column)
    bundled.lua("require('caret').suggest()")
    shown = bundled.suggestion()
    bundled.keys("<Tab>")
    bundled.until(lambda: bundled.lines != lines, "it is inserted")
    count = len(bundled.lines) - len(lines) + 1
    assert bundled.lines[:row] == lines[:row], why
    assert bundled.lines[row + count :] == lines[row + 1 :], why
    inserted = "\n".join(bundled.lines[row : row + count])
    assert inserted.startswith(head + shown.split("\n")[0].rstrip()), why
