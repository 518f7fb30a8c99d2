"""Which items a limit takes."""

from hypothesis import given
from hypothesis import strategies as st

from eval.running.selection import select
from tests.eval.tiny import item


def many(count, kinds=("",)):
    return [item(n, "x", kinds[n % len(kinds)]) for n in range(count)]


def ids(items):
    return [one.id for one in items]


@given(st.integers(0, 60), st.integers(0, 5), st.integers(1, 4))
def test_a_smaller_limit_takes_some_of_a_larger_one_in_the_datas_order(limit, seed, kinds):
    items = many(50, tuple("abcd"[:kinds]))
    taken, more = select(items, limit, seed), select(items, limit + 1 if limit else 0, seed)
    assert len(taken) == (min(limit, 50) or 50)
    assert set(ids(taken)) <= set(ids(more))
    assert ids(taken) == [i for i in ids(items) if i in set(ids(taken))]


def test_the_same_limit_and_seed_take_the_same_and_another_seed_others():
    items = many(100)
    assert ids(select(items, 10, 3)) == ids(select(items, 10, 3))
    assert ids(select(items, 10, 3)) != ids(select(items, 10, 4))
    assert ids(select(items, 10, 3)) != ids(items)[:10], "not simply the first ones"


def test_the_order_of_the_file_does_not_decide():
    items = many(40, ("a", "b"))
    backwards = select(items[::-1], 9, 1)
    assert ids(backwards) == ids(select(items, 9, 1))[::-1]


def test_kinds_take_turns_and_a_rare_one_is_there():
    items = [*many(90, ("common",)), *(item(f"r{n}", "x", "rare") for n in range(3))]
    taken = [one.kind for one in select(items, 8, 0)]
    assert taken.count("rare") == 3
    assert taken.count("common") == 5
    assert {one.kind for one in select(items, 2, 0)} == {"rare", "common"}


def test_no_limit_takes_all():
    items = many(5)
    assert select(items, 0, 0) == select(items, 5, 0) == select(items, 99, 0) == items
