"""Editor settings: nested or flat, null as unset, and never where code goes."""

from __future__ import annotations

import pytest

from completion.config import Config
from lsp.settings import apply

BASE = Config()


@pytest.mark.parametrize("received", [{"caret": {"lines": "single"}}, {"lines": "single"}])
def test_settings_are_taken_nested_and_flat(received):
    loaded = apply(BASE, received)
    assert loaded.config.client.lines == "single"
    assert loaded.messages == ()


@pytest.mark.parametrize("key", ["server", "start_timeout_s"])
def test_what_says_where_code_goes_is_refused_with_a_message(key):
    loaded = apply(BASE, {"caret": {key: "10"}})
    assert loaded.config == BASE
    assert len(loaded.messages) == 1 and key in loaded.messages[0]


@pytest.mark.parametrize("section", ["server", "model"])
def test_another_section_is_no_way_around(section):
    loaded = apply(BASE, {"caret": {section: {"listen": "0.0.0.0:1", "path": "/x"}}})
    assert loaded.config == BASE
    assert loaded.messages


def test_a_null_is_a_setting_not_made():
    assert apply(BASE, {"caret": {"lines": None}}).messages == ()
    assert apply(BASE, None).messages == ()
    assert apply(BASE, {"caret": None}).config == BASE


@pytest.mark.parametrize("received", [7, ["a"], {"caret": "on"}, {"lines": 5}, {"nonsense": 1}])
def test_anything_else_is_a_message_and_the_default(received):
    loaded = apply(BASE, received)
    assert loaded.config == BASE
    assert len(loaded.messages) == 1
