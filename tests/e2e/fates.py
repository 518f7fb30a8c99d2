"""Three suggestions with a fate each, and what the feedback store of a session then counts of them."""

from __future__ import annotations

from pathlib import Path

from completion.wire import completion_pb2 as pb
from lsp.feedback.events import VISIBLE_MS, Kind
from lsp.feedback.rates import ALL, Row, rates
from lsp.feedback.store import read
from tests.e2e.vscode.workbench import until

SUGGESTED = {"taken": "whole(text)", "worded": "first + second", "hidden": "unwanted(text)"}
"""What is suggested behind `taken = `, and so on."""
TEXT = "".join(f"{name} = \n" for name in SUGGESTED)
FATES = {
    ("taken", Kind.SHOWN), ("taken", Kind.ACCEPTED),
    ("worded", Kind.SHOWN), ("worded", Kind.PARTLY_ACCEPTED),
    ("hidden", Kind.SHOWN), ("hidden", Kind.DISMISSED),
}  # fmt: skip
SEEN_S = VISIBLE_MS / 1000 + 0.1
"""So long a suggestion stands before something becomes of it: sooner it would not count as shown."""


def answer(request: pb.CompleteRequest) -> pb.CompleteResponse:
    """Answer with what is missing of the suggestion of a line; its name is the completion's id."""
    name, _, done = request.document.prefix.decode().rpartition("\n")[2].partition(" = ")
    text = SUGGESTED.get(name, "")
    if not text.startswith(done) or text == done:
        return pb.CompleteResponse()
    missing = pb.Candidate(text=text[len(done) :].encode())
    return pb.CompleteResponse(completion_id=name, candidates=[missing])


def counted(store: Path) -> Row:
    """Wait until the store knows all of it; return what `caret feedback report` says of it."""

    def events() -> list:
        return [one for one in read(store) if one.completion_id in SUGGESTED]

    until(
        lambda: {(one.completion_id, one.kind) for one in events()} >= FATES,
        "the store knows what became of each",
    )
    fates = {(one.completion_id, one.kind) for one in events() if one.kind is not Kind.KEPT}
    more = fates - FATES - {("worded", Kind.DISMISSED)}  # the rest of it, where an editor says so
    assert not more, more
    (row,) = rates(events())[ALL]
    return row
