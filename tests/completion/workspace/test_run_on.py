"""A match that runs into the text behind the cursor ends there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.workspace.fit import Fit
from completion.workspace.mix import Mixer
from completion.workspace.request import MIX_KEY, RUN_ON, Mixing, runs_on
from completion.workspace.rows import RowMixer
from completion.workspace.workspaces import Workspaces

ID = "w" * 16
MIDDLE, AFTER = [1, 2, 3, 4], [5, 6, 7, 8, 9, 10]

ids = st.lists(st.integers(0, 2), max_size=12)


@given(ids, ids)
def test_it_is_the_beginning_of_what_follows_that_is_looked_for(said, after):
    sizes = range(RUN_ON, min(len(said), len(after)) + 1)
    assert runs_on(said, after) == any(said[-size:] == after[:size] for size in sizes)


class Params:
    def __init__(self, mixing):
        self.extra_args = {MIX_KEY: mixing.words()}


@pytest.fixture
def follower():
    """Of a request whose middle, and what follows it, stand in another file as well."""
    workspaces = Workspaces(64, Fit(), most_tokens=1000, most_file_tokens=1000)
    whole = np.array([*MIDDLE, *AFTER, 11, 12], np.int32)
    workspaces.change(ID, [], [["put", "copy.py", whole.tobytes()]])
    prompt = [*AFTER, *MIDDLE[:1]]
    end = len(prompt)
    mixing = Mixing(ID, "1.0", "a.py", (len(AFTER), end), (0, len(AFTER)), end)
    return RowMixer(workspaces, Mixer([], 64)).follower("r", Params(mixing), lambda: prompt)


def test_the_workspace_says_the_middle_and_not_what_follows_it(follower):
    said = []
    while (match := follower.match(follower.known)) is not None:
        said.append(match.favourite)
        follower.read(said[-1:])
    assert said == [*MIDDLE[1:], *AFTER[:RUN_ON]]


def test_it_goes_on_behind_what_is_said_otherwise(follower):
    follower.read([*MIDDLE[1:], *AFTER[:RUN_ON]])
    assert follower.match(follower.known) is None
    follower.read([13, 6])
    assert follower.match(follower.known).favourite == 7
