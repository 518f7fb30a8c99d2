from __future__ import annotations

import pytest

from eval.item import Answer, Item
from eval.suites import suite_named

SUITE = suite_named("slices")


def scores(
    raw: bytes | None, cut: bytes | None, reference: bytes, *, prefix: bytes = b"x = 1\n",
    suffix: bytes = b"\nnext_line = 2\n", end: str = "length", replace_after: int = 0,
):  # fmt: skip
    asked = Item(id="a", prefix=prefix, suffix=suffix, reference=reference, kind="boundary")
    answer = Answer(raw=raw, cut=cut, raw_end=end, replace_after=replace_after)
    return SUITE.judge(asked, [answer], {})


def test_a_model_that_says_the_line_and_runs_on_is_right_on_the_line_only() -> None:
    found = scores(b"call(a)\nnext_line = 2\n", b"call(a)", b"call(a)")
    assert found["exact_match"] == 0.0
    assert found["exact_match_line"] == found["exact_match_cut"] == 1.0
    assert (found["repeats_suffix"], found["repeats_suffix_cut"]) == (1.0, 0.0)
    assert found["ended_by_model"] == 0.0
    assert found["edit_similarity"] < found["edit_similarity_cut"] == 1.0


def test_wrong_indentation_is_wrong_on_the_line() -> None:
    found = scores(b"  return x  ", b"   return x", b"   return x", end="model")
    assert (found["exact_match"], found["exact_match_line"]) == (1.0, 0.0)
    assert found["exact_match_line_cut"] == 1.0
    assert scores(b"   return x \r\n", None, b"   return x")["exact_match_line"] == 1.0


def test_half_a_character_is_finished_by_its_other_half_only() -> None:
    whole = "é = 1".encode()
    right = scores(whole[1:], whole[1:], whole[1:], prefix=b'"' + whole[:1])
    assert right["exact_match"] == right["exact_match_cut"] == right["edit_similarity"] == 1.0
    wrong = scores(b"\xa8 = 1", b"x = 1", whole[1:], prefix=b'"' + whole[:1])
    assert wrong["exact_match"] == wrong["exact_match_cut"] == 0.0
    assert 0.0 < wrong["edit_similarity"] < 1.0


def test_what_a_cut_text_replaces_is_compared_as_the_text_it_makes() -> None:
    found = scores(b"a)", b"a)", b"a", suffix=b")\n", replace_after=1)
    assert found["exact_match_line_cut"] == found["exact_match_cut"] == 1.0
    assert found["exact_match_line"] == 0.0


def test_a_middle_that_ends_inside_a_word_has_to_end_there() -> None:
    asked = {"prefix": b"raise", "suffix": b"qual(x)\n"}
    assert scores(b" NotEqual(x)", b" NotE", b" NotE", **asked)["exact_match_line"] == 0.0
    assert scores(b" NotE", None, b" NotE", **asked)["exact_match_line"] == 1.0


@pytest.mark.parametrize("answers", [[], [Answer()]])
def test_no_answer_scores_nothing(answers: list[Answer]) -> None:
    asked = Item(id="a", prefix=b"x\xc3", suffix=b"\n", reference=b"\xa9")
    assert set(SUITE.judge(asked, answers, {}).values()) == {0.0}
