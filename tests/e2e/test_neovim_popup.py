"""The list of names in Neovim: its own completion asks `caret lsp`, and shows it in the model's order."""

from __future__ import annotations

import pytest

from completion.wire import completion_pb2 as pb
from tests.e2e.neovim import ARMS, IDS, Editor, in_editors_thread, start

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # the first time it is downloaded

LIKELY = {"order": -0.1, "paint": -0.5, "open_door": -4.0}
METHODS = "".join(f"    def {name}(self): ...\n" for name in ("open_door", "order", "paint"))
SHOP = f"class Shop:\n{METHODS}\n\nshop = Shop()\nshop\n"
ROW = SHOP.count("\n") - 1


@pytest.fixture(scope="module", params=ARMS, ids=IDS)
async def editor(request, scripted, tmp_path_factory):
    scripted.likely = lambda text: LIKELY.get(text, -20.0)
    scripted.answer = lambda request: pb.CompleteResponse()
    folder = tmp_path_factory.mktemp("neovim")
    settings = {"popup": {"budget_ms": 60_000}}  # the order is tested, not how long it takes
    one = await in_editors_thread(start)(request.param, scripted.address, folder, settings=settings)
    yield one
    await in_editors_thread(one.close)()


def offered(editor: Editor) -> list[str]:
    """Wait for the list; return its names, from the top."""

    def is_visible() -> bool:
        return bool(editor.nvim.funcs.pumvisible())

    editor.until(is_visible, "the list")
    return [one["word"] for one in editor.nvim.funcs.complete_info(["items"])["items"]]


def choose_third(editor: Editor) -> None:
    """Take the third name, wherever in the list the editor begins."""
    for _ in range(3):
        if editor.nvim.funcs.complete_info(["selected"])["selected"] < 2:
            editor.keys("<C-n>")
    editor.keys("<C-y>")
    editor.until(lambda: editor.lines[ROW] == "shop.open_door", "it is taken")
    assert editor.lines[:ROW] == SHOP.splitlines()[:ROW]


@in_editors_thread
def test_omni_completion_is_in_the_order_of_the_model(editor, scripted):
    editor.open("omni.py", SHOP)
    editor.insert_at(ROW, len("shop"), ".")
    editor.keys("<C-x><C-o>")
    assert offered(editor)[:3] == ["order", "paint", "open_door"]
    choose_third(editor)


@in_editors_thread
def test_what_is_typed_of_a_name_leaves_the_likeliest_that_fits_first(editor, scripted):
    editor.open("begun.py", SHOP)
    editor.insert_at(ROW, len("shop"), ".o")
    editor.keys("<C-x><C-o>")
    assert offered(editor)[:2] == ["order", "open_door"]
    editor.keys("<C-e>", "<Esc>")


@in_editors_thread
def test_neovims_own_completion_opens_it_behind_a_dot(editor, scripted):
    if not editor.lua("return vim.lsp.completion ~= nil"):
        pytest.skip("this Neovim has none")
    editor.open("own.py", SHOP)
    editor.lua(
        "local client = vim.lsp.get_clients({ name = 'caret' })[1]\n"
        "vim.lsp.completion.enable(true, client.id, 0, { autotrigger = true })"
    )
    editor.insert_at(ROW, len("shop"), ".")
    assert offered(editor)[:3] == ["order", "paint", "open_door"]
    choose_third(editor)
