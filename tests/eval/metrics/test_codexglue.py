"""CodeXGLUE's published rules. The README example is of microsoft/CodeXGLUE (MIT)."""

from __future__ import annotations

import pytest

from eval.metrics.codexglue import line_scores, plain_literals
from eval.metrics.token_accuracy import token_accuracy


@pytest.mark.parametrize(
    ("code", "plain"),
    [
        ("x = <NUM_LIT>", "x = 0"),
        ("x = <NUM_LIT:10>", "x = 10"),
        ("f ( '<STR_LIT>' )", "f ( '' )"),
        ('f ( "<STR_LIT:utf-8>" )', 'f ( "utf-8" )'),
        ("c = '<CHAR_LIT:a>' + '<CHAR_LIT>'", "c = 'a' + ''"),
        ("<STR_LIT:a\nb>", "a\nb"),
        ("<STR_LIT:a>b>", "ab>"),  # the first > ends it
        ("<STR_LIT:U+002C>", "U+002C"),
        ("<str_lit:x> <STR_LIT x>", "<str_lit:x> <STR_LIT x>"),
        ("<NUM_LIT:1> <NUM_LIT:1>", "1 1"),
        ("<STR_LIT:>", ""),
        ("<STR_LIT:<NUM_LIT:1>> <NUM_LIT:1>", "1 1"),  # found first, then replaced everywhere
    ],
)
def test_literals_become_plain(code, plain):
    assert plain_literals(code) == plain


def test_a_line_matches_by_words_and_is_similar_by_characters():
    em, es = line_scores("  def f ( a ) :\n", "def f  ( a ) :")
    assert em == 1
    assert es == pytest.approx(2 * 13 / 27)


def test_an_unknown_literal_matches_its_plain_default():
    assert line_scores("x = 0", "x = <NUM_LIT>") == (1, 1)
    assert line_scores("x = <NUM_LIT:1>", "x = 1") == (1, 1)
    assert line_scores("x = 1", "x = <NUM_LIT>")[0] == 0


def test_unspaced_code_does_not_match_spaced_code():
    assert line_scores("f(x)", "f ( x )")[0] == 0


def test_the_published_example_scores_what_its_readme_says():
    answer = ["<s>", "import", "json", "<EOL>", "json", ".", "load", "(", "f", ")", "</s>"]
    prediction = [".", "import", "numpy", "<EOL>", "json", ".", "dump", "(", "open", ")", "<EOL>"]
    right, counted = token_accuracy(prediction, answer)
    assert (right, counted) == (5, 8)
    assert right / counted == 0.625


def test_marks_do_not_count_even_when_predicted_and_do_when_wrongly_predicted():
    assert token_accuracy(["<s>", "<EOL>"], ["<s>", "<EOL>"]) == (0, 0)
    assert token_accuracy(["<EOL>"], ["x"]) == (0, 1)


def test_predictions_that_do_not_line_up_are_refused():
    with pytest.raises(ValueError, match="1 predictions for 2"):
        token_accuracy(["x"], ["x", "y"])
