"""RepoBench's cut: the first line that is code, as its script finds it."""

from __future__ import annotations

import pytest

from eval.metrics.first_line import truncate_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\n  x = 1  \ny = 2", "  x = 1  "),
        ("   \n# why\nx = 1", "x = 1"),
        ("x = 1  # why\ny", "x = 1  # why"),
        ('"""\ndoc\n"""\nx = 1', "x = 1"),
        ("'''doc\nmore'''\nx = 1", "x = 1"),
        # Opened and closed on one line, it goes on to the next closer; there is none here.
        ('"""doc"""\nx = 1', '"""doc"""'),
        ('"""doc"""\nx = """a"""\ny = 2', "y = 2"),
        ("# only\n# comments", "# only"),
        ("", ""),
        ("\n\n", ""),
        ("// x\ny", "// x"),
    ],
)
def test_python(text, line):
    assert truncate_line(text, "python") == line


@pytest.mark.parametrize("language", ["java", "typescript"])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("// why\n  foo();\nbar();", "  foo();"),
        ("/* a\n b\n c */\nfoo();", "foo();"),
        ("/* a */\nfoo();", "/* a */"),
        ("# x\nfoo();", "# x"),
        ("foo(); // a\n", "foo(); // a"),
    ],
)
def test_other_languages(language, text, line):
    assert truncate_line(text, language) == line
