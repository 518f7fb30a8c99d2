"""How much of an accepted text is still there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.feedback.kept import kept_share, pieces, without_surroundings

CODE = st.text(st.sampled_from("ab_ \n().=+é😋"), max_size=60)


@pytest.mark.parametrize(
    ("accepted", "now", "share"),
    [
        ("len(self.titles)", "len(self.titles)", 1.0),
        ("len(self.titles)", "", 0.0),
        ("len(self.titles)", "raise KeyError", 0.0),
        ("a + b", "a +  b  # why", 1.0),
        ("if x:\n    y()\n", "    if x:\n        y()\n", 1.0),
        ("return total", "return count", 1 / 2),
        ("foo(bar)", "foo()", 3 / 4),
        ("abcd", "dcba", 0.0),
    ],
)
def test_it_counts_words_and_signs_that_stayed_in_order(accepted, now, share):
    assert kept_share(accepted, now) == pytest.approx(share)


def test_of_blanks_alone_there_is_no_share():
    assert kept_share(" \n\t", "x") is None


@given(CODE, CODE, CODE)
def test_what_is_typed_around_it_takes_nothing_away(accepted, before, after):
    share = kept_share(accepted, f"{before}\n{accepted}\n{after}")
    assert share is None if not pieces(accepted) else share == 1.0


@given(CODE, CODE, st.data())
def test_it_is_a_share_that_falls_with_what_is_deleted(accepted, now, data):
    share = kept_share(accepted, now)
    if share is None:
        return
    assert 0 <= share <= 1
    words = pieces(now)
    if words:
        at = data.draw(st.integers(0, len(words) - 1))
        fewer = kept_share(accepted, " ".join(words[:at] + words[at + 1 :]))
        assert fewer is not None and fewer <= share


@given(CODE, CODE, CODE)
def test_what_stood_around_it_is_taken_off_as_far_as_it_still_stands(head, text, tail):
    assert without_surroundings(head + text + tail, head, tail) == text
    assert len(without_surroundings(text, head, tail)) <= len(text)
