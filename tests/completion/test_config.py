"""Configuration: places, order, and that nothing wrong in it stops anything."""

from pathlib import Path

import pytest

from completion.config import Config, reference
from completion.config_sources import load, merge
from completion.prompt.templates import support_table

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "caret").mkdir(parents=True)
    return tmp_path / "home" / "caret" / "config.toml"


def test_later_places_win(home, tmp_path):
    home.write_text("[client]\ntimeout_ms = 100\ncandidates = 2\nmax_file_bytes = 7\n")
    (tmp_path / ".caret.toml").write_text("[client]\ntimeout_ms = 200\ncandidates = 3\n")
    loaded = load(tmp_path, {"CARET_CLIENT_CANDIDATES": "4", "CARET_UNRELATED": "x"})
    client = loaded.config.client
    assert (client.max_file_bytes, client.timeout_ms, client.candidates) == (7, 200.0, 4)
    assert loaded.messages == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[client]\ntimout_ms = 100\n", "timout_ms is unknown"),
        ("[clients]\ntimeout_ms = 100\n", "unknown section [clients]"),
        ('[client]\ntimeout_ms = "soon"\n', "wants a number"),
        ("[client]\ntimeout_ms = 1\n", "must be at least 10"),
        ("[client]\ncandidates = 1.5\n", "wants a whole number"),
        ("[client]\ncandidates = true\n", "wants a number"),
        ('[client]\nlines = "some"\n', "must be one of auto, single, multi"),
        ('[client]\nenabled = "perhaps"\n', "wants true or false"),
        ("[client]\ndisabled_languages = [1]\n", "wants a list of texts"),
        ("client = 1\n", "must be a table"),
        ("[client\n", "was not read"),
        ("[client]\ntimeout_ms = nan\n", "must be a finite number"),
        ("[client]\ntimeout_ms = inf\n", "must be a finite number"),
        ("[client]\ntimeout_ms = 1e15\n", "at most 600000"),
    ],
)
def test_what_is_wrong_is_said_and_the_default_holds(home, text, said):
    home.write_text(text)
    loaded = load(None, {})
    assert loaded.config == Config()
    (message,) = loaded.messages
    assert said in message


def test_wrong_bytes_are_said(home):
    home.write_bytes(b"\xff\xfe")
    assert "was not read" in load(None, {}).messages[0]


@pytest.mark.parametrize(
    "text",
    [
        '[client]\nserver = "evil:1"\n',
        '[model]\npath = "evil/model"\n',
        '[model]\nengine_args = ["x=1"]\n',
        '[server]\nlisten = "127.0.0.1:9"\n',
        "[client]\nstart_timeout_s = 5\n",
    ],
)
def test_a_workspace_cannot_say_where_code_goes_or_what_is_run(home, tmp_path, text):
    (tmp_path / ".caret.toml").write_text(text)
    loaded = load(tmp_path, {})
    assert loaded.config == Config()
    assert "cannot be set by a workspace" in loaded.messages[0]


@pytest.mark.parametrize(
    ("user", "workspace", "holds"),
    [("true", "false", False), ("false", "true", False), ("true", "true", True)],
)
def test_a_workspace_can_only_switch_feedback_off(home, tmp_path, user, workspace, holds):
    home.write_text(f"[feedback]\nenabled = {user}\n")
    (tmp_path / ".caret.toml").write_text(f"[feedback]\nenabled = {workspace}\n")
    assert load(tmp_path, {}).config.feedback.enabled is holds


def test_texts_are_read_as_flags_would_be():
    tree = {"client": {"enabled": "off", "timeout_ms": "50", "disabled_languages": "a, b"}}
    client = merge(Config(), tree, source="test").config.client
    assert (client.enabled, client.timeout_ms) == (False, 50.0)
    assert client.disabled_languages == ("a", "b")


def test_the_readme_holds_the_reference_as_generated():
    assert reference().strip() in README.read_text(encoding="utf-8")


def test_the_readme_holds_the_table_of_families_as_generated():
    assert support_table() in README.read_text(encoding="utf-8")
