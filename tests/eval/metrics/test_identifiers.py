"""Identifier match as CrossCodeEval defines it."""

from __future__ import annotations

import pytest

from eval.metrics.identifiers import identifier_scores, identifiers


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("python", "for x in self.items: return None", ["x", "self", "items"]),
        ("python", "ok = True and not False", ["ok", "True", "False"]),
        ("python", "f('a b', \"c\") + d", ["f", "d"]),
        ("python", r"f('it\'s x', y)", ["f", "y"]),
        ("python", "f('open, y)", ["f", "open", "y"]),
        ("python", "f(x)  # and y", ["f", "x"]),
        ("python", "f'{x}' + y", ["f", "y"]),
        ("python", "a // b", ["a"]),  # a comment, to the published script
        ("python", "x1 + 1x + _2 + 0xff", ["x1", "_2"]),
        ("python", "naïve + été", ["naïve"]),  # has to start in ASCII
        ("java", "public static final Foo foo = null;", ["Foo", "foo", "null"]),
        ("csharp", "string s = null; await t", ["s", "await", "t"]),
        ("typescript", "const a: string = await b", ["a", "string", "await", "b"]),
        ("typescriptreact", "let a = <B/>", ["a", "B"]),
    ],
)
def test_names_without_keywords_strings_and_comments(language, text, names):
    assert identifiers(text, language) == names


def test_a_string_may_go_over_a_line_end():
    assert identifiers("f('a\nb', c)", "python") == ["f", "c"]


def test_match_minds_order_and_repetition_and_f1_does_not():
    assert identifier_scores("f(a, b)", "f(b, a)", "python") == (0, 1)
    assert identifier_scores("a + a", "a", "python") == (0, 1)
    assert identifier_scores("a.b", "a . b  # c", "python") == (1, 1)


def test_f1_is_the_harmonic_mean_over_sets():
    em, f1 = identifier_scores("foo(a, b, c)", "foo(a)", "python")
    precision, recall = 2 / 4, 1
    assert em == 0
    assert f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_no_names_on_both_sides_match_and_have_no_f1():
    assert identifier_scores("1 + 2", "3", "python") == (1, 0)
    assert identifier_scores("x", "3", "python") == (0, 0)


def test_a_keyword_of_one_language_is_a_name_in_another():
    assert identifier_scores("del", "", "java") == (0, 0)
    assert identifier_scores("del", "", "python") == (1, 0)


def test_a_language_without_a_list_is_refused():
    with pytest.raises(ValueError, match="cobol"):
        identifier_scores("x", "x", "cobol")
