"""What keeps a suggestion from coming in Neovim: settings changed as it runs, comments, secret files.

Before a service that answers whatever it is asked: what it was asked is what is tested.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from completion.wire import completion_pb2 as pb
from tests.e2e.neovim import ARMS, IDS, Editor, in_editors_thread, start
from tests.e2e.vscode.workbench import until
from tests.lsp.conftest import Service, candidate

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # the first time it is downloaded

INVOKED = pb.CompleteRequest.TRIGGER_INVOKED
AUTOMATIC = pb.CompleteRequest.TRIGGER_AUTOMATIC
SHOWN = "_shown"

FOLLOW = """
_G.asked = vim.empty_dict()
vim.api.nvim_create_autocmd('LspRequest', { callback = function(args)
  local request, id = args.data.request, tostring(args.data.request_id)
  if request.method == 'textDocument/inlineCompletion' and (request.type == 'pending' or _G.asked[id]) then
    _G.asked[id] = request.type
  end
end })
"""


class Recording(Service):
    """Has what is sent of the workspace, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.changes: list[pb.WorkspaceChange] = []

    async def SyncWorkspace(self, changes, context):
        await anext(changes)  # says which workspace
        yield pb.WorkspaceState(server_epoch="1", need_resync=True)
        async for change in changes:
            self.changes.append(change)
            yield pb.WorkspaceState(server_epoch="1", acked_version=change.version)


@pytest.fixture(scope="module")
async def scripted():
    folder = Path(tempfile.mkdtemp(prefix="caret-test-"))
    one = Recording(folder)
    await one.start()
    yield one
    await one.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=ARMS, ids=IDS)
async def editor(request, scripted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("neovim")
    (folder / ".git").mkdir()  # a workspace, so that there is a beside
    settings = {"speculate": False}  # what reaches the service is counted
    filetypes = ["python", "sh", "env"]
    one = await in_editors_thread(start)(
        request.param, scripted.address, folder, settings=settings, filetypes=filetypes
    )
    await in_editors_thread(one.lua)(FOLLOW)
    scripted.answer = lambda request: candidate(SHOWN)
    yield one
    await in_editors_thread(one.close)()


def type_behind(editor: Editor, row: int, typed: str) -> None:
    """Type at the end of a line."""
    editor.insert_at(row, len(editor.lines[row].encode()), typed)


def triggers(scripted: Service, asked: int) -> list[int]:
    """What each request came of, those behind the first `asked`."""
    return [one.trigger for one in scripted.requests[asked:]]


def nothing_comes(editor: Editor, row: int, typed: str) -> None:
    """Type at the end of a line, and wait until the language server has answered with nothing."""
    editor.keys("<Esc>")
    editor.no_suggestion()
    editor.lua("_G.asked = vim.empty_dict()")
    type_behind(editor, row, typed)
    all_answered(editor)
    assert not editor.ghosts


def all_answered(editor: Editor) -> None:
    """Wait until Neovim has asked for suggestions and has an answer to each request."""
    editor.until(
        lambda: set(editor.lua("return _G.asked").values()) == {"complete"}, "answers to all"
    )


def ask_in_vain(editor: Editor) -> None:
    """Ask by the key where nothing is suggested even so."""
    editor.lua("_G.asked = vim.empty_dict()")
    editor.keys("<M-Bslash>")
    all_answered(editor)
    assert not editor.ghosts


@in_editors_thread
def test_settings_hold_at_once_where_setup_is_called_again(editor, scripted):
    editor.open("settings.py", "value = 1\n")
    of_caret = "return vim.tbl_map(function(one) return one.id end, vim.lsp.get_clients({ name = 'caret' }))"
    before = editor.lua(of_caret)
    type_behind(editor, 0, " + first")
    assert editor.suggestion() == SHOWN

    editor.set(enabled=False)
    asked = len(scripted.requests)
    nothing_comes(editor, 0, " + second")
    ask_in_vain(editor)
    assert len(scripted.requests) == asked

    editor.set(disabled_languages=["python"])
    nothing_comes(editor, 0, " + third")
    editor.keys("<M-Bslash>")
    assert editor.suggestion() == SHOWN
    assert set(triggers(scripted, asked)) == {INVOKED}

    editor.set()  # what is said no more does not hold any more
    asked = len(scripted.requests)
    type_behind(editor, 0, " + fourth")
    assert editor.suggestion() == SHOWN
    assert set(triggers(scripted, asked)) == {AUTOMATIC}
    assert editor.lua(of_caret) == before, "the language server is the same one"


@in_editors_thread
def test_settings_of_a_later_setup_are_those_of_a_restarted_server(editor, scripted):
    editor.open("restarted.py", "value = 1\n")
    editor.set(disabled_languages=["python"])
    editor.set(disabled_scopes=["string"])
    editor.nvim.command("Caret restart")
    editor.until(lambda: editor.status == "ready", "it is started again")
    assert "deprecated" not in editor.nvim.command_output("messages")
    type_behind(editor, 0, " + first")
    assert editor.suggestion() == SHOWN, "what the later one leaves out"
    nothing_comes(editor, 0, " + 'text")
    editor.set()


@in_editors_thread
def test_a_key_does_what_it_did_also_where_setup_is_called_again(editor, scripted):
    editor.open("keys.py", "value = 1\n")
    editor.nvim.command("setlocal noexpandtab")
    editor.set()
    editor.set(enabled=False)
    try:
        nothing_comes(editor, 0, ";")
        editor.keys("<Tab>", ";")
        editor.until(lambda: editor.lines[0].endswith(";"), "typed")
        assert editor.lines == ["value = 1;\t;"]
    finally:
        editor.set()
    type_behind(editor, 0, "second")
    assert editor.suggestion() == SHOWN
    editor.keys("<Tab>")
    editor.until(lambda: editor.lines == [f"value = 1;\t;second{SHOWN}"], "it is taken")


@in_editors_thread
def test_a_comment_is_left_alone_where_the_settings_say_so(editor, scripted):
    editor.open("comment.py", "value = 1\n\n")
    editor.set(disabled_scopes=["comment"])
    asked = len(scripted.requests)
    nothing_comes(editor, 0, "  # what it is")
    assert len(scripted.requests) == asked
    editor.keys("<M-Bslash>")
    assert editor.suggestion() == SHOWN
    assert triggers(scripted, asked) == [INVOKED]
    asked = len(scripted.requests)
    type_behind(editor, 1, "other")
    assert editor.suggestion() == SHOWN
    assert set(triggers(scripted, asked)) == {AUTOMATIC}, "in code it comes by itself"

    editor.set()
    asked = len(scripted.requests)
    type_behind(editor, 0, " for")
    assert editor.suggestion() == SHOWN
    assert set(triggers(scripted, asked)) == {AUTOMATIC}


@in_editors_thread
def test_a_secret_file_beside_goes_nowhere(editor, scripted):
    secret, plain = "hunter2hunter2hunter2", "teal_and_mauve"  # one that no search takes for a key
    beside = "price_of_everything"
    before = len(scripted.requests)
    editor.edit(".env", f"# the shop's password is {secret}\nSHOP_PASSWORD={secret}\n\n")
    editor.nvim.command("setfiletype sh")  # Neovim 0.10 knows no file type of it
    editor.until(lambda: editor.status == "ready", "the server is ready")
    nothing_comes(editor, 2, f"SHOP_USER={plain}")
    ask_in_vain(editor)
    editor.keys("<Esc>")
    editor.nvim.command("write")
    assert len(scripted.requests) == before

    # As a control a file that is none, opened and edited in the same way: it does go along.
    editor.open("prices.py", "SHOP_PASSWORD = ''\n")
    type_behind(editor, 0, f"; SHOP_USER = {beside}")
    editor.suggestion()
    editor.keys("<Esc>")
    editor.nvim.command("write")
    editor.open("shop.py", "import os\n\nSHOP_PASSWORD = os.environ\nSHOP_USER = os.environ\n")
    asked = len(scripted.requests)

    def goes_along() -> bool:
        type_behind(editor, 3, "[")  # what is beside is gathered while one types
        assert editor.suggestion() == SHOWN
        return any(beside in str(one.snippets) for one in scripted.requests[asked:])

    editor.until(goes_along, "what is beside goes along")
    editor.keys("<Esc>")
    requests = scripted.requests[before:]
    assert {one.document.path for one in requests} == {"prices.py", "shop.py"}
    until(
        lambda: any(beside.encode() in one.SerializeToString() for one in scripted.changes),
        "what is beside is in the workspace's model",
    )
    sent = [*requests, *scripted.changes, *scripted.scored, *scripted.feedback]
    assert not [
        one for one in sent for text in (secret, plain) if text.encode() in one.SerializeToString()
    ]
