"""The order of a list: the model's, nearer scopes weighing more, and static analysis's behind it."""

from __future__ import annotations

import math
from functools import partial

import pytest

from lsp.popup.names import Match, Name, matching
from lsp.popup.ranking import agreeing, promising, ranked
from lsp.popup.scope_weights import log_weight

NAMES = [Name(text="abs"), Name(text="apple", scope="file"), Name(text="area", scope="function")]
variable = partial(log_weight, is_member=False)


def order(names, typed, log_probs, *weight):
    return [name.text for name in ranked(matching(names, typed), log_probs, *weight)]


def test_without_scores_the_order_is_that_of_static_analysis():
    assert order(NAMES, "a", {}) == ["abs", "apple", "area"]


def test_what_the_model_finds_likelier_comes_first_and_what_it_was_not_asked_last():
    assert order(NAMES, "a", {"apple": -2.0, "area": -1.0}) == ["area", "apple", "abs"]
    assert order(NAMES, "a", {"abs": -math.inf, "area": -1.0}) == ["area", "abs", "apple"]


def test_of_two_names_as_likely_the_nearer_comes_first_and_a_much_likelier_one_stays_first():
    even = {"abs": -1.0, "apple": -1.0, "area": -1.0}
    assert order(NAMES, "a", even) == ["abs", "apple", "area"]
    assert order(NAMES, "a", even, variable) == ["area", "apple", "abs"]
    assert order(NAMES, "a", {**even, "abs": -0.1}, variable)[0] == "abs"


@pytest.mark.parametrize(
    ("name", "is_member", "weight"),
    [
        (Name(text="x", kind="param", scope="function"), False, 1.625),
        (Name(text="x", kind="instance", scope="class"), False, 1.125),
        (Name(text="x", kind="function", scope="class"), False, 1.625),
        (Name(text="x", kind="class", scope="file"), False, 1.5),
        (Name(text="x", kind="function", scope="class"), True, 1.25),
        (Name(text="x", kind="function", module="os"), True, 1.0),
    ],
)
def test_the_weights_are_those_of_codefill(name, is_member, weight):
    assert log_weight(name, is_member=is_member) == pytest.approx(math.log(weight))


def test_another_case_or_a_few_letters_need_a_likelier_name():
    names = [Name(text="append"), Name(text="Apply"), Name(text="map_pairs")]
    even = {"append": -3.0, "Apply": -3.0, "map_pairs": -3.0}
    assert order(names, "ap", even) == ["append", "Apply"]
    assert order(names, "ap", {**even, "Apply": -0.5}) == ["Apply", "append"]
    assert order([*names, Name(text="a_p")], "ap", {**even, "a_p": -0.1})[-1] == "Apply"


def test_the_model_is_asked_about_what_agrees_and_is_used_nearest_first():
    names = [Name(text=text) for text in ("_hid", "abc", "Area", "away", "axe")]
    near = {"axe": 0, "away": 1}
    assert promising(matching(names, "a"), near) == ["axe", "away", "abc", "Area"]
    assert promising(matching(names, ""), near) == ["axe", "away", "abc", "Area", "_hid"]
    assert matching(names, "hid")[0][1] is Match.FUZZY


@pytest.mark.parametrize(
    ("shown", "first"),
    [
        ("area", "area"), ("area * 2", "area"), ("area.x", "area"),
        ("areas", "abs"), ("area_of", "abs"), ("are", "abs"), ("", "abs"), ("x", "abs"),
    ],
)  # fmt: skip
def test_the_name_that_ghost_text_says_whole_comes_first(shown, first):
    order = [name.text for name in agreeing(NAMES, shown)]
    assert order[0] == first
    assert [one for one in order if one != first] == [
        name.text for name in NAMES if name.text != first
    ]
