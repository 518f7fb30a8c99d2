"""Which of several candidates is shown first, and which of them are one."""

from __future__ import annotations

import time

import pytest

from completion.filters.cursor import Cursor
from completion.filters.parse_errors import Around
from completion.filters.ranking import Offer, distinct, ordered
from completion.syntax.languages import language_for


def at(prefix: str, suffix: str = "\n", language: str = "python") -> Cursor:
    return Cursor(
        prefix=prefix.encode(), suffix=suffix.encode(), language=language_for(language, "")
    )


def offer(text: str, log_prob: float = -1.0, tokens: int = 1, **more: int) -> Offer:
    return Offer(text=text.encode(), log_prob=log_prob, tokens=tokens, **more)


def test_what_differs_in_blanks_at_the_end_alone_is_one():
    offers = [offer("a"), offer("a  "), offer("b"), offer("a\n"), offer("a", replace_after=1)]
    assert distinct(offers) == [0, 2, 4]


def test_blanks_elsewhere_are_a_difference():
    assert distinct([offer("a b"), offer("a  b"), offer(" a b")]) == [0, 1, 2]


def test_the_surer_one_leads_by_the_token():
    offers = [offer("alpha", -9.0, 2), offer("be", -3.0, 1), offer("gamma_delta", -4.0, 8)]
    assert ordered(offers, at("x = "), first=False) == [2, 1, 0]


def test_the_models_own_first_leads_over_a_little_surer_one():
    offers = [offer("alpha", -1.5), offer("beta", -0.5)]
    assert ordered(offers, at("x = ")) == [0, 1]
    assert ordered(offers, at("x = "), first=False) == [1, 0]


@pytest.mark.parametrize(
    ("language", "prefix", "good", "bad", "suffix"),
    [
        ("python", "def f(a):\n    return ", "a + 1", "a + + ]", "\n"),
        ("javascript", "const x = ", "f(1);", "f(1 => {;", "\n"),
        ("typescript", "const x: ", "number = 1;", "number = = 1;", "\n"),
        ("go", "func f() int {\n\treturn ", "g(1)", "g(1", "\n}\n"),
        ("rust", "fn f() -> i32 {\n    ", "g(1)", "g(1", "\n}\n"),
        ("java", "class A { int f() {\n    return ", "g(1);", "g(1;;", "\n} }\n"),
        ("cpp", "int f() {\n    return ", "g(1);", "g(1;", "\n}\n"),
        ("ruby", "def f\n  ", "g(1)", "g(1", "\nend\n"),
    ],
)
def test_the_one_that_breaks_the_syntax_comes_behind_one_that_does_not(
    language, prefix, good, bad, suffix
):
    offers = [offer(bad, -1.0), offer(good, -2.0)]
    assert ordered(offers, at(prefix, suffix, language), first=False) == [1, 0]


def test_errors_that_are_there_without_it_count_against_none():
    broken = at("def f(:\n    x = = 2\n    y = ", "\nz = )(\n")
    around = Around(broken)
    assert around.added(b"1") <= 0
    assert around.added(b"1 + + )") > around.added(b"1")


def test_closers_that_are_replaced_are_not_there_twice():
    around = Around(at("foo(", ")\n"))
    assert around.added(b"a).b", 1) < around.added(b"a).b", 0)


@pytest.mark.parametrize("language", ["", "scss", "no-such-language"])
def test_without_a_grammar_the_log_probability_decides_alone(language):
    cursor = at("x = ", "\n", language)
    assert not Around(cursor).parses
    assert ordered([offer("((((", -1.0), offer("a", -2.0)], cursor, first=False) == [0, 1]


def test_a_large_document_costs_no_more_than_its_window():
    def took(parts):
        text = "def f(a):\n    return a + 1\n\n\n" * parts
        around = Around(at(text + "x = ", "\n" + text))
        around.added(b"1")
        begin = time.process_time()
        for _ in range(20):
            around.added(b"compute(1)")
        return time.process_time() - begin

    assert took(40_000) < 20 * min(took(400) for _ in range(3))  # whole it would be 100 times


@pytest.mark.parametrize("junk", [b"\xff\xfe", b"\x00", "é🙂".encode(), b"(" * 5000, b'"""'])
def test_any_bytes_can_be_ranked(junk):
    offers = [Offer(text=junk, log_prob=-1.0, tokens=1), offer("a")]
    cursor = Cursor(prefix=b"x = \xff", suffix=junk, language=language_for("python", ""))
    assert sorted(ordered(offers, cursor)) == [0, 1]
