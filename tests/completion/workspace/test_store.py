"""What the store keeps, drops, refuses and gives back."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

from completion.workspace import store as store_module
from completion.workspace.match import Matcher
from completion.workspace.store import Change, Place, Store


def followers(store: Store, *context: int, without: str | None = None) -> dict[int, float]:
    match = Matcher(store.view(without), context).find()
    return dict(zip(match.ids.tolist(), match.weights.tolist(), strict=True)) if match else {}


def test_a_file_is_read_back_as_it_was_put_and_edited():
    store = Store(100)
    assert store.put("a", [1, 2, 3]) == Change(kept=3)
    assert store.splice("a", 1, 1, [7, 8]) == Change(kept=4)
    assert store.read("a").tolist() == [1, 7, 8, 3]
    assert store.splice("a", 4, 0, [9]) == Change(kept=5)
    assert store.splice("a", 0, 5, []) == Change(kept=0)
    assert store.read("a").tolist() == []
    assert store.paths == ("a",)


def test_the_version_goes_up_with_what_changes_and_with_nothing_else():
    store = Store(100)
    seen = [store.version]
    for change in (
        lambda: store.put("a", [1, 2]),
        lambda: store.put("empty", []),
        lambda: store.splice("a", 0, 1, [3]),
        lambda: store.put("a", [3, 2, 1]),
        lambda: store.remove("a"),
        lambda: store.clear(),
    ):
        change()
        seen.append(store.version)
    assert seen == sorted(set(seen))
    store.put("a", [1, 2])
    version = store.version
    store.put("a", [1, 2])
    store.splice("a", 1, 0, [])
    store.remove("b")
    store.merge()
    store.view("a")
    assert store.version == version


@pytest.mark.parametrize(("start", "removed"), [(-1, 0), (0, -1), (0, 4), (3, 1), (4, 0)])
def test_an_edit_outside_the_file_is_refused_and_changes_nothing(start: int, removed: int):
    store = Store(100)
    store.put("a", [1, 2, 3])
    with pytest.raises(ValueError, match="of a file of 3"):
        store.splice("a", start, removed, [5])
    assert store.read("a").tolist() == [1, 2, 3]


def test_a_file_nobody_put_cannot_be_edited_or_read():
    store = Store(100)
    with pytest.raises(KeyError):
        store.splice("a", 0, 0, [1])
    with pytest.raises(KeyError):
        store.read("a")


@pytest.mark.parametrize("ids", [[-1], [100], [1 << 40], np.array([0.5]), [[1]]])
def test_what_is_no_id_of_the_vocabulary_is_refused(ids: list[int]):
    store = Store(100)
    store.put("a", [1, 2])
    with pytest.raises(ValueError, match="ids"):
        store.put("a", ids)
    assert store.read("a").tolist() == [1, 2]


@pytest.mark.parametrize("vocabulary", [0, 1 << 21])
def test_a_vocabulary_that_cannot_be_packed_is_refused(vocabulary: int):
    with pytest.raises(ValueError, match="vocabulary"):
        Store(vocabulary)


@pytest.mark.parametrize("vocabulary", [65_535, 65_536, (1 << 21) - 1])
def test_the_greatest_id_of_a_vocabulary_is_found(vocabulary: int):
    last = vocabulary - 1
    store = Store(vocabulary)
    store.put("a", [last, last - 1, last])
    for _ in range(2):
        assert followers(store, last) == {last - 1: 1}
        assert followers(store, last, last - 1) == {last: 1}
        store.merge()


def test_a_file_over_the_cap_is_refused_and_its_older_version_forgotten():
    store = Store(100, most_file_tokens=5)
    store.put("huge", [1, 2, 3])
    change = store.put("huge", [1] * 6)
    assert (change.kept, change.dropped) == (0, ())
    assert "6 tokens" in change.refused
    assert "5" in change.refused
    assert store.paths == ()
    assert store.refused == 1
    assert followers(store, 1) == {}
    store.put("grown", [4, 5, 6, 7, 8])
    assert store.splice("grown", 5, 0, [9]).refused
    assert store.paths == ()
    assert store.refused == 2


def test_files_put_or_edited_the_longest_ago_go_when_there_is_no_room():
    store = Store(100, most_tokens=10)
    for number, path in enumerate(("a", "b", "c")):
        store.put(path, [number] * 3)
    store.put("a", [0] * 3)  # as it was, but lately
    store.splice("b", 0, 1, [9])
    assert store.put("d", [4] * 3) == Change(kept=3, dropped=("c",))
    assert store.put("e", [5] * 8) == Change(kept=8, dropped=("a", "b", "d"))
    assert store.paths == ("e",)
    assert store.tokens == 8
    assert store.dropped == 4


def test_a_view_does_not_see_what_happens_later():
    store = Store(100)
    store.put("a", [1, 2, 3, 1, 2, 4])
    store.put("b", [1, 2, 5])
    views = [store.view(), store.view("b")]

    def seen() -> list[dict[int, float]]:
        matches = [Matcher(view, [1, 2]).find() for view in views]
        return [dict(zip(m.ids, m.weights, strict=True)) for m in matches if m is not None]

    frozen = [{3: 1, 4: 1, 5: 1}, {3: 1, 4: 1}]
    assert seen() == frozen
    for change in (
        lambda: store.splice("a", 2, 1, [7]),
        lambda: store.put("c", [1, 2, 6] * 1000),
        store.merge,
        lambda: store.put("a", [2, 1]),
        lambda: store.remove("b"),
        store.merge,
        store.clear,
        lambda: store.put("a", [8] * 50),
    ):
        change()
        assert seen() == frozen


def test_the_open_documents_own_file_is_left_out():
    store = Store(100)
    store.put("a", [1, 2, 3])
    store.put("b", [1, 2, 4])
    for _ in range(2):
        assert followers(store, 1, 2, without="a") == {4: 1}
        assert followers(store, 1, 2, without="no such file") == {3: 1, 4: 1}
        store.merge()


def test_the_same_file_under_two_names_counts_twice_and_once_when_one_goes():
    store = Store(100)
    store.put("a", [1, 2, 3])
    store.put("b", [1, 2, 3])
    assert followers(store, 1, 2) == {3: 2}
    store.merge()
    assert followers(store, 1, 2) == {3: 2}
    store.remove("a")
    assert followers(store, 1, 2) == {3: 1}
    assert store.place(store.view(), int(first_entry(store, [1, 2]))) == Place("b", 2)


def first_entry(store: Store, context: list[int]) -> int:
    view = store.view()
    nearest_first = context[::-1]
    (seen,) = view.find(nearest_first, view.text.key(nearest_first))
    return seen.entries[0]


def test_an_entry_of_what_is_gone_has_no_place():
    store = Store(100)
    store.put("a", [1, 2, 3])
    view, entry = store.view(), first_entry(store, [1, 2])
    store.splice("a", 0, 0, [9] * 20)
    store.put("b", [5] * 20)
    assert store.place(view, entry) is None  # written again: its context was another
    store.clear()
    store.put("a", [1, 2, 3])
    assert store.place(view, entry) is None


def test_a_hundred_thousand_empty_files():
    store = Store(100)
    for number in range(100_000):
        store.put(str(number), [])
    store.merge()
    assert len(store.paths) == 100_000
    assert store.tokens == 0
    assert store.nbytes < 10_000
    assert Matcher(store.view("7"), [1]).find() is None
    store.put("x", [1, 2])
    assert followers(store, 1) == {2: 1}


@pytest.mark.parametrize("way", ["clear", "remove", "splice"])
def test_memory_is_given_back_when_everything_is_deleted(way: str):
    rng = np.random.default_rng(0)
    tracemalloc.start()
    try:
        store = Store(50_000)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(20):
            store.put(str(number), rng.integers(0, 50_000, 10_000))
        store.merge()
        store.view()
        full, _ = tracemalloc.get_traced_memory()
        assert full - before > 5 * store.tokens
        for path in store.paths:
            if way == "remove":
                store.remove(path)
            elif way == "splice":
                store.splice(path, 0, 10_000, [])
        if way == "clear":
            store.clear()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert store.nbytes < 1_000
    assert followers(store, 1) == {}


def test_at_rest_a_token_takes_no_more_than_ten_bytes():
    rng = np.random.default_rng(0)
    for vocabulary, most in ((16_384, 8), (262_144, 10)):
        store = Store(vocabulary)
        for number in range(40):
            store.put(str(number), rng.integers(0, vocabulary, 5_000))
        store.merge()
        assert store.nbytes < most * store.tokens


def test_an_edit_costs_what_is_edited_and_not_what_the_file_holds():
    rng = np.random.default_rng(0)
    store = Store(1_000)
    store.put("a", rng.integers(0, 1_000, 50_000))
    store.merge()
    written = store.nbytes
    for at in range(100):
        store.splice("a", 400 * at, 1, [1, 2])
    assert store.nbytes - written < 50_000 * 2
    changed = store.read("a")
    changed[25_000] = 7
    stop = store._log.stop
    store.put("a", changed)  # whole, but for one token as it was
    assert store._log.stop - stop < 100


def test_a_merge_is_due_by_new_tokens_by_dead_ones_and_by_many_edits():
    rng = np.random.default_rng(0)
    store = Store(1_000)
    assert not store.merge_due
    store.put("a", rng.integers(0, 1_000, 100_000))
    assert store.merge_due
    merge = store.begin_merge()
    assert not store.merge_due  # it is under way
    merge.run()
    store.end_merge(merge)
    assert not store.merge_due
    store.put("b", [1, 2, 3])
    assert not store.merge_due
    size = store.nbytes
    store.splice("a", 0, 60_000, [])
    assert store.merge_due
    store.merge()
    assert not store.merge_due
    assert store.nbytes < size / 2
    for at in range(300):
        store.splice("a", 100 * at, 1, [5])
    assert store.merge_due
    store.merge()
    assert not store.merge_due
    assert store.read("b").tolist() == [1, 2, 3]


def test_a_merge_begun_before_everything_was_forgotten_is_void():
    store = Store(100)
    store.put("a", [1, 2, 3])
    merge = store.begin_merge()
    store.clear()
    store.put("b", [1, 2, 4])
    merge.run()
    store.end_merge(merge)
    assert followers(store, 1, 2) == {4: 1}
    older, newer = store.begin_merge(), store.begin_merge()
    newer.run()
    store.end_merge(newer)
    older.run()
    store.put("c", [1, 2, 5])
    store.end_merge(older)
    assert followers(store, 1, 2) == {4: 1, 5: 1}


def test_the_log_does_not_grow_without_end_when_nobody_merges():
    store = Store(1_000, most_tokens=20_000)
    rng = np.random.default_rng(0)
    for _ in range(50):
        store.put("a", rng.integers(0, 1_000, 15_000))
    assert store.nbytes < 20 * store.most_tokens
    assert store.tokens == 15_000


def test_a_large_index_is_in_order_whatever_its_tokens(monkeypatch: pytest.MonkeyPatch):
    """More than a piece of one token, of two in turn, and ids that differ in their third byte."""
    rng = np.random.default_rng(0)
    for vocabulary in (16_384, 262_144):
        last = vocabulary - 1
        store = Store(vocabulary)
        store.put("one", [5] * 40_000)
        store.put("two", [5, 6] * 20_000)
        store.put("far", rng.choice([5, 5 + (last >> 1), last, last - 256], 60_000))
        store.merge()
        text, order = store._log.text, store._index.order.tolist()
        size = 8 * text.width
        keys = [bytes(text.raw[-p * text.width :][:size]) for p in order]
        assert keys == sorted(keys)
        assert len(set(order)) == len(order) == store.tokens - 3
        held = store._index.keys
        assert all(
            bytes(key).ljust(size, b"\0") == keys[at * 64] for at, key in enumerate(held.tolist())
        )


def test_nothing_but_numpy_is_needed():
    """The engine-core process has torch; this must not be why."""
    import subprocess

    code = "import sys, completion.workspace.match; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert store_module.__doc__
