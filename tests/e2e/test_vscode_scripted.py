"""The VS Code extension before a service that answers as the test wants: what is asked, and when.

The workbench and `caret lsp` are the real ones. What reaches the service is compared with the file on
disk and with what was typed.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path

import pytest

from completion.wire import completion_pb2 as pb
from tests.e2e import fates
from tests.e2e.neovim import in_editors_thread
from tests.e2e.odd_text import odd_text
from tests.e2e.vscode.workbench import Workbench, read, until
from tests.lsp.conftest import Service, candidate

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
async def workbench(scripted, tools, vsix, tmp_path_factory):
    machine = {
        "caret.command": [sys.executable, "-P", "-m", "completion.cli"],
        "caret.server": scripted.address,
    }
    settings = {
        "caret.timeoutMs": 60_000,
        "caret.popup.budgetMs": 60_000,
        "caret.speculate": False,
        "editor.unusualLineTerminators": "off",
    }
    one = Workbench(
        tools, vsix, tmp_path_factory.mktemp("vscode"), machine=machine, settings=settings
    )
    await in_editors_thread(one.__enter__)()
    yield one
    await in_editors_thread(one.__exit__)(None, None, None)


@pytest.fixture
async def hold(scripted):
    """Hold answers back (True) or let them go, from the thread of the editor."""
    loop = asyncio.get_running_loop()

    def call(held: bool) -> None:
        loop.call_soon_threadsafe(scripted.gate.clear if held else scripted.gate.set)

    yield call
    scripted.gate.set()


def ready(workbench: Workbench, name: str, text: str) -> Path:
    path = workbench.open(name, text)
    workbench.status_becomes("ready")
    return path


@in_editors_thread
def test_a_slow_server_holds_up_no_key(workbench, scripted, hold):
    scripted.answer = lambda request: candidate("_shown")
    path = ready(workbench, "slow.py", "first = 1\n")
    hold(True)
    typed = "second = first + third - fourth * fifth"
    workbench.type(typed, delay_ms=20)
    assert workbench.saved(path, "first = 1\n") == f"first = 1\n{typed}"
    assert workbench.ghost(wait=None) == ""
    hold(False)
    workbench.press("Space")
    assert workbench.ghost() == "_shown"


@in_editors_thread
def test_what_is_typed_while_the_service_is_held_is_answered_or_cancelled_once(
    workbench, scripted, hold
):
    answered: list[int] = []

    def answer(request: pb.CompleteRequest) -> pb.CompleteResponse:
        answered.append(id(request))
        return candidate(f"_behind_{len(request.document.prefix)}")

    scripted.answer = answer
    before = "first = 1\n"
    ready(workbench, "held.py", before)
    hold(True)
    until(lambda: not scripted.gate.is_set(), "answers are held back")
    # An editor may ask as it opens a file: what is held counts, what was answered does not.
    asked, cancelled = len(scripted.requests) - scripted.running, scripted.cancelled
    answered.clear()
    for word in ("frist", "scond", "thrid"):
        workbench.type(word, delay_ms=20)
        until(lambda: scripted.running == 1, "it is asked for")
        workbench.press("Control+Backspace")
        until(lambda: scripted.running == 0, "it is given up with its text")
    assert scripted.cancelled - cancelled == len(scripted.requests) - asked >= 3
    typed = "second = first + third - fourth * fifth"
    workbench.type(typed, delay_ms=20)
    until(lambda: scripted.running == 1, "of all that was asked for one is held")
    assert not answered
    hold(False)
    # No key more: it is the answer to the last request that comes.
    wanted = f"_behind_{len(before + typed)}"
    until(lambda: workbench.ghost(wait=None) == wanted, "the last one's ghost text")
    until(lambda: scripted.running == 0, "none is left running")
    requests = {id(one) for one in scripted.requests[asked:]}
    assert set(answered) <= requests
    assert len(answered) == len(set(answered))
    assert len(answered) + scripted.cancelled - cancelled == len(requests)


@in_editors_thread
def test_a_suggestion_is_thought_of_where_the_cursor_was_only_moved_to(workbench, scripted):
    scripted.answer = lambda request: pb.CompleteResponse()
    workbench.set({"caret.speculate": True})
    try:
        ready(workbench, "moved.py", "first = call()\nsecond = 2\n")
        for keys, before in (
            (["Control+Home", "End"], b"first = call()"),
            (["ArrowLeft"], b"first = call("),
            (["ArrowDown", "End"], b"first = call()\nsecond = 2"),
        ):
            workbench.press(*keys)
            until(
                lambda before=before: before
                in [one.document.prefix for one in scripted.requests],
                f"it is asked for behind {before}",
            )  # fmt: skip
    finally:
        workbench.set({"caret.speculate": False})


@in_editors_thread
def test_with_several_cursors_what_is_taken_harms_no_text_at_the_others(workbench, scripted):
    text = "first = f()\nother = g(kept)\nthird = h[kept]\n"

    def answer(request: pb.CompleteRequest) -> pb.CompleteResponse:
        is_main = request.document.prefix.endswith(b"first = f(")
        return candidate("taken)", replace_after=1) if is_main else pb.CompleteResponse()

    scripted.answer = answer
    path = ready(workbench, "several.py", text)
    workbench.press("Control+Home", "End", "ArrowLeft")
    for _ in range(2):
        workbench.command("Add Cursor Below")
    workbench.press("Alt+\\")
    assert workbench.ghost() == "taken" * 3, "VS Code shows it at each of them"
    workbench.screenshot("several")
    workbench.press("Tab")
    first, *others = workbench.saved(path, text).splitlines()
    assert first == "first = f(taken)"
    assert [one.replace("taken", "") for one in others] == text.splitlines()[1:]


@in_editors_thread
def test_a_comment_is_left_alone_unless_asked(workbench, scripted):
    scripted.answer = lambda request: candidate("_shown")
    workbench.set({"caret.disabledScopes": ["comment"]})
    try:
        ready(workbench, "comment.py", "value = 1\n")
        asked = len(scripted.requests)
        workbench.type("# what it is", delay_ms=30)
        workbench.press("Alt+\\")  # asked for: the first that comes
        assert workbench.ghost() == "_shown"
        triggers = {one.trigger for one in scripted.requests[asked:]}
        assert triggers == {pb.CompleteRequest.TRIGGER_INVOKED}
        workbench.press("Escape", "Enter")
        workbench.type("value", delay_ms=30)
        assert workbench.ghost() == "_shown"
    finally:
        workbench.set({"caret.disabledScopes": None})


@in_editors_thread
def test_a_secret_file_beside_goes_nowhere(workbench, scripted):
    scripted.answer = lambda request: candidate("_shown")
    secret = "hunter2hunter2hunter2"
    (workbench.folder / ".env").write_text(f"SHOP_PASSWORD={secret}\n")
    asked = len(scripted.requests)
    ready(workbench, "shop.py", "import os\n\nSHOP_PASSWORD = os.environ")
    workbench.ask("file", title=".env")
    workbench.press("Control+End")
    workbench.type("SHOP_USER=", delay_ms=30)
    workbench.press("Alt+\\")
    workbench.ask("file", title="shop.py")
    workbench.press("Control+End")
    workbench.type("[", delay_ms=30)
    workbench.press("Alt+\\")
    assert workbench.ghost() == "_shown"
    requests = scripted.requests[asked:]
    assert requests and {one.document.path for one in requests} == {"shop.py"}
    assert all(secret not in str(one) for one in requests)
    workbench.ask("file", title=".env")
    workbench.press("Control+s")


@in_editors_thread
def test_the_popup_is_in_the_order_of_the_model(workbench, scripted):
    likely = {"order": -0.1, "paint": -0.5, "open_door": -4.0}
    scripted.likely = lambda text: likely.get(text, -20.0)
    scripted.answer = lambda request: pb.CompleteResponse()
    names = ("open_door", "order", "paint")
    methods = "".join(f"    def {name}(self): ...\n" for name in names)
    ready(workbench, "popup.py", f"class Shop:\n{methods}\n\nshop = Shop()\nshop")
    workbench.type(".")
    names = workbench.ask("popup")
    workbench.screenshot("popup")
    assert names[:3] == ["order", "paint", "open_door"]
    workbench.press("Escape")


@in_editors_thread
def test_ghost_text_stands_beside_the_popup_whose_first_name_it_says(workbench, scripted):
    scripted.likely = lambda text: {"order": -0.1, "paint": -0.5}.get(text, -20.0)

    def answer(request: pb.CompleteRequest) -> pb.CompleteResponse:
        chosen = request.selected_completion
        if chosen.text:
            text = f"{chosen.text.decode()}(1)"
            return candidate(text, replace_before=chosen.replace_before)
        is_member = request.document.prefix.endswith(b"shop.")
        return candidate("paint(1)") if is_member else pb.CompleteResponse()

    scripted.answer = answer
    text = (
        "class Shop:\n    def order(self): ...\n    def paint(self): ...\n\n\nshop = Shop()\nshop"
    )
    ready(workbench, "agreeing.py", text)
    workbench.type(".")
    assert workbench.ask("popup")[0] == "paint", "though the model's scores have another first"
    until(lambda: workbench.ghost(wait=None).endswith("(1)"), "the ghost text stands")
    workbench.screenshot("agreeing")
    workbench.press("Escape")


def saved_as(workbench: Workbench, path: Path) -> str:
    workbench.press("Control+s")
    return read(path)


@in_editors_thread
def test_what_the_popup_has_chosen_is_gone_on_with(workbench, scripted):
    scripted.likely = lambda text: {"order": -0.1}.get(text, -20.0)

    def answer(request: pb.CompleteRequest) -> pb.CompleteResponse:
        chosen = request.selected_completion
        if chosen.text:
            text = f"{chosen.text.decode()}(1)"
            return candidate(text, replace_before=chosen.replace_before)
        rest = request.document.prefix.endswith(b"shop.order")
        return candidate("(1)") if rest else pb.CompleteResponse()

    scripted.answer = answer
    text = (
        "class Shop:\n    def order(self): ...\n    def paint(self): ...\n\n\nshop = Shop()\nshop"
    )
    path = ready(workbench, "chosen.py", text)
    workbench.type(".")
    assert workbench.ask("popup")[0] == "order"
    workbench.press("Alt+\\")
    ghost = workbench.ghost()
    workbench.screenshot("chosen")
    assert ghost.endswith("(1)")
    assert any(one.selected_completion.text == b"order" for one in scripted.requests)
    workbench.press("Tab")
    until(lambda: saved_as(workbench, path) == f"{text}.order", "what the list has chosen is taken")
    assert workbench.ghost() == "(1)"
    workbench.press("Tab")
    until(lambda: saved_as(workbench, path) == f"{text}.order(1)", "what follows it is taken")


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@in_editors_thread
def test_any_editing_leaves_the_servers_copy_equal(workbench, scripted, end):
    scripted.answer = lambda request: candidate("_shown")
    chance = random.Random(end)

    name = f"random{len(end)}.py"
    path = ready(workbench, name, "".join(f"{odd_text(chance)}{end}" for _ in range(12)))
    for turn in range(10):
        for _ in range(10):
            edit_at_random(workbench, chance)
        asked = len(scripted.requests)
        workbench.ask("insert", text=f"{turn}")  # so that this text was never asked about
        workbench.press("Alt+\\")
        until(lambda asked=asked: len(scripted.requests) > asked, "it is asked")
        until(lambda: saved_as_asked(workbench, path, scripted), "disk and server are equal")
        workbench.press("Escape")


def saved_as_asked(workbench: Workbench, path: Path, scripted: Service) -> bool:
    workbench.press("Control+s")
    document = scripted.requests[-1].document
    return (document.prefix + document.suffix).decode() == read(path)


def edit_at_random(workbench: Workbench, chance: random.Random) -> None:
    """Move, select, type, paste, delete, or take something back, by keys."""
    moves = ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "Control+ArrowRight",
             "Shift+ArrowRight", "Shift+ArrowDown", "Control+Home", "Control+End")  # fmt: skip
    kind = chance.randrange(8)
    if kind < 3:
        workbench.press(*chance.choices(moves, k=chance.randrange(1, 5)))
    elif kind < 5:
        workbench.ask("insert", text=odd_text(chance))
    elif kind == 5:
        workbench.press(*["Backspace"] * chance.randrange(1, 4))
    elif kind == 6:
        workbench.press(chance.choice(("Delete", "Enter", "Alt+ArrowUp", "Control+Enter")))
    else:
        workbench.press("Control+z")


@in_editors_thread
def test_what_becomes_of_suggestions_is_in_the_feedback_store(workbench, scripted):
    scripted.answer = fates.answer
    path = ready(workbench, "fates.py", fates.TEXT)
    for row, (name, text) in enumerate(fates.SUGGESTED.items()):
        workbench.press("Control+Home", *["ArrowDown"] * row, "End", "Alt+\\")
        assert workbench.ghost() == text
        time.sleep(fates.SEEN_S)
        assert workbench.ghost(wait=None) == text, "it stands as long as nobody does anything"
        if name == "taken":
            workbench.press("Tab")
        elif name == "worded":
            workbench.press("Control+ArrowRight")
            until(lambda: workbench.ghost(wait=None) == " + second", "a word is taken")
        workbench.press("Escape")
        assert workbench.ghost(wait=False) == ""
    workbench.press("Control+Home")  # VS Code says nothing of Escape: what moves the cursor ends it
    row = fates.counted(workbench.home / "state" / "caret" / "feedback.sqlite3")
    assert (row.shown, row.accepted, row.accepted_sooner) == (3, 2, 0)
    assert row.accepted_bytes == len("whole(text)first")
    wanted = "taken = whole(text)\nworded = first\nhidden = \n"
    until(lambda: saved_as(workbench, path) == wanted, "the file holds what was taken and no more")
