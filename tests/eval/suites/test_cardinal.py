from __future__ import annotations

import pytest

from eval.item import Answer, Item
from eval.suites import suite_named

SUITE = suite_named("cardinal")


def item(reference: bytes, tokens: int, depth: int = 0) -> Item:
    return Item(
        id="a.py:4", prefix=b"x = f(", suffix=b"\n", reference=reference, kind="name",
        data={"cardinal": "(", "depth": depth, "tokens": tokens, "rest": ""},
    )  # fmt: skip


def scores(asked: Item, *ranked: bytes, cut: bytes | None = None, end: str = "length"):
    answer = Answer(raw=ranked[0] if ranked else None, ranked=ranked, cut=cut, raw_end=end)
    return SUITE.judge(asked, [answer], {})


def test_the_right_token_is_right_whatever_follows_it() -> None:
    found = scores(item(b"first, 2)", 4, 1), b" first [0", cut=b"first.x")
    assert (found["accuracy"], found["accuracy_cut"], found["mrr"]) == (1.0, 1.0, 1.0)
    assert scores(item(b"first)", 2, 1), b"first2)")["accuracy"] == 0.0
    assert scores(item(b"**= 2", 2), b"*= 2")["accuracy"] == 0.0


def test_a_first_token_counts_once_in_the_ranks() -> None:
    ranked = (b"a(", b"a[", b"b", b" a", b"wanted)")
    assert scores(item(b"wanted)", 2, 1), *ranked)["mrr"] == pytest.approx(1 / 3)


def test_no_more_than_ten_candidates_are_ranked() -> None:
    ranked = [b"n%d" % n for n in range(12)]
    assert scores(item(b"n9", 1), *ranked)["mrr"] == pytest.approx(1 / 10)
    assert scores(item(b"n10", 1), *ranked)["mrr"] == 0.0


def test_a_candidate_that_ends_the_line_takes_a_rank_and_is_wrong() -> None:
    found = scores(item(b"wanted", 1), b"\nwanted", b"wanted")
    assert (found["accuracy"], found["mrr"]) == (0.0, 0.5)


def test_four_tokens_are_compared_up_to_the_end_of_the_logical_line() -> None:
    asked = item(b"a, b)", 4, 1)
    assert scores(asked, b"a,\n  b)\nnext = 1")["rouge_l"] == 1.0
    assert scores(asked, b"a, c) + 1")["rouge_l"] == pytest.approx(0.75)
    assert scores(item(b"a)", 2, 1), b"a)\nprint(x)")["rouge_l"] == 1.0
    assert scores(item(b"a)", 2, 1), b"a)")["meteor"] > scores(asked, b"a")["meteor"] > 0


def test_an_unfinished_string_is_a_token_that_the_limit_cut_off() -> None:
    found = scores(item(b'"some long text"', 1), b'"some lo')
    assert (found["accuracy"], found["first_token_cut_off"]) == (0.0, 1.0)
    assert scores(item(b"a", 1), b'"some lo', end="model")["first_token_cut_off"] == 0.0
    assert scores(item(b"a", 1), b"a + b")["first_token_cut_off"] == 0.0


@pytest.mark.parametrize("answers", [[], [Answer()]])
def test_no_answer_scores_nothing(answers: list[Answer]) -> None:
    assert set(SUITE.judge(item(b"a", 1), answers, {}).values()) == {0.0}


def test_bytes_that_are_no_text_are_a_wrong_answer() -> None:
    assert scores(item("größe".encode(), 1), b"gr\xc3", cut=b"\xff")["accuracy"] == 0.0


def test_ten_short_candidates_of_one_line_are_asked_for() -> None:
    ask = SUITE.ask(item(b"a", 1))
    assert (ask.candidates, ask.lines, ask.temperature) == (10, "single", 0.0)
