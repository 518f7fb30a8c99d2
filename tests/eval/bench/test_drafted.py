"""Drafters held against hand-made answers: what is kept, what is learned and when, what is foreseen."""

from __future__ import annotations

import numpy as np
import pytest

from completion.workspace.fit import Fit
from completion.workspace.request import Mixing, Rest
from completion.workspace.store import Store
from completion.workspace.workspaces import Seen
from eval.bench.drafted import MOST_DRAFTS, Draft, Request, simulate
from eval.bench.drafter_kinds import Either, NGrams, NoDrafts, Stored
from eval.bench.token_recycling import FEW_LEVELS, LEVELS, Recycling, chain, tree

WRONG = 900
BARRIER = 0
CHAIN = chain(MOST_DRAFTS)


def request(prompt, answer, *, second=False, **fields):
    """An answer whose tokens were the model's first candidates; ``second``: its second, as sampled."""

    def row(token):
        return (WRONG, token) if second else (token, WRONG)

    fields.setdefault("document", 0)
    fields.setdefault("prompt_rows", [*map(row, prompt[1:]), row(answer[0])])
    return Request(
        prompt=prompt, answer=answer, answer_rows=[row(token) for token in answer[1:]], **fields
    )


def simulated(drafter, *requests, max_tokens=64):
    return simulate(requests, drafter, max_tokens=max_tokens)


def test_without_drafts_a_step_brings_one_token():
    tally = simulated(NoDrafts(), request([1, 2], [3, 4, 5, 6]), request([1], [2]))
    assert (tally.steps, tally.tokens, tally.a_step) == (3, 3, 1.0)
    assert (tally.right, tally.rows) == (0.0, {1: 3})


def test_the_path_that_comes_is_kept_of_a_tree():
    #  7 ─ 8 ─ 9      behind 6, 8 stands as well
    #  6 ─ 8 ─ 5
    draft = Draft((7, 6, 8, 8, 9, 5), (-1, -1, 0, 1, 2, 3))
    assert draft.accepted([6, 8, 5, 1]) == 3
    assert draft.accepted([7, 8, 5]) == 2
    assert draft.accepted([8, 9]) == 0
    assert draft.accepted([7]) == 1
    assert Draft.chain([1, 2, 3]).accepted([1, 2, 4]) == 2


def test_an_answer_that_repeats_the_document_is_accepted_in_chunks():
    document = list(range(10, 40))
    tally = simulated(NGrams([BARRIER]), request([*document, 10, 11], document[2:17]))
    # behind the first token 14 more: six drafts and one of the model's own, twice
    assert (tally.steps, tally.tokens, tally.kept) == (2, 14, 12)
    assert (tally.a_step, tally.right, tally.rows_a_step) == (7.0, 1.0, 7.0)


def test_the_longest_n_gram_decides_and_the_latest_place():
    prompt = [1, 2, 3, 70, 5, 3, 71, 4, 3, 72, 1, 2]
    drafter = NGrams([BARRIER])
    drafter.begin(request(prompt, [3, 70]))
    drafter.read([3], ())
    assert drafter.draft(1) == Draft.chain([70]), "behind 1 2 3"
    drafter = NGrams([BARRIER], longest=1)
    drafter.begin(request(prompt, [3, 70]))
    drafter.read([3], ())
    assert drafter.draft(1) == Draft.chain([72]), "behind the last 3"


def test_what_is_no_text_is_never_drafted():
    drafter = NGrams([BARRIER])
    drafter.begin(request([1, 2, 3, BARRIER, 4, 1], [2, 9]))
    drafter.read([2], ())
    assert drafter.draft(6) == Draft.chain([3])
    drafter.read([3], ())
    assert drafter.draft(6) == Draft()


def test_nothing_is_drafted_behind_the_last_token_that_an_answer_may_have():
    document = list(range(10, 40))
    asked = request([*document, 10, 11], document[2:7])
    tally = simulated(NGrams([BARRIER]), asked, max_tokens=5)
    # of five tokens the first came with the prompt, and one comes of the model
    assert (tally.steps, tally.drafted, tally.kept) == (1, 3, 3)


def test_recycling_drafts_a_bigram_only_after_it_was_seen():
    tally = simulated(
        Recycling(CHAIN, hot=False, prompts=False), request([50], [1, 2, 3, 1, 2, 3, 1, 2, 3])
    )
    # 2, 3 and the second 1 come one by one; from there on the cycle is known
    assert (tally.steps, tally.tokens) == (4, 8)
    assert (tally.drafted, tally.kept) == (6, 5)
    assert tally.rows == {1: 3, 7: 1}


def test_a_hot_matrix_remembers_the_request_before_of_the_same_document():
    first = request([50], [1, 2, 3, 4])
    again = request([51], [1, 2, 3, 4])
    other = request([51], [1, 2, 3, 4], document=1)
    cold = Recycling(CHAIN, hot=False, prompts=False)
    assert simulated(cold, first, again).a_step == 1.0
    tally = simulated(Recycling(CHAIN, hot=True, prompts=False), first, again)
    assert (tally.steps, tally.tokens) == (4, 6), "the second answer took one step"
    tally = simulated(Recycling(CHAIN, hot=True, prompts=False), first, other)
    assert tally.a_step == 1.0, "another document begins cold"


def test_a_prompt_teaches_what_the_model_held_likely_in_it():
    asked = request([1, 2, 3, 4, 5, 1], [2, 3, 4, 5])
    assert simulated(Recycling(CHAIN, hot=False, prompts=False), asked).a_step == 1.0
    assert simulated(Recycling(CHAIN, hot=False, prompts=True), asked).a_step == 3.0


def test_rows_of_cached_tokens_are_not_learned_again():
    before = request([1, 7], [8])
    prompt_rows = [(40, WRONG), (8, WRONG), (1, WRONG), (2, WRONG)]
    fields = {"prompt_rows": prompt_rows, "document": 0}
    newer = request([1, 7, 8, 1], [2, 1, 2], **fields)
    drafter = Recycling(chain(1), hot=True, prompts=True)
    simulated(drafter, before, newer)
    drafter.begin(request([1, 7, 8, 9], [1], cached=3, document=0))
    drafter.read([1], ())
    assert drafter.draft(1) == Draft.chain([2]), "what was held likely behind 1 most lately"


def test_a_tree_keeps_what_was_the_second_candidate():
    asked = request([1, 2, 3, 4, 5, 1], [2, 3, 4, 5], second=True)
    assert simulated(Recycling(CHAIN, hot=False, prompts=True), asked).a_step == 1.0
    shape = tree((2, 4, 8), 2)
    tally = simulated(Recycling(shape, hot=False, prompts=True), asked)
    assert tally.a_step == 3.0
    # nothing of the tree is behind 900, the wrong one, for nothing ever was: two of each level
    assert tally.rows == {1 + 2 + 2 + 2: 1}


def test_a_tree_is_no_deeper_than_what_may_be_drafted():
    asked = request([1, 2, 3, 4, 5, 1], [2, 3, 4, 5])
    drafter = Recycling(tree(), hot=False, prompts=True)
    tally = simulated(drafter, asked, max_tokens=4)
    assert (tally.steps, tally.kept) == (1, 2)


@pytest.mark.parametrize("levels", [LEVELS, FEW_LEVELS])
def test_every_node_of_a_tree_stands_behind_one_that_came_before(levels):
    nodes = tree(levels)
    assert [sum(len(node) == depth for node in nodes) for depth in range(1, len(levels) + 1)] == (
        list(levels)
    )
    assert len(set(nodes)) == len(nodes)
    for at, node in enumerate(nodes):
        assert node[:-1] == () or node[:-1] in nodes[:at]
        assert all(rank < 8 for rank in node)
    assert (0,) * len(levels) in nodes


def stored(files, path):
    store = Store(1000)
    for name, ids in files.items():
        store.put(name, ids)
    store.merge()
    seen = {path: Seen(store.view(without=path), Fit())}
    return Stored(1000, [BARRIER], Fit(), seen), Stored(1000, [BARRIER], Fit(), None)


def test_the_store_drafts_from_other_files_and_not_from_the_document_s_own_copy():
    text = list(range(10, 30))
    prompt = [BARRIER, 10, 11]
    mixing = Mixing("", "", "a.py", (1, 3), (0, 0), 3)
    asked = request(prompt, text[2:12], mixing=mixing)
    whole, alone = stored({"b.py": text, "a.py": [10, 11, 700]}, "a.py")
    assert simulated(whole, asked).a_step > 2
    assert simulated(alone, asked).a_step == 1.0
    whole, _ = stored({"a.py": text}, "a.py")
    assert simulated(whole, asked).a_step == 1.0


def test_the_store_reads_what_of_the_document_is_not_in_the_prompt():
    text = list(range(10, 30))
    around = Rest(np.array(text, np.int32).tobytes(), b"")
    asked = request(
        [BARRIER, 10, 11], text[2:12], mixing=Mixing("", "", "a.py", (1, 3), (0, 0), 3, around)
    )
    whole, alone = stored({"b.py": [700, 701]}, "a.py")
    assert simulated(whole, asked).a_step > 2
    assert simulated(alone, asked).a_step == 1.0, "without a workspace there is the prompt alone"


def test_the_store_drafts_no_further_than_it_is_likely_to_be_right():
    text = list(range(10, 30))
    _, alone = stored({}, "a.py")
    asked = request([*text, 10, 11], text[2:17])
    # of a fit that knows nothing every match is as likely right as wrong: 1/2, 1/4, 1/8, and no more
    assert simulated(alone, asked).rows[1 + 3] > 0
    assert max(simulated(alone, asked).rows) == 1 + 3


def test_the_second_drafter_is_asked_where_the_first_has_nothing():
    repeats, learns = list(range(10, 20)), [1, 2, 3, 1, 2, 3]
    both = Either(
        NGrams([BARRIER], shortest=2, longest=2), Recycling(CHAIN, hot=True, prompts=False)
    )
    asked = request([*repeats, 10, 11], repeats[2:9])
    assert simulated(both, asked).a_step == 6.0, "the first"
    first, again = request([50], learns[:3]), request([1, 51], learns[:3])
    tally = simulated(both, first, again)
    assert (tally.steps, tally.kept) == (3, 2), "the second, which has read on beside the first"
