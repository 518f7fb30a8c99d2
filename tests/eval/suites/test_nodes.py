from __future__ import annotations

from pathlib import Path

from eval.engines.base import Engine
from eval.engines.dummies import Half, Oracle, Silent
from eval.item import Answer, Item
from eval.result import Result
from eval.running.progress import RunProgress
from eval.running.runner import Options, Run
from eval.suites import suite_named
from tests.eval.build.nasty import write_tree

SUITE = suite_named("nodes")


async def run(engine: Engine, tree: Path) -> Result:
    work = Run(SUITE, engine, Options(data=tree), RunProgress(quiet=True))
    try:
        return await work.result()
    finally:
        work.close()


async def test_failures_are_told_by_kind(tmp_path: Path) -> None:
    tree = write_tree(tmp_path)
    whole, nothing = await run(Oracle(), tree), await run(Silent(), tree)
    assert set(whole.groups) == set(nothing.groups)
    assert {"arguments", "body", "name", "header", "block", "import", "line"} <= set(whole.groups)
    for found, value in ((whole, 1.0), (nothing, 0.0)):
        for kind, metrics in found.groups.items():
            assert metrics["exact_match_cut"].value == metrics["exact_match"].value == value, kind
            assert metrics["exact_match"].n > 0
    assert sum(m["exact_match"].n for m in whole.groups.values()) == len(whole.items)


async def test_half_an_answer_is_wrong_and_partly_similar(tmp_path: Path) -> None:
    half = await run(Half(), write_tree(tmp_path))
    assert half.metrics["exact_match_cut"].value == 0.0
    assert 0.4 < half.metrics["edit_similarity_cut"].value < 0.8


def test_raw_and_cut_are_scored_apart() -> None:
    item = Item(id="a", prefix=b"f(", suffix=b")\n", reference=b"a, b", kind="arguments")
    answer = Answer(raw=b"a, b)\nreturn a", cut=b"a, b", raw_end="length")
    scores = SUITE.judge(item, [answer], {})
    assert (scores["exact_match"], scores["exact_match_cut"]) == (0.0, 1.0)
    assert scores["ended_by_model"] == 0.0
