"""Each gate's answer, their order, and which of them hold when the user asks."""

from __future__ import annotations

import pytest

from completion.config import ClientConfig
from lsp.gates.moment import Moment
from lsp.gates.table import MANNERS, declined

PLAIN = ClientConfig()


def moment(**facts) -> Moment:
    return Moment(**{"path": "src/a.py", "language_id": "python", "head": "x = ", **facts})


MANNER_CASES = [
    ("on_demand", {}, {"automatic": False}),
    ("language", {}, {"disabled_languages": ("python",)}),
    ("glob", {}, {"disabled_globs": ("*.py",)}),
    ("glob", {"path": "docs/deep/b.txt"}, {"disabled_globs": ("docs/",)}),
    ("binary", {"has_nul": True}, {}),
    ("deletion", {"deleted": True}, {}),
    ("line_chars", {"head": "   a "}, {"min_line_chars": 2}),
    ("word_chars", {"head": "foo.ba"}, {"min_word_chars": 3}),
    ("comment", {"scope": lambda: "comment"}, {"disabled_scopes": ("comment",)}),
    ("docstring", {"scope": lambda: "docstring"}, {"disabled_scopes": ("string", "docstring")}),
]
PROTECTING_CASES = [
    ("disabled", {}, {"enabled": False}),
    ("size", {"size": 101}, {"max_file_bytes": 100}),
    ("ignored", {"refused": lambda: "ignored"}, {}),
]


@pytest.mark.parametrize(("reason", "facts", "options"), MANNER_CASES)
def test_what_nobody_asked_for_is_kept_quiet_and_asking_passes(reason, facts, options):
    config = ClientConfig(**options)
    assert declined(moment(**facts), config) == reason
    assert declined(moment(**facts, invoked=True), config) == ""


@pytest.mark.parametrize(("reason", "facts", "options"), PROTECTING_CASES)
@pytest.mark.parametrize("invoked", [False, True])
def test_what_protects_holds_whoever_asks(reason, facts, options, invoked):
    assert declined(moment(**facts, invoked=invoked), ClientConfig(**options)) == reason


@pytest.mark.parametrize(
    ("facts", "options"),
    [
        ({}, {}),
        ({"path": "src/a.py"}, {"disabled_globs": ("*.py", "!src/a.py")}),
        ({"path": "mydocs/b.txt"}, {"disabled_globs": ("/docs/",)}),
        ({"deleted": True}, {"after_deletion": True}),
        ({"head": "   ab"}, {"min_line_chars": 2}),
        ({"head": "foo("}, {"min_word_chars": 3}),
        ({"head": ""}, {"min_word_chars": 3}),
        ({"head": "größ"}, {"min_word_chars": 4}),
        ({"size": 100}, {"max_file_bytes": 100}),
        ({"scope": lambda: "string"}, {"disabled_scopes": ("comment", "docstring")}),
        ({"scope": lambda: ""}, {"disabled_scopes": ("comment", "string", "docstring")}),
    ],
)
def test_the_rest_is_offered(facts, options):
    assert declined(moment(**facts), ClientConfig(**options)) == ""


@pytest.mark.parametrize(
    ("rule", "scope", "language_id", "path", "is_off"),
    [
        ("python:string", "string", "python", "a.py", True),
        ("python:string", "string", "go", "a.go", False),
        ("python:string", "comment", "python", "a.py", False),
        ("tests/**:comment", "comment", "python", "tests/x/a.py", True),
        ("tests/**:comment", "comment", "python", "src/a.py", False),
        ("*.md:comment", "comment", "markdown", "docs/a.md", True),
    ],
)
def test_a_scope_can_be_off_for_a_language_or_for_some_files(
    rule, scope, language_id, path, is_off
):
    found = moment(scope=lambda: scope, language_id=language_id, path=path)
    assert declined(found, ClientConfig(disabled_scopes=(rule,))) == (scope if is_off else "")


def test_what_costs_something_to_know_is_asked_only_where_a_rule_needs_it():
    def never() -> str:
        raise AssertionError("asked")

    assert declined(moment(scope=never), PLAIN) == ""
    off = ClientConfig(disabled_scopes=("comment",), max_file_bytes=10)
    assert declined(moment(scope=never, refused=never, size=11), off) == "size"
    assert declined(moment(scope=never, refused=never, deleted=True), PLAIN) == "deletion"


def test_every_gate_of_manners_has_a_case_here():
    assert len({reason for reason, _, _ in MANNER_CASES}) >= len(MANNERS)
