"""What may stand in an event, and what may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.feedback.events import Event, Kind, language_word
from tests.lsp.feedback.made import NOW, event


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("completion_id", "def secret():"),
        ("completion_id", ""),
        ("event_id", "a b"),
        ("language", "x = 1"),
        ("scope", "secret"),
        ("stop_reason", "Secret text"),
        ("reason", "because"),
        ("kept_share", 1.01),
        ("kept_share", float("nan")),
        ("at", float("inf")),
        ("visible_ms", -1),
        ("candidate", -1),
        ("after_s", 30),
    ],
)
def test_no_field_can_hold_a_text_or_a_number_out_of_range(name, value):
    fields = {"completion_id": "c1", "kind": Kind.SHOWN, "at": NOW, name: value}
    with pytest.raises(ValueError, match=name) as caught:
        Event(**fields)
    assert str(value) not in str(caught.value) or str(value) in ("", "-1", "30")


def test_a_measurement_has_its_time():
    with pytest.raises(ValueError, match="after_s"):
        event(kind=Kind.KEPT, after_s=31)
    assert event(kind=Kind.KEPT).after_s == 30


@given(st.text())
def test_whatever_an_editor_calls_a_language_can_be_written_down(text):
    event(language=language_word(text))


def test_two_events_have_two_ids():
    assert event().event_id != event().event_id
