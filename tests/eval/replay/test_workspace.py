"""The workspace that a file is typed in, and that nothing untyped reaches a request from there."""

from __future__ import annotations

import asyncio

import pytest

from completion.errors import UsageError
from eval.engines.base import Engine, Identity
from eval.item import Answer, Ask, Item
from eval.replay.editor import Manner
from eval.replay.typist import Typing
from eval.replay.workspace import lay_out
from eval.suites.base import Draw
from eval.suites.replay import Replay
from eval.workspace.arms import Arm
from eval.workspace.others import TELLING
from eval.workspace.place import Place
from tests.lsp.conftest import Service

SECRET_END = "\n".join(f"    untyped_{n} = deposit_coin(secret_{n})" for n in range(10))
REGION = f"def typed_now(purse):\n    coin = purse.take()\n{SECRET_END}\n    return coin"
ABOVE = "from bank.vault import deposit_coin\n\n\n"
BELOW = "\n\n\ndef other():\n    return 1\n"
VAULT = "def deposit_coin(coin):\n    '''Puts it away.'''\n    return coin\n"


@pytest.fixture
def real(tmp_path):
    """A project whose disk has the whole file, a built copy of it, and an older version."""
    root = tmp_path / "real"
    for path, text in {
        "bank/app.py": ABOVE + REGION + BELOW,
        "bank/vault.py": VAULT,
        "bank/a.py": "def a():\n    return 1\n",
        "bank/b.py": "def b():\n    return 2\n",
        "bank/z.py": "def z():\n    return 26\n",
        "build/lib/app_copy.py": ABOVE + REGION + BELOW,
        "ignored/app.py": ABOVE + REGION + BELOW,
        ".gitignore": "ignored/\n",
        ".caret.toml": "[context]\nmax_bytes = 2000\n",
        ".env": "KEY=1\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


TYPING = Typing(above=ABOVE, region=REGION, below=BELOW)


def test_the_copy_has_all_that_may_be_read_and_nothing_of_what_is_not_typed_yet(real, tmp_path):
    assert len(REGION) > TELLING
    into = tmp_path / "copy"
    tabs = lay_out(Place(root=real, path="bank/app.py"), TYPING, into)
    there = {p.relative_to(into).as_posix() for p in into.rglob("*") if p.is_file()}
    assert there == {
        ".caret.toml", "bank/app.py", "bank/vault.py", "bank/a.py", "bank/b.py", "bank/z.py",
    }  # fmt: skip
    assert (into / "bank/app.py").read_text() == ABOVE + BELOW
    assert not any("untyped" in (into / path).read_text() for path in there)
    assert [tab.name for tab in tabs] == ["a.py", "b.py", "vault.py"]
    assert (real / "bank/app.py").read_text() == ABOVE + REGION + BELOW


def test_a_file_that_is_not_in_the_workspace_is_a_usage_error(real):
    item = Item(id="x", prefix=b"", suffix=b"", reference=b"x", path="elsewhere.py")
    with pytest.raises(UsageError, match="--workspace"):
        Replay(workspace=real).place_of(item)


def test_the_place_is_the_tree_that_was_read(real):
    suite = Replay()
    item = Item(id="x", prefix=b"", suffix=b"", reference=b"x", path="bank/app.py")
    assert suite.place_of(item) is None  # nobody said where it lies
    suite.load(real)
    assert suite.place_of(item) == Place(root=real, path="bank/app.py")


class At(Engine):
    """A service somewhere; only its address is used."""

    name = "server"

    def __init__(self, address: str) -> None:
        self.address = address

    async def start(self) -> Identity:
        return Identity(name="at")

    async def answer(self, item: Item, ask: Ask) -> Answer:
        raise AssertionError("an editor is to ask, not the harness")


@pytest.mark.parametrize("context", [True, False])
async def test_what_is_not_typed_yet_reaches_no_request(real, service: Service, context: bool):
    from completion.wire import completion_pb2 as pb

    service.answer = lambda request: pb.CompleteResponse(declined="nothing")
    short = REGION[: REGION.index("\n    return coin")]
    end = len(short) - len(SECRET_END) + 30  # the first line of the secret end, less its last word
    item = Item(
        id="app", path="bank/app.py", prefix=ABOVE.encode(), reference=short[:end].encode(),
        suffix=("\n    return coin" + BELOW).encode(),
    )  # fmt: skip
    suite = Replay(workspace=real, manner=Manner(other_files=None if context else Arm.NONE))
    async with asyncio.timeout(60):
        answers = await suite.answers(item, At(service.address), Draw())
    asked = service.requests
    assert len(asked) > len(answers) > 50
    typed = ABOVE.encode()
    for request in asked:
        # prefix and suffix are the open document's, never the disk's
        assert (typed + item.reference).startswith(request.document.prefix)
        assert request.document.suffix == item.suffix
        for snippet in request.snippets:
            assert b"untyped" not in snippet.text
            assert b"typed_now" not in snippet.text or b"def typed_now" in request.document.prefix
    sent = {snippet.path for request in asked for snippet in request.snippets}
    assert ("bank/vault.py" in sent) is context
    assert sent <= {"bank/vault.py", "bank/a.py", "bank/b.py", "bank/app.py"}
