"""The gates' options: what is wrong with one is a message, and the default holds."""

from __future__ import annotations

import pytest

from completion import globs
from completion.config import ClientConfig, Config
from completion.config_sources import merge


def taken(**client):
    return merge(Config(), {"client": client}, source="here", trusted=False)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("disabled_globs", ["*.md", "!"]),
        ("disabled_globs", ["[z-a]"]),
        ("disabled_globs", [""]),
        ("disabled_globs", ["a\nb"]),
        ("disabled_globs", ["[a"]),
        ("disabled_globs", ["#x"]),
        ("disabled_globs", "\\"),
        ("disabled_scopes", ["comments"]),
        ("disabled_scopes", [":comment"]),
        ("disabled_scopes", ["python:"]),
        ("disabled_scopes", ["[z-a].py:string"]),
        ("min_line_chars", -1),
        ("min_word_chars", "few"),
        ("after_deletion", "perhaps"),
        ("max_file_bytes", (8 << 20) + 1),
    ],
)
def test_a_wrong_value_is_a_message_and_the_default(key, value):
    loaded = taken(**{key: value})
    assert loaded.config == Config()
    (message,) = loaded.messages
    assert message.startswith(f"here: client.{key}: ") and "\n" not in message


def test_a_workspace_may_set_what_only_keeps_quiet():
    loaded = taken(
        automatic=False, disabled_globs=["*.md", "docs/"], disabled_scopes="comment, c:string",
        after_deletion=True, min_line_chars=3, min_word_chars=2,
    )  # fmt: skip
    assert loaded.messages == ()
    assert loaded.config.client == ClientConfig(
        automatic=False, disabled_globs=("*.md", "docs/"), disabled_scopes=("comment", "c:string"),
        after_deletion=True, min_line_chars=3, min_word_chars=2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("patterns", "path", "does"),
    [
        (("*.md",), "a/b.md", True),
        (("docs/",), "docs/a/b.py", True),
        (("/a.py",), "x/a.py", False),
        (("*.py", "!keep.py"), "keep.py", False),
        (("größe/*",), "größe/😋.py", True),
        ((), "a.py", False),
    ],
)
def test_patterns_mean_what_they_mean_in_gitignore(patterns, path, does):
    assert globs.matches(patterns, path) is does
