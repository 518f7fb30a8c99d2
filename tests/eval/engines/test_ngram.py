"""The baseline that continues with what most often followed the same tokens."""

import pytest
from hypothesis import given, settings

from eval.engines.code_tokens import tokens_of
from eval.engines.ngram import NGram
from eval.item import Ask
from tests.eval.engines.hostile import ASKS, HOSTILE, answer, check, item, items, source

MULTI = Ask(lines="multi")


def raw(prefix, suffix="", *related, ask=None, **known):
    return answer(NGram(), item(prefix, suffix, *related, **known), ask).raw


def ranked(prefix, suffix="", *related, most=10):
    return answer(NGram(), item(prefix, suffix, *related), Ask(candidates=most)).ranked


def test_the_most_frequent_continuation_is_taken():
    prefix = "a()\nx = one\nb()\nx = one\nc()\nx = two\nd()\nx = "
    assert raw(prefix) == b"one"


def test_of_equally_frequent_ones_the_most_recent_is_taken():
    assert raw("x = one\nx = two\nx = ") == b"two"


def test_a_longer_context_goes_before_a_more_frequent_shorter_one():
    prefix = "b = 1\nc = 1\nd = 1\nself.a = 2\nself.a = "
    assert raw(prefix) == b"2"


def test_a_word_is_completed_by_the_most_frequent_one_in_its_context():
    prefix = "self.value\nself.value\nself.verdict\nvector\nvector\nvector\nself.v"
    assert raw(prefix) == b"alue"


def test_a_word_that_occurs_whole_is_left_and_what_follows_it_written():
    assert raw("call(value)\ncall(value)\ncall") == b"(value)"


def test_a_word_begun_that_never_occurred_is_not_made_another():
    assert not raw("alpha = beta\nzeta").startswith(b"alpha")


def test_blanks_that_are_typed_are_not_written_again():
    assert raw("a = 1\nb = 1\na =") == b" 1"
    assert raw("a = 1\nb = 1\na = ") == b"1"


def test_it_ends_before_what_is_behind_the_cursor():
    assert raw("f(a, b)\nf(a, b)\nf(", ", b)\n") == b"a"


def test_related_files_and_the_text_below_are_counted():
    assert raw("x.append(", "\ny.append(item)\n") == b"item)"
    assert raw("x.append(", "", "y.append(thing)\n") == b"thing)"


def test_a_new_line_gets_the_indentation_that_mostly_follows():
    prefix = "def f():\n    return 1\ndef g():\n    return 1\nclass C:\n    def h():\n"
    assert raw(prefix) == b"        return 1"


def test_half_of_an_indentation_is_filled_up():
    assert raw("def f():\n    return 1\ndef g():\n  ") == b"  return 1"


def test_a_block_ends_where_the_indentation_does():
    prefix = "def f():\n    a = 1\n    return a\n\ndef g():\n    a = 1\n    return a\n\ndef h():\n"
    assert raw(prefix, ask=MULTI) == b"    a = 1\n    return a"
    assert raw(prefix + "    ", ask=MULTI) == b"a = 1\n    return a"


def test_a_block_in_a_file_of_windows_line_ends_has_them():
    prefix = "def f():\r\n    a = 1\r\n    return a\r\n\r\ndef g():\r\n"
    assert raw(prefix, ask=MULTI, eol="\r\n") == b"    a = 1\r\n    return a"


def test_no_more_tokens_are_written_than_asked_for():
    assert raw("x = " + "1, " * 50, ask=Ask(lines="single", max_tokens=4)) == b"1, 1,"


def test_text_that_goes_in_circles_ends():
    assert len(raw("a b " * 500, ask=Ask(lines="multi", max_tokens=100))) <= 200


def test_the_best_next_tokens_are_ranked():
    prefix = "x.a\nx.a\nx.a\nx.b\nx.b\nx.c\nx."
    assert ranked(prefix)[:3] == (b"a", b"b", b"c")
    assert ranked(prefix, most=2) == (b"a", b"b")
    assert len(ranked("".join(f"x.n{n}\n" for n in range(30)) + "x.")) == 10


def test_ranked_ends_of_a_word_leave_out_what_is_typed():
    assert ranked("value\nvalue\nverdict\nv")[:2] == (b"alue", b"erdict")


@pytest.mark.parametrize("ask", ASKS, ids=str)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_answered(name, ask):
    check(answer(NGram(), HOSTILE[name], ask), HOSTILE[name], ask)


@settings(max_examples=150, deadline=None)
@given(items)
def test_nothing_makes_it_raise(asked):
    for ask in ASKS[::3]:
        check(answer(NGram(), asked, ask), asked, ask)


@settings(max_examples=200, deadline=None)
@given(source)
def test_tokens_hold_the_whole_text_but_for_blanks_at_line_ends(text):
    indent = text[: len(text) - len(text.lstrip(b" \t"))]
    written = b""
    for token in tokens_of(text):
        indent = token.indentation(indent)
        written += token.written(indent, b"\n")
    solid = bytes.maketrans(b"", b"")
    assert written.translate(solid, b" \t\r\f\n") == text.translate(solid, b" \t\r\f\n")


async def test_it_says_who_it_is():
    assert (await NGram().start()).name == "ngram"
