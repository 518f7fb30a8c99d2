"""What editors send, well formed or not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.feedback import messages
from lsp.feedback.events import REASONS

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


def params(**fields):
    return SimpleNamespace(**{"completionId": "c1", "candidate": 0, **fields})


def test_well_formed_ones_are_read():
    assert messages.accepted(["c1", 2]) == ("c1", 2)
    assert messages.shown(params(visibleMs=812.6)) == messages.Shown(key=("c1", 0), visible_ms=812)
    partly = messages.partly_accepted(params(candidate=1, acceptedLength=4))
    assert partly == messages.PartlyAccepted(key=("c1", 1), accepted_length=4)
    dismissed = messages.dismissed(params(reason="escape"))
    assert dismissed == messages.Dismissed(key=("c1", 0), reason="escape")


@pytest.mark.parametrize(
    "wrong", [{"completionId": "def f():"}, {"candidate": -1}, {"candidate": 0.5}, {"candidate": True},
              {"completionId": None}, {"visibleMs": -1}, {"visibleMs": float("nan")},
              {"visibleMs": "long"}]
)  # fmt: skip
def test_malformed_ones_are_none(wrong):
    assert messages.shown(params(**{"visibleMs": 1, **wrong})) is None


@given(JSON, JSON, JSON)
def test_nothing_an_editor_can_send_raises(one, two, three):
    for read in (messages.shown, messages.partly_accepted, messages.dismissed):
        read(one)
        read(
            params(
                completionId=one, candidate=two, visibleMs=three, acceptedLength=three, reason=three
            )
        )
        read(params(visibleMs=three, acceptedLength=three, reason=three))
    messages.accepted([one, two])
    messages.accepted([one])


def test_the_readme_tells_authors_of_clients_what_there_is():
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for method in (messages.COMMAND, messages.SHOWN, messages.PARTLY_ACCEPTED, messages.DISMISSED):
        assert f"`{method}`" in readme
    for word in ("visibleMs", "acceptedLength", *REASONS):
        assert f"`{word}`" in readme
