"""Slices that items of any suite fall into."""

import pytest

from eval.item import Item
from eval.running.facets import THERE, already_there, by_facet, parts_of


def item(before, after):
    return Item(id="i", prefix=b"p" * before, suffix=b"s" * after, reference=b"rrrr")


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        (0, 1, "0–25 %"), (24, 76, "0–25 %"), (25, 75, "25–50 %"), (50, 50, "50–75 %"),
        (75, 25, "75–100 %"), (999, 1, "75–100 %"),
    ],
)  # fmt: skip
def test_the_share_is_what_stands_before_the_cursor_of_all_that_stands(before, after, part):
    assert already_there(item(before, after)) == {THERE: part}


def test_where_nothing_follows_the_cursor_the_length_of_the_file_is_not_known():
    assert already_there(item(10, 0)) == {}


def test_each_part_has_the_figures_of_its_items_alone():
    facets = {"a": {THERE: "y"}, "b": {THERE: "x"}, "c": {THERE: "x"}, "d": {}}
    scores = {name: {"hit": float(name == "b")} for name in facets}
    found = by_facet(facets, scores)[THERE]
    assert list(found) == ["x", "y"]
    assert (found["x"]["hit"].value, found["x"]["hit"].n) == (0.5, 2)
    assert (found["y"]["hit"].value, found["y"]["hit"].n) == (0.0, 1)


def test_a_slice_of_one_part_tells_nothing():
    assert by_facet({"a": {THERE: "x"}, "b": {THERE: "x"}}, {"a": {}, "b": {}}) == {}
    assert parts_of({"a": {THERE: "x"}, "b": {}}, THERE) == {"x": ["a"]}
