"""What requests see of the workspaces that an engine core holds."""

import time

import numpy as np
import pytest

from completion.workspace.fit import Fit
from completion.workspace.request import Mixing
from completion.workspace.workspaces import Workspaces

ID = "w" * 16


def put(path, ids):
    return ["put", path, np.array(ids, np.int32).tobytes()]


@pytest.fixture
def held():
    workspaces = Workspaces(64, Fit(), most_tokens=100_000, most_file_tokens=100_000)
    workspaces.change(ID, [], [put("a.py", [1, 2, 3]), put("b.py", [1, 2, 4])])
    return workspaces


def followed(workspaces, path, view="1.0"):
    """What follows 1, 2 for a request in ``path``."""
    seen = workspaces.see(Mixing(ID, view, path, (0, 0), (0, 0), 0))
    match = workspaces.matcher(seen, [1, 2]).find()
    return match.ids.tolist()


def test_no_file_is_seen_from_within_itself_whoever_asked_before(held):
    # one state of the workspace has one name, whichever file a request is in
    assert followed(held, "a.py") == [4]
    assert followed(held, "b.py") == [3]
    assert followed(held, "c.py") == [3, 4]


def test_a_view_in_use_stays_as_it_is_for_its_own_file(held):
    assert followed(held, "a.py") == [4]
    held.change(ID, [["1.0", "a.py"]], [put("b.py", [1, 2, 5])])
    assert followed(held, "a.py") == [4]
    assert followed(held, "a.py", "2.0") == [5]
    assert followed(held, "b.py", "2.0") == [3]


def fitted(workspaces, edit=lambda: None):
    """Whether it comes to an end, beside edits."""
    for _ in range(10_000):
        if workspaces.fit(ID) == "ready":
            return True
        edit()
        time.sleep(0.001)  # merges run beside it, at the lowest priority
    return False


@pytest.mark.parametrize("size", [3, 3000])
def test_all_of_it_is_in_the_index_once_it_is_fitted(held, size):
    rng = np.random.default_rng(0)
    for number in range(20):  # merges begin when they are due, and end when they do
        held.change(ID, [], [put(f"{number}.py", rng.integers(0, 64, size))])
    assert fitted(held)
    view = held.see(Mixing(ID, "2.1", "a.py", (0, 0), (0, 0), 0)).view
    assert view.stop == view.index.stop


def test_a_fit_does_not_wait_for_edits_to_end(held):
    numbers = iter(range(10**9))

    def edit():
        held.change(ID, [], [put("a.py", [1, 2, next(numbers) % 64])])

    assert fitted(held, edit)


@pytest.fixture
def narrow():
    """Room for 1,000 tokens; ``old.py`` is the first to go."""
    workspaces = Workspaces(64, Fit(), most_tokens=1000, most_file_tokens=1000)
    workspaces.change(ID, [], [put("old.py", [1] * 100), put("b.py", [2] * 850)])
    return workspaces


def test_an_edit_of_a_file_that_has_just_gone_changes_nothing(narrow):
    edit = ["splice", "old.py", 0, 1, np.array([3], np.int32).tobytes()]
    done = narrow.change(ID, [], [put("c.py", [4] * 120), edit, put("d.py", [5])])
    assert done["dropped"] == ["old.py"]
    assert done["files"] == 3


def test_a_file_that_went_and_came_again_has_not_gone(narrow):
    done = narrow.change(ID, [], [put("c.py", [4] * 120), put("old.py", [1])])
    assert done["dropped"] == []
    assert done["files"] == 3


@pytest.mark.parametrize("breaks", ["run", "thread"])
def test_a_merge_that_fails_costs_nothing_but_the_merge(held, monkeypatch, breaks):
    def fail(*_):
        raise MemoryError if breaks == "run" else RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        if breaks == "run":
            patched.setattr("completion.workspace.merge.Merge.run", fail)
        else:
            patched.setattr("threading.Thread.start", fail)
        held.change(ID, [], [put("long.py", [7] * 10_000)])
        for number in range(20):
            held.change(ID, [], [put("a.py", [1, 2, number])])
            time.sleep(0.001)
    assert followed(held, "c.py", "9.0") == [4, 19]
    assert fitted(held)
    view = held.see(Mixing(ID, "9.1", "a.py", (0, 0), (0, 0), 0)).view
    assert view.stop == view.index.stop
