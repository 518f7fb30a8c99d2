"""Endings, savings, bits: one number an item, wrong ones refused."""

from __future__ import annotations

import math

import pytest

from eval.metrics.bits_per_byte import bits_per_byte
from eval.metrics.chars_saved import chars_saved, keystrokes_saved
from eval.metrics.direction import less_is_better
from eval.metrics.endings import ended_by_model, ended_rightly, lines_right
from eval.metrics.summary import summarise


@pytest.mark.parametrize("end", ["length", "", "deadline", "MODEL", "syntax"])
def test_only_the_model_ends_a_middle_itself(end):
    assert ended_by_model("model") == 1
    assert ended_by_model(end) == 0


@pytest.mark.parametrize(
    ("text", "reference", "rightly"),
    [
        ("  x\n", "x", 1),
        ("", "", 1),
        ("x + 1", "x", 0),  # it went on
        ("x\ny = 2", "x", 0),
        ("x", "x + 1", 0),  # it stopped too early
        ("f(a", "f(a)", 0),
        ("", "x", 0),
        ("x", "", 0),
        ("y", "x", None),  # it is wrong, which says nothing of its end
        ("y\nz", "x", None),
        ("x + 2", "x + 1", None),
        ("name", "names", None),  # another word, and not half of one
        ("größen", "größe", None),
        ("a_b", "a", None),
        ("foo(", "foo", 0),
    ],
)
def test_a_text_ends_rightly_where_the_reference_does_as_far_as_it_is_right(
    text, reference, rightly
):
    assert ended_rightly(text, reference) == rightly


@pytest.mark.parametrize(
    ("text", "reference", "right"),
    [
        ("y", "x", 1),
        ("a\nb", "c\nd", 1),
        ("\n  a\n\n", "c\n", 1),
        ("a\n\nb", "c\nd", 0),  # a blank line inside is a line
        ("a\nb", "c", 0),
        ("", "c\nd", 0),
    ],
)
def test_lines_are_right_whatever_they_say(text, reference, right):
    assert lines_right(text, reference) == right


def test_saved_characters_pool_over_files():
    files = {"a": {"saved": chars_saved(10, 10)}, "b": {"saved": chars_saved(90, 0)}}
    assert summarise(files)["saved"].value == pytest.approx(0.1)


def test_keys_that_save_nothing_are_a_loss():
    assert keystrokes_saved(10, 13) == (-3, 10)
    assert keystrokes_saved(10, 4) == (6, 10)


@pytest.mark.parametrize(("characters", "accepted"), [(3, 4), (3, -1)])
def test_impossible_savings_are_refused(characters, accepted):
    with pytest.raises(ValueError, match="characters"):
        chars_saved(characters, accepted)


@pytest.mark.parametrize(("characters", "pressed"), [(-1, 0), (3, -1)])
def test_negative_keystrokes_are_refused(characters, pressed):
    with pytest.raises(ValueError, match="keystrokes"):
        keystrokes_saved(characters, pressed)


def test_a_uniform_byte_costs_eight_bits():
    bits, size = bits_per_byte([math.log(1 / 256)] * 5, 5)
    assert bits / size == pytest.approx(8)


def test_a_certain_text_costs_nothing_and_rounding_over_0_is_none():
    assert bits_per_byte([0.0, 1e-6], 3) == (0, 3)


def test_tokens_of_many_bytes_share_their_bits():
    assert bits_per_byte([-math.log(2) * 6], 3) == pytest.approx((6, 3))


@pytest.mark.parametrize("log_prob", [math.nan, -math.inf, math.inf, 0.5])
def test_what_is_no_log_probability_is_refused(log_prob):
    with pytest.raises(ValueError, match="log-probability"):
        bits_per_byte([-1.0, log_prob], 2)


def test_no_bytes_have_no_bits():
    with pytest.raises(ValueError, match="0 bytes"):
        bits_per_byte([], 0)


def test_fewer_bits_and_repeats_are_better_and_more_matches_are():
    assert less_is_better("bits_per_byte")
    assert less_is_better("repeats_suffix_cut")
    assert not less_is_better("exact_match")
    assert not less_is_better("pass@1_cut")
