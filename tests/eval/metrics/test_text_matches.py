"""Exact match and edit similarity at their edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from eval.metrics.edit_similarity import edit_similarity
from eval.metrics.exact_match import exact_match, exact_text, exact_words


def test_exact_match_strips_blanks_around_and_none_inside():
    assert exact_match("  x = 1\n", "x = 1") == 1
    assert exact_match("x  = 1", "x = 1") == 0
    assert exact_match("a\n  b", "a\nb") == 0


def test_exact_text_forgives_nothing():
    assert exact_text("x", "x") == 1
    assert exact_text("x\n", "x") == 0
    assert exact_text("é", "e\u0301") == 0


def test_exact_words_forgives_the_width_of_blanks_but_not_their_being_there():
    assert exact_words("x\t=  1\n", " x = 1") == 1
    assert exact_words("f( x )", "f(x)") == 0


def test_two_empty_texts_match():
    assert exact_match("", " \n") == exact_text("", "") == exact_words("\n", "") == 1


def test_similarity_of_empty_texts():
    assert edit_similarity("", "") == 1
    assert edit_similarity("", "x") == edit_similarity("x", "") == 0


def test_similarity_counts_a_replaced_character_twice():
    assert edit_similarity("abcd", "abxd") == pytest.approx(0.75)  # 1 - 2 / 8


def test_similarity_minds_case_and_blanks():
    assert edit_similarity("ABC", "abc") == 0
    assert edit_similarity("a ", "a") == pytest.approx(2 / 3)


def test_similarity_counts_characters_not_bytes_and_takes_broken_ones():
    assert edit_similarity("é", "è") == 0
    assert edit_similarity("a\udc80", "a\udc81") == pytest.approx(0.5)


@given(st.text(max_size=30), st.text(max_size=30))
def test_similarity_is_symmetric_and_the_indel_ratio(a, b):
    assert edit_similarity(a, b) == pytest.approx(edit_similarity(b, a))
    assert edit_similarity(a, b) == pytest.approx(Indel.normalized_similarity(a, b))
