"""Drafts: what is worth proposing, and that supposing it changes no match."""

import random

import numpy as np
import pytest

from completion.workspace.drafts import least_chance, propose
from completion.workspace.fit import BUCKETS, Fit
from completion.workspace.match import Match, Matcher
from completion.workspace.mix import Mixer
from completion.workspace.request import MIX_KEY, Mixing
from completion.workspace.rows import RowMixer
from completion.workspace.workspaces import Workspaces

ID = "w" * 16
VOCABULARY = 12
SPECIAL = 11


class Always:
    """A fit that says the same of every match."""

    def __init__(self, rate):
        self._rate = rate

    def rate(self, length, share, seen):
        return self._rate


def match(token, length=4):
    return Match(length, {token: 1.0}, None, 1.0)


def counting(drafts):
    return match(len(drafts))


def test_the_favourite_behind_the_favourite_is_proposed_until_there_are_enough():
    assert propose(counting, Always(1.0), 4, 0.5) == [0, 1, 2, 3]
    assert propose(counting, Always(1.0), 0, 0.5) == []


def test_nothing_is_proposed_that_is_likely_to_be_wrong_with_what_stands_before_it():
    assert propose(counting, Always(0.4), 9, 0.5) == []
    assert propose(counting, Always(0.9), 9, 0.75) == [0, 1]


def test_nothing_is_proposed_behind_no_match():
    assert propose(lambda drafts: None if drafts else match(3), Always(1.0), 4, 0.5) == [3]


def test_the_more_are_decoded_together_the_surer_a_draft_has_to_be():
    chances = [least_chance(n) for n in (1, 2, 8, 16, 64)]
    assert chances == sorted(chances)
    assert 0 < chances[0] < chances[2] < chances[-1] < 0.5


class Params:
    """As vLLM's sampling parameters carry it."""

    def __init__(self, mixing=None):
        self.extra_args = {} if mixing is None else {MIX_KEY: mixing.words()}


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    fit = Fit(hits=(95.0,) * BUCKETS, cases=(100.0,) * BUCKETS)
    workspaces = Workspaces(VOCABULARY, fit, most_tokens=10_000, most_file_tokens=10_000)
    files = [
        ["put", f"{n}.py", (rng.integers(0, 3, 200) * 2).astype(np.int32).tobytes()]
        for n in range(3)
    ]
    workspaces.change(ID, [], files)
    return RowMixer(workspaces, Mixer([SPECIAL], VOCABULARY))


@pytest.mark.parametrize("named", [True, False])
def test_a_match_is_that_of_the_tokens_whatever_was_supposed_before(rows, named):
    """Drafts right, wrong and half right in turn: each row finds what a fresh matcher finds."""
    rng = random.Random(7)
    prompt = [rng.randrange(0, 5) for _ in range(60)]
    mixing = Mixing(ID, "1.0", "x.py", (0, 60), (0, 0), 60) if named else None
    follower = rows.drafting("a", Params(mixing), lambda: prompt)
    assert (rows.follower("a", Params(mixing), lambda: prompt) is follower) == named
    text = list(prompt)

    def fresh(ids):
        found = Matcher(follower.seen.view, ids, vocabulary=VOCABULARY).find()
        return found and (found.length, found.ids.tolist(), found.weights.tolist())

    def ours(end):
        found = follower.match(end)
        return found and (found.length, found.ids.tolist(), found.weights.tolist())

    supposed = proposed = 0
    for _ in range(300):
        drafts = follower.drafts(5, 0.3)
        assert len(drafts) <= 5
        proposed += len(drafts)
        if rng.random() < 0.3:  # the scheduler may have room for some only
            drafts = drafts[: rng.randrange(6)]
        follower.suppose(drafts)
        supposed += len(drafts)
        for n in range(len(drafts) + 1):
            assert ours(len(text) + n) == fresh([*text, *drafts[:n]])
        if rng.random() < 0.1:
            assert ours(len(text) - 3) == (fresh(text[:-3]) if len(text) - 3 >= 60 else None)
        right = rng.randrange(len(drafts) + 1)
        drawn = [*drafts[:right], rng.randrange(0, 5)]
        follower.read(drawn)
        text += drawn
        assert follower.known == len(text)
    assert supposed > 100
    assert proposed > supposed


def test_a_request_without_a_workspace_drafts_from_its_prompt_and_across_no_special_id(rows):
    prompt = [1, 2, 3, 4, 5, 6, SPECIAL, 1, 2, 3]
    follower = rows.drafting("a", Params(), lambda: prompt)
    assert follower.drafts(3, 0.3) == [4, 5, 6]
    behind = rows.drafting("b", Params(), lambda: [1, 2, 3, 4, SPECIAL, 5, 1, 2, 3])
    assert behind.drafts(3, 0.3) == [4], "what stands behind a special id is no text of it"
    assert len(rows) == 2
    rows.forget(["a", "b"])
    assert len(rows) == 0


def test_what_a_request_sees_of_a_workspace_is_drafted_too(rows):
    ids = np.array([7, 8, 9, 10, 7, 8, 9, 10], np.int32)
    rows.workspaces.change(ID, [], [["put", "new.py", ids.tobytes()]])
    mixing = Mixing(ID, "2.0", "x.py", (0, 3), (0, 0), 3)
    assert rows.drafting("a", Params(mixing), lambda: [0, 7, 8]).drafts(2, 0.3) == [9, 10]
    assert rows.drafting("b", Params(), lambda: [0, 7, 8]).drafts(2, 0.3) == []
