"""Edits of a synced file: its tokens are those of the whole file encoded anew."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from completion.engine.checkpoint import load_checkpoint
from completion.engine.fake import fake_checkpoint
from completion.server.synced_file import BadEdit, FileEncoder, SyncedFile
from completion.wire import completion_pb2 as pb

SOURCE = (
    b"class Widget:\n    def frob(self, value):\n        if value > 10:\n\n"
    b"            return 'caf\xc3\xa9 \xe4\xb8\x96' + value\n\n\n\tx = [1,  2]\n" * 40
)
PIECES = st.sampled_from(
    [
        b"",
        b"x",
        b"\n",
        b"    ",
        b"\n\n        ",
        b"caf\xc3\xa9",
        b"\xff",
        b"\xe4",
        b"def f():\n",
        b"\t",
    ]
)


@pytest.fixture(scope="module", params=["bundled", "bytes"])
def encoder(request):
    found = load_checkpoint("bundled") if request.param == "bundled" else fake_checkpoint()
    return FileEncoder(found.encoder)


def _applied(ids, splices):
    found = list(ids)
    for start, gone, more in splices:
        found[start : start + gone] = more.tolist()
    return found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_edits_give_the_tokens_of_the_whole(encoder, data):
    windows = data.draw(st.booleans(), "crlf")
    text = SOURCE.replace(b"\n", b"\r\n") if windows else SOURCE
    file = SyncedFile(encoder, text, 1)
    before = file.ids.copy()
    edits = []
    for _ in range(data.draw(st.integers(1, 4), "edits")):
        start = data.draw(st.integers(0, len(text)), "start")
        end = min(len(text), start + data.draw(st.integers(0, 200), "size"))
        new = data.draw(PIECES, "text")
        edits.append(pb.Edit(start=start, end=end, text=new))
        text = text[:start] + new + text[end:]
    splices = file.edit(edits, 2)
    assert file.text == text
    assert file.version == 2
    assert np.array_equal(file.ids, encoder.encode(text))
    assert _applied(before, splices) == file.ids.tolist(), "what the engine core is told"


def test_an_edit_of_a_large_file_touches_few_tokens(encoder):
    file = SyncedFile(encoder, SOURCE * 100, 1)
    at = len(file.text) // 2
    ((_, gone, more),) = file.edit([pb.Edit(start=at, end=at, text=b"y")], 2)
    assert gone < 400
    assert len(more) < 400


@pytest.mark.parametrize(("start", "end"), [(5, 4), (0, 10**9), (10**9, 10**9)])
def test_an_edit_beyond_the_text_changes_nothing(encoder, start, end):
    file = SyncedFile(encoder, SOURCE, 1)
    with pytest.raises(BadEdit):
        file.edit([pb.Edit(start=0, end=1, text=b"q"), pb.Edit(start=start, end=end)], 2)
    assert (file.text, file.version) == (SOURCE, 1)
