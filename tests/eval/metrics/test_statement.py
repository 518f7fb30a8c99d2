"""CrossCodeEval's cut: what counts as one statement, in the published scripts' own terms."""

from __future__ import annotations

import pytest

from eval.metrics import statement
from eval.metrics.statement import lines_match, truncate_statement, without_comments


def _python(text: str, prefix: str = "") -> str:
    return truncate_statement(text, "python", prefix)


def test_python_goes_on_over_lines_while_a_bracket_of_the_prefix_is_open():
    assert _python("a,\n    b)\nprint(1)\n", "x = f(") == "a,\n    b)"


def test_python_stops_at_the_first_line_that_parses():
    assert _python(" + 1\ny = 2\n", "x = 0") == " + 1"
    assert _python("x = 1  \n", "") == "x = 1"


def test_python_may_stop_before_a_body():
    # The parser is content with `if x:` alone: no error node.
    assert _python("x:\n    return 1\n", "def f(x):\n    if ") == "x:"


def test_python_keeps_all_where_no_line_end_parses():
    assert _python("1,\n2,\n3", "x = (") == "1,\n2,\n3"
    assert _python("1)\n", "x = = 1\ny = (") == "1)\n"


def test_python_keeps_the_blanks_of_a_text_without_a_line_end():
    assert _python("x = 1   ") == "x = 1   "


def test_python_does_not_stop_at_a_line_end_that_it_starts_with():
    assert _python("\n    return 1\nx", "def f():") == "\n    return 1"
    assert _python("\n\nx = 1", "y = 2") == ""  # the second one does end a statement, an empty one


def test_python_does_not_stop_inside_of_a_string_over_lines():
    assert _python('"""a\nb"""\nx = 1\n', "s = ") == '"""a\nb"""'


def test_python_finds_a_late_end_as_a_parser_does_that_starts_anew():
    lines = "".join(f"    {n},  # é\n" for n in range(30))
    assert _python(f"\n{lines})\ny = 1\n", "é = f(") == f"\n{lines})"


def test_python_takes_text_that_is_no_unicode():
    assert _python("'\udc80'\nx", "s = ") == "'\udc80'"


@pytest.mark.parametrize("language", ["java", "csharp", "typescript"])
@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("foo(a,\n  b);\nbar();", "foo(a,\n  b);"),
        (" => {\n return 1; }", " => {"),
        ("a }", "a }"),
        ("no end", "no end"),
        ('"a;b");', '"a;'),  # in a string too: the rule is of characters
        (";x;", ";x;"),  # at the very start it does not count, nor does any later one
        ("", ""),
    ],
)
def test_other_languages_end_at_a_semicolon_or_brace(language, text, cut):
    assert truncate_statement(text, language, "prefix { ;") == cut


def test_comments_of_both_kinds_end_a_line_everywhere():
    assert without_comments("a # b\nc // d\ne") == "a \nc \ne"
    assert without_comments("url = 'http://x'") == "url = 'http:"


def test_lines_match_aside_from_comments_blank_lines_and_indentation():
    assert lines_match("  x = 1  # one\n\n", "x = 1") == 1
    assert lines_match("a\nb", "a b") == 0
    assert lines_match("x  = 1", "x = 1") == 0
    assert lines_match("# only", "") == 1


def test_python_looks_at_so_many_lines_and_bytes_and_no_further(monkeypatch):
    parsed = 0
    grow = statement._grow

    def counted(*known):
        nonlocal parsed
        parsed += 1
        grow(*known)

    monkeypatch.setattr(statement, "_grow", counted)
    for text in ("\\\n" * 500, "1,\n" * 5000, "'" + "x" * statement.MOST_BYTES + "\n"):
        parsed = 0
        assert _python(text, "x = (") == text
        assert parsed <= statement.MOST_LINES
    within = "1,\n" * (statement.MOST_LINES - 1) + ")"
    assert _python(f"{within}\ny\n", "x = (") == within
    beyond = "1,\n" * statement.MOST_LINES + ")\ny\n"
    assert _python(beyond, "x = (") == beyond
