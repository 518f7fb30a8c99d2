from __future__ import annotations

import pytest

from completion.syntax.blocks import block_end, statement_end
from completion.syntax.boundaries import Reach, extent_at
from completion.syntax.languages import language_for

PYTHON = language_for("python", "")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("def f(x):|", "header"),
        ("def f(x): |\n\ny = 1", "header"),
        ("if x:\n    |", "body"),
        ("if x:\n    |\nelse:\n    y", "body"),
        ("if x:\n|", "body"),
        ("class A:\n    # why\n    |", "body"),
        ('def f(x):\n    """Doc."""\n    |', "body"),
        (
            'class A:\n    def f(x):\n        """Doc.\n\ntext\n        """\n        |\n\n    def g():',
            "body",
        ),
        ("def f(\n    a,\n):\n    |", "body"),
        ("async with x:\r\n\t|\r\n", "body"),
        ("x = [\n    |\n]", "bracket"),
        ("foo(  # why\n    a,\n    |)", "bracket"),
        ("foo(\n    a=|\n)", "bracket"),
        ("try:\n    |", "body"),
        ("x = foo(\n\nwhile True:\n    |", "body"),
    ],
)
def test_a_block_is_completed(document: str, reason: str) -> None:
    prefix, _, suffix = document.partition("|")
    extent = extent_at(PYTHON, prefix.encode(), suffix.encode())
    assert (extent.reach, extent.reason) == (Reach.BLOCK, reason)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("x = |", "statement"),
        ("x = {'a':|", "statement"),
        ("x: |", "statement"),
        ("x = lambda:|", "statement"),
        ("foo(|)", "statement"),
        ("foo(a, |", "statement"),
        ("def f(x|):\n    pass", "text after the cursor"),
        ("x = | + 1", "text after the cursor"),
        ("|", "statement start"),
        ("def f(x):\n    y = 1\n    |", "statement start"),
        ("class A:\n    def f(x):\n    |", "statement start"),
        ("if x:\n    |\n    y = 1", "body exists"),
        ("if x:|\n    # why\n    y = 1", "body exists"),
        ("if x:  # why|", "comment"),
        ("def f(x):\n    '''|", "string"),
        ("x = 'if y:|", "string"),
    ],
)
def test_a_line_is_completed(document: str, reason: str) -> None:
    prefix, _, suffix = document.partition("|")
    extent = extent_at(PYTHON, prefix.encode(), suffix.encode())
    assert (extent.reach, extent.reason) == (Reach.LINE, reason)


def test_an_unknown_language_completes_lines() -> None:
    assert extent_at(None, b"if (x) {\n    ", b"\n}").reason == "no syntax"


@pytest.mark.parametrize(
    ("prefix", "middle", "kept"),
    [
        ("x = ", "1\ny", "1"),
        ("x = ", "foo(\n    1)\ny", "foo(\n    1)"),
        ("x = ", "1 + \\\n    2\ny", "1 + \\\n    2"),
        ("x = ", '"""a\nb"""\ny', '"""a\nb"""'),
        ("x = ", "foo(\n    1", None),
        ("x = ", "1", None),
        ("x = ", "'open\ny", "'open"),
        ("x = foo(a, ", "b,\n", "b,"),
    ],
)
def test_statement_end(prefix: str, middle: str, kept: str | None) -> None:
    end = statement_end(PYTHON, prefix.encode(), middle.encode())
    assert (None if end is None else middle[:end]) == kept


@pytest.mark.parametrize(
    ("prefix", "middle", "kept"),
    [
        ("def f(x):\n    ", "y = x\n    return y\n\n\ndef g", "y = x\n    return y"),
        ("def f(x):\n    ", "if x:\n        y\n    z\nw", "if x:\n        y\n    z"),
        ("def f(x):\n    ", "y = [\n1,\n]\n    z\nw", "y = [\n1,\n]\n    z"),
        ("def f(x):\n    ", "y = x\n    return y\n", None),
        ("def f(x):", "\n\ty\n\tz\nw", "\n\ty\n\tz"),
        ("if x:", " y\nz", " y"),
        ("x = [\n    ", "1,\n    [2],\n]\ny", "1,\n    [2],\n]"),
        ("x = [\n    ", "1,\n    [2],\n", None),
        ("x = ", "1\ny", None),
    ],
)
def test_block_end(prefix: str, middle: str, kept: str | None) -> None:
    end = block_end(PYTHON, prefix.encode(), middle.encode())
    assert (None if end is None else middle[:end]) == kept
