from __future__ import annotations

import pytest

from completion.syntax.languages import language_for
from completion.syntax.scopes import scope_at

PYTHON = language_for("python", "")


@pytest.mark.parametrize(
    ("source", "scope"),
    [
        ("|", "code"),
        ("x = |", "code"),
        ("x = 1  # note|", "comment"),
        ("x = 1  # note|\ny", "comment"),
        ("#|", "comment"),
        ("|# note", "code"),
        ("# note\n|", "code"),
        ("x = '# no|", "string"),
        ("x = 'it\\'s |", "string"),
        ("x = 'a'|", "code"),
        ("x = 'open\ny = |", "code"),  # a one-line string ends with its line
        ("x = 'joined \\\n still|", "string"),
        ('x = """a\n"b" |', "string"),
        ('"""Module|', "docstring"),
        ('# coding\n"""Module|', "docstring"),
        ("'Module|", "docstring"),
        ('def f(x):\n    """Doc|', "docstring"),
        ('def f(x):\n    """Doc.\n\n    More|\n    """', "docstring"),
        ('async def f(x):\n    r"""Doc|', "docstring"),
        ('class A(\n    B,\n):\n    # why\n    """Doc|', "docstring"),
        ('class A:\n    x = 1\n    """about x|', "string"),
        ('class A:\n    """Doc."""\n    """more|', "string"),
        ('def f(x):\n    b"""no doc|', "string"),
        ('if x:\n    """no doc|', "string"),
        ('def f(x):\n    """Doc."""|', "code"),
        ('def f(x):\n    ""|"', "docstring"),
        ('x = f"a {b|', "code"),
        ('x = f"a {b} c|', "string"),
        ('x = f"a {{b|', "string"),
        ('x = f"{b:>|', "string"),
        ('x = f"{b:>{w|', "code"),
        ('x = f"{b:>{w}|', "string"),
        ("x = f\"{d['k|", "string"),
        ("x = f\"{d['k']|", "code"),
        ('x = "{b|', "string"),
        ('x = f"{b"\ny = |', "code"),
        ("x = foo(a, [b|", "code"),
        ("x = foo(a,\n\ndef g():\n    '''Doc|", "docstring"),  # the bracket was never closed
        ("x = 'é|", "string"),
        ('s = """never closed\n\ndef f():\n    |', "string"),
        ("x = |'after", "code"),
        ("x = 1\r\n# a|\r\n", "comment"),
    ],
)
def test_scope(source: str, scope: str) -> None:
    before, _, after = source.partition("|")
    assert scope_at(PYTHON, (before + after).encode(), len(before.encode())) == scope


def test_the_cursor_may_be_inside_a_character() -> None:
    source = "x = 'é'".encode()
    assert scope_at(PYTHON, source, source.index(b"\xa9")) == "string"


def test_text_after_the_cursor_changes_nothing() -> None:
    source = b"x = 1\n"
    for after in (b"'", b'"""', b")", b"# a", b"(\n"):
        assert scope_at(PYTHON, source + after, len(source)) == "code"


def test_an_unknown_language_is_code() -> None:
    assert scope_at(None, b"// text", 7) == "code"


def test_an_offset_out_of_range_is_the_nearest_end() -> None:
    assert scope_at(PYTHON, b"# a", 99) == "comment"
    assert scope_at(PYTHON, b"# a", -1) == "code"
