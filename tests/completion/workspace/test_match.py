"""The matcher: barriers, weights, going back, and what is very frequent."""

from __future__ import annotations

import numpy as np
import pytest

from completion.workspace.match import Match, Matcher
from completion.workspace.store import Place, Store


def counts(match: Match | None) -> tuple[int, dict[int, float]]:
    if match is None:
        return 0, {}
    return match.length, dict(zip(match.ids.tolist(), match.weights.tolist(), strict=True))


def test_the_document_itself_counts_double():
    store = Store(100)
    store.put("a", [1, 2, 3, 1, 2, 4])
    match = Matcher(store.view(), [7, 1, 2, 3, 8, 1, 2]).find()
    assert counts(match) == (2, {3: 3, 4: 1})
    assert match is not None
    assert (match.favourite, match.share, match.seen) == (3, 0.75, 4)
    assert counts(Matcher(store.view(), [7, 1, 2, 3, 8, 1, 2], document_weight=5).find())[1][3] == 6


def test_of_two_favourites_the_least_id_is_it():
    assert (match := Matcher(None, [1, 9, 1, 3, 1]).find()) is not None
    assert match.favourite == 3


def test_a_longer_match_in_one_place_outweighs_many_shorter_ones_elsewhere():
    store = Store(100)
    store.put("a", [2, 5] * 50)
    store.put("b", [1, 2, 7])
    assert counts(Matcher(store.view(), [1, 2]).find()) == (2, {7: 1})
    assert counts(Matcher(store.view(), [8, 1, 2, 9, 8, 1, 2]).find()) == (3, {9: 2})


def test_no_match_goes_over_a_barrier():
    store = Store(100)
    store.put("a", [1, 2, 3, 4])
    assert counts(Matcher(store.view(), [1, 2, -1, 3]).find()) == (1, {4: 1})
    assert counts(Matcher(store.view(), [1, 2, 3, -1]).find()) == (0, {})
    own = Matcher(None, [1, 2, -1, 9, 5, 1, 2], vocabulary=100)
    assert own.find() is None  # only the barrier followed
    own.extend([6, -1, 2])
    assert counts(own.find()) == (1, {6: 2})
    own = Matcher(None, [3, 7, -1, 5, 3, 9, 7], vocabulary=100)
    own.append(-1)
    own.append(7)
    assert own.find() is None


def test_what_is_no_id_of_the_vocabulary_is_a_barrier():
    store = Store(100)
    store.put("a", [1, 2, 3])
    assert counts(Matcher(store.view(), [1, 100, 2]).find()) == (1, {3: 1})
    matcher = Matcher(store.view(), [1])
    matcher.append(1 << 40)
    assert matcher.find() is None


def test_a_match_does_not_go_from_one_file_into_the_next():
    store = Store(100)
    store.put("a", [1, 2])
    store.put("b", [3, 4])
    for _ in range(2):
        assert Matcher(store.view(), [2]).find() is None
        assert counts(Matcher(store.view(), [2, 3]).find()) == (1, {4: 1})
        store.merge()


def test_where_nothing_followed_a_shorter_suffix_is_taken():
    store = Store(100)
    store.put("a", [2, 5, 1, 2])
    assert counts(Matcher(store.view(), [1, 2]).find()) == (1, {5: 1})


def test_going_back_is_as_if_nothing_had_been_appended():
    store = Store(100)
    store.put("a", [1, 2, 3, 4, 5])
    matcher = Matcher(store.view(), [7, 1])
    matcher.append(2)
    matcher.extend(iter([3, -1, 9]))
    assert len(matcher) == 6
    matcher.cut(3)
    assert counts(matcher.find()) == (2, {3: 1})
    matcher.cut(0)
    assert matcher.find() is None
    for wrong in (-1, 1):
        with pytest.raises(ValueError, match="length"):
            matcher.cut(wrong)


@pytest.mark.parametrize("longest", [0, 9])
def test_a_suffix_longer_than_the_index_reaches_is_refused(longest: int):
    with pytest.raises(ValueError, match="longest"):
        Matcher(None, [1], longest=longest)


def test_an_empty_text_and_an_empty_store_match_nothing():
    assert Matcher(None).find() is None
    assert Matcher(Store(10).view(), [1, 2, 3]).find() is None


def test_a_place_is_where_the_token_followed_and_none_for_the_text_itself():
    store = Store(100)
    store.put("a", [9, 1, 2, 3])
    store.put("b", [1, 2, 4])
    matcher = Matcher(store.view(), [1, 2, 5, 1, 2])
    assert matcher.where(store, 3) == Place("a", 3)
    assert matcher.where(store, 4) == Place("b", 2)
    assert matcher.where(store, 5) is None
    assert Matcher(store.view(), [8, 1, 2, 5, 8, 1, 2]).where(store, 3) is None
    assert Matcher(None, [1, 2, 1]).where(store, 2) is None
    store.put("c", [0] * 30)
    store.splice("a", 0, 1, [])
    assert matcher.where(store, 3) is None  # seen in a version that is gone
    assert matcher.where(store, 4) == Place("b", 2)


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("vocabulary", [16_384, 262_144])
def test_what_is_very_frequent_is_estimated_in_proportion(vocabulary: int, merged: bool):
    rng = np.random.default_rng(0)
    store = Store(vocabulary)
    others = rng.choice(np.arange(10, 15), 20_000, p=[0.5, 0.3, 0.1, 0.07, 0.03])
    store.put("a", np.stack([np.full_like(others, 7), others], 1).ravel())
    store.put("gone", np.full(50_000, 7))
    if merged:
        store.merge()
    store.remove("gone")
    match = Matcher(store.view(), [7]).find()
    assert match is not None
    assert match.length == 1
    assert match.seen == pytest.approx(20_000, rel=0.1 if merged else 1e-9)
    assert match.favourite == 10
    assert match.share == pytest.approx(0.5, abs=0.15)
    assert Matcher(store.view(), [7]).find() is not match


def test_a_frequent_suffix_of_which_only_a_few_are_left_is_still_found():
    store = Store(100)
    store.put("open", [1, 2] * 30_000)
    store.put("other", [1, 2, 1, 2, 50])
    store.merge()
    match = Matcher(store.view("open"), [3, 1, 2, 1, 2]).find()
    assert counts(match) == (4, {50: 1})


def test_what_was_found_is_not_changed_by_what_is_found_next():
    store = Store(100)
    store.put("a", [1, 2] * 300)
    store.merge()
    store.put("b", [1, 2, 3])
    view = store.view()
    first = counts(Matcher(view, [9, 1]).find())
    assert counts(Matcher(view, [1, 2, 9, 1]).find())[1][2] > first[1][2]
    assert counts(Matcher(view, [9, 1]).find()) == first
