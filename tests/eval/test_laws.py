"""Distances between laws, and asking a server for them at places of real files."""

import math

import pytest

from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.own_server import OwnServer
from eval.build.tree import SourceFile, tree_of
from eval.laws import Measured, certificates, draw_cuts, measure, scores, total_variation

TEXTS = {"a.py": b"import os\n" * 30, "b/c.py": b"def f(x):\n    return x + 1\n" * 40}


@pytest.fixture
def tree():
    return tree_of("two", [SourceFile(path=path, text=text) for path, text in TEXTS.items()])


def _law(**probabilities):
    """A law over bytes given by letters; ``end`` has what they leave."""
    logs = [-math.inf] * 256
    for letter, probability in probabilities.items():
        logs[ord(letter)] = math.log(probability)
    left = 1 - sum(probabilities.values())
    return pb.NextBytesResponse(
        log_probs=logs, end_log_prob=math.log(left) if left > 1e-9 else -math.inf
    )


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        (_law(a=0.5, b=0.5), _law(a=0.5, b=0.5), 0.0),
        (_law(a=1.0), _law(b=1.0), 1.0),
        (_law(a=0.75, b=0.25), _law(a=0.5, b=0.5), 0.25),
        (_law(a=0.5), _law(a=0.75), 0.25),  # the end counts
    ],
)
def test_total_variation_is_half_of_what_moved(one, other, distance):
    assert total_variation(one, other) == pytest.approx(distance, abs=1e-6)


def test_cuts_are_bytes_of_the_files_the_same_ones_again_and_large_files_more_often(tree):
    cuts = draw_cuts(tree, 400, seed=3)
    assert cuts == draw_cuts(tree, 400, seed=3)
    assert cuts != draw_cuts(tree, 400, seed=4)
    for cut in cuts:
        assert cut.prefix + cut.suffix in TEXTS[cut.path]
    share = sum(cut.path == "b/c.py" for cut in cuts) / len(cuts)
    assert share == pytest.approx(1080 / 1380, abs=0.08)


def test_where_nothing_was_covered_the_naive_law_has_its_own_row():
    fields = {"one_token": 0.2, "contexts": 3, "drawn_contexts": 2, "omitted": 1e-7}
    inside = Measured(naive=0.4, healed=3, drawn_omitted=0.5, **fields)
    boundary = Measured(naive=0.0, healed=0, drawn_omitted=0.0, **fields)
    table = scores([inside, boundary])
    assert table["cut0"]["tv_naive"] == 0.4
    assert "tv_naive" not in table["cut1"]
    assert table["cut1"]["tv_naive_at_boundary"] == 0.0
    assert certificates([inside, boundary])["omitted_drawn_p99"] == 0.5
    assert certificates([boundary]) == {}


async def test_a_server_is_asked_about_every_cut(tree):
    done = []
    async with OwnServer(extra_args=["--engine", "fake", "--arm", "exact_psm_word"]) as server:
        channel = server.channel()
        try:
            stub = rpc.CompletionServiceStub(channel)
            found = await measure(stub, draw_cuts(tree, 12, 0), lambda: done.append(1))
        finally:
            await channel.close()
    assert len(done) == len(found) == 12
    assert any(one.healed for one in found)
    assert all(0 <= one.naive <= 1 and 0 <= one.omitted <= 1 for one in found)
