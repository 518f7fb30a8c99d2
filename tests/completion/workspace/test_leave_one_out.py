"""The fit of a workspace from its own files: what is counted, in what slices, and always the same."""

from __future__ import annotations

import random

import pytest

from completion.workspace.fit import Fit, bucket
from completion.workspace.leave_one_out import LeaveOneOut
from completion.workspace.store import Store

VOCABULARY = 500


def whole(store: Store, *, places: int = 20_000) -> Fit:
    work = LeaveOneOut(store, Fit(), places=places)
    while not work.step(0.01):
        pass
    return work.fit


def store_of(files: dict[str, list[int]]) -> Store:
    store = Store(VOCABULARY)
    for path, ids in files.items():
        store.put(path, ids)
    return store


def boilerplate(files: int) -> dict[str, list[int]]:
    """Files of a common half and a half of their own that repeats nothing foreseeable."""
    drawn = random.Random(4)
    common = list(range(1, 101))
    own = [[drawn.randrange(101, VOCABULARY) for _ in range(100)] for _ in range(files)]
    return {f"{at}.py": common + own[at] for at in range(files)}


def test_what_other_files_share_is_trusted_and_what_they_do_not_is_not() -> None:
    fit = whole(store_of(boilerplate(12)))
    assert fit.rate(8, 1.0, 11.0) > 0.9
    assert fit.rate(1, 1.0, 1.0) < 0.2


def test_a_file_is_not_foreseen_by_its_own_text() -> None:
    ids = [(at * 7) % 499 for at in range(499)]  # no token twice
    alone = whole(store_of({"a.py": ids, "b.py": [499] * 3}))
    assert alone.cases[bucket(8, 1.0, 1.0)] == 0
    twice = whole(store_of({"a.py": ids, "b.py": ids}))
    assert twice.hits[bucket(8, 1.0, 1.0)] > 900


def test_the_order_of_indexing_does_not_matter() -> None:
    files = boilerplate(6)
    assert whole(store_of(files)) == whole(store_of(dict(reversed(files.items()))))


@pytest.mark.parametrize("files", [1, 5, 40])
def test_a_sample_is_of_the_size_that_was_asked_for(files: int) -> None:
    fit = whole(store_of(boilerplate(files)), places=640)
    assert 0 < sum(fit.cases) <= 640 + 64


def test_slices_of_any_length_come_to_the_same() -> None:
    store = store_of(boilerplate(5))
    work = LeaveOneOut(store, Fit())
    slices = 0
    while not work.step(0.0):
        slices += 1
    assert slices >= 5 * 200 - 1, "a budget of nothing reads one token"
    assert work.done
    assert work.step(0.0)
    assert work.fit == whole(store)


def test_a_file_that_goes_meanwhile_is_passed_over() -> None:
    store = store_of(boilerplate(5))
    work = LeaveOneOut(store, Fit())
    work.step(0.0)
    for path in store.paths:
        store.remove(path)
    while not work.step(0.01):
        pass
    assert sum(work.fit.cases) <= 200


def test_a_workspace_without_files_leaves_the_prior() -> None:
    prior = Fit(a=1.2, b=0.4, c=0.1)
    work = LeaveOneOut(Store(VOCABULARY), prior)
    assert work.step(1.0)
    assert work.fit == prior
