"""What requests see of the workspaces that an engine core holds."""

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


def test_what_came_last_is_in_the_index_once_it_is_fitted(held):
    rng = np.random.default_rng(0)
    held.change(ID, [], [put(f"{n}.py", rng.integers(0, 64, 3000)) for n in range(20)])
    while held.fit(ID) != "ready":
        pass
    view = held.see(Mixing(ID, "2.1", "a.py", (0, 0), (0, 0), 0)).view
    assert view.stop - view.index.stop < 8192
