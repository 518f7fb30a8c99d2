"""A whole run on engines that know the answers, cut short and taken up again."""

import asyncio
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from completion.errors import CaretError, UsageError
from eval.engines.base import Engine, Identity
from eval.engines.dummies import Half, Oracle, Silent
from eval.errors import EngineGone
from eval.execution.program import Verdict
from eval.item import Answer, Timings
from eval.result import read_result
from eval.running.progress import RunProgress
from eval.running.runner import Options, Run, _partial
from eval.suites.base import Draw, Loaded
from tests.eval.tiny import ITEMS, TEXTS, Running, Tiny

QUIET = {"quiet": True}


async def run(suite, engine, **options):
    work = Run(suite, engine, Options(**options), RunProgress(**QUIET))
    try:
        return await work.result()
    finally:
        work.close()


def timeless(result):
    """A result as its file has it, without what no two runs share."""
    table = json.loads(json.dumps(asdict(result)))
    for name in ("started", "seconds"):
        table.pop(name)
    return table


class Counting(Engine):
    """Answers with the reference, and goes away before the answer of number ``last``."""

    name = "server"  # so that baselines are held against it

    def __init__(self, last=None, model="m", wrong=()):
        self.asked, self.last, self.model, self.wrong = [], last, model, wrong

    async def start(self):
        return Identity(name=self.model, checksum="sha256:1")

    async def answer(self, item, ask):
        if len(self.asked) == self.last:
            raise EngineGone("it has gone away")
        self.asked.append(item.id)
        await asyncio.sleep(0)
        text = b"no" if item.id in self.wrong else item.reference
        timings = Timings(total_ms=2.5, prompt_tokens=9, cached_tokens=4)
        return Answer(raw=text, cut=text, raw_end="model", timings=timings, log_prob=-0.5)


async def test_the_oracle_has_it_all_and_silence_nothing():
    for suite in (Tiny(), Running()):
        whole = await run(suite, Oracle())
        assert [whole.metrics[name].value for name in suite.headline] == [1.0] * len(suite.headline)
        nothing = await run(suite, Silent())
        assert [m.value for m in nothing.metrics.values()] == [0.0] * len(nothing.metrics)
        assert {record.declined for record in nothing.items} == {"silent"}
        assert all(record.raw is record.cut is None for record in nothing.items)


async def test_half_scores_what_a_hand_works_out():
    result = await run(Tiny(), Half())
    # Of eight texts only the empty one is its own half.
    assert result.metrics["exact"].value == 1 / 8
    assert result.metrics["typed"].value == 0.0
    assert result.items[5].raw == "größ", "by characters: nine of them, four"
    assert [record.raw for record in result.items][:2] == ["total = pr", "return"]


async def test_a_pair_is_a_part_of_its_whole_over_all_items():
    result = await run(Tiny(), Counting(wrong={"tiny/1"}))
    lengths = [len(text.encode()) for text in TEXTS]
    assert result.metrics["typed"].value == 1 - lengths[1] / sum(lengths)


async def test_a_result_says_what_was_asked_of_whom(tmp_path):
    file = tmp_path / "r.json"
    result = await run(Tiny(), Counting(wrong={"tiny/3"}), output=file, limit=4, seed=2, workers=3)
    assert read_result(file) == result
    table = json.loads(file.read_text())
    assert {"suite", "model", "metrics", "items"} <= set(table)
    assert set(table["metrics"]["exact"]) == {"value", "low", "high", "n"}
    assert (result.suite, result.suite_version, result.engine) == ("tiny", "1", "server")
    assert result.model["checksum"] == "sha256:1"
    assert result.options["limit"] == 4
    assert result.options["seed"] == 2
    assert result.data == {"source": "tiny", "sha256": "a" * 64, "items": 8}
    record = result.items[0]
    assert record.timings["total_ms"] == 2.5
    assert record.timings["recomputed_tokens"] == 5
    assert result.latency["total_ms"]["p50"] == 2.5
    assert result.latency["recomputed_tokens"]["n"] == 4
    assert list(result.groups) == list(dict.fromkeys(r.kind for r in result.items))
    assert sum(found["exact"].n for found in result.groups.values()) == 4
    assert any("fewer than 200 items (4)" in warning for warning in result.warnings)
    assert not _partial(file).exists()


async def test_without_a_model_there_is_no_latency():
    assert (await run(Tiny(), Oracle())).latency == {}


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("last", [0, 1, 4, 7])
async def test_a_run_taken_up_again_equals_one_that_was_not_cut_short(tmp_path, workers, last):
    suite, options = Running(), {"workers": workers}
    whole = await run(suite, Counting(wrong={"tiny/2"}), output=tmp_path / "whole.json", **options)
    file = tmp_path / "cut.json"
    first = Counting(last=last, wrong={"tiny/2"})
    with pytest.raises(EngineGone) as caught:
        await run(suite, first, output=file, **options)
    assert "items are safe; the same command goes on there" in caught.value.message
    assert not file.exists()
    second = Counting(wrong={"tiny/2"})
    resumed = await run(suite, second, output=file, **options)
    assert timeless(resumed) == timeless(whole)
    safe = int(caught.value.message.split("; ")[1].split()[0])
    assert len(second.asked) == len(ITEMS) - safe, "nothing that was in is asked again"
    assert last - workers < safe <= last
    assert not _partial(file).exists()


async def test_programs_that_were_run_are_not_run_again(tmp_path, monkeypatch):
    from eval.execution import pool

    file, ran = tmp_path / "r.json", []
    real = pool.run_programs

    async def dies_after_three(programs, *, on_done, **options):
        programs = list(programs)
        ran.append(len(programs))
        await real(programs[:3], on_done=on_done)
        if len(ran) == 1:
            raise KeyboardInterrupt
        return await real(programs[3:], on_done=on_done)

    monkeypatch.setattr(pool, "run_programs", dies_after_three)
    with pytest.raises(KeyboardInterrupt):
        await run(Running(), Oracle(), output=file)
    result = await run(Running(), Oracle(), output=file)
    assert ran == [8, 5]
    assert result.metrics["pass@1"].value == 1.0
    assert {record.verdicts["raw"] for record in result.items} == {Verdict.PASSED.value}


async def test_verdicts_tell_raw_from_cut():
    class CutsAll(Counting):
        async def answer(self, item, ask):
            answer = await super().answer(item, ask)
            cut = None if item.id == "tiny/0" else b"cut"
            return replace(answer, cut=cut)

    result = await run(Running(), CutsAll())
    assert result.items[0].verdicts == {"raw": "passed"}
    assert result.items[1].verdicts == {"raw": "passed", "cut": "failed"}
    assert result.metrics["pass@1"].value == 1.0
    assert result.metrics["pass@1_cut"].value == 0.0


async def test_a_finished_run_is_not_run_again(tmp_path):
    file, engine = tmp_path / "r.json", Counting()
    first = await run(Tiny(), Counting(), output=file)
    _partial(file).write_text("left by a kill between the result and the journal's removal")
    work = Run(Tiny(), engine, Options(output=file), RunProgress(**QUIET))
    assert await work.result() == first
    assert work.was_there
    assert engine.asked == []
    assert not _partial(file).exists()
    await run(Tiny(), engine, output=file, fresh=True)
    assert len(engine.asked) == 8


@pytest.mark.parametrize(
    ("options", "model", "said"),
    [
        ({"seed": 1}, "m", "option seed 0 there and 1 here"),
        ({"limit": 3}, "m", "option limit 0 there and 3 here"),
        ({"draw": Draw(temperature=0.2)}, "m", "option temperature 0.0 there and 0.2 here"),
        ({}, "other", "model name m there and other here"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
async def test_another_runs_file_is_never_written_over(tmp_path, options, model, said, finished):
    file = tmp_path / "r.json"
    if finished:
        await run(Tiny(), Counting(), output=file)
    else:
        with pytest.raises(EngineGone):
            await run(Tiny(), Counting(last=2), output=file)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UsageError) as caught:
        await run(Tiny(), Counting(model=model), output=file, **options)
    assert said in caught.value.message
    assert "--fresh" in caught.value.message
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    fresh = await run(Tiny(), Counting(model=model), output=file, fresh=True, **options)
    assert fresh.model["name"] == model


async def test_other_data_is_another_run(tmp_path):
    class Other(Tiny):
        sha256 = "b" * 64

    await run(Tiny(), Counting(), output=tmp_path / "r.json")
    with pytest.raises(UsageError, match="data aaaa"):
        await run(Other(), Counting(), output=tmp_path / "r.json")


@pytest.mark.parametrize("finished", [True, False])
async def test_another_number_in_flight_is_another_run_of_a_model(tmp_path, finished):
    file = tmp_path / "r.json"
    if finished:
        await run(Tiny(), Counting(), output=file)
    else:
        with pytest.raises(EngineGone):
            await run(Tiny(), Counting(last=2), output=file)
    with pytest.raises(UsageError, match="option workers 1 there and 4 here"):
        await run(Tiny(), Counting(), output=file, workers=4)
    assert (await run(Tiny(), Counting(), output=file, workers=1)).options["workers"] == 1


async def test_another_number_in_flight_has_a_journal_of_its_own_in_the_cache(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for workers, answered in ((1, 3), (4, 5)):
        with pytest.raises(EngineGone):
            await run(Tiny(), Counting(last=answered), workers=workers)
    assert len(list(tmp_path.rglob("*.partial"))) == 2


async def test_another_number_in_flight_is_the_same_run_without_a_model(tmp_path):
    first = await run(Tiny(), Oracle(), output=tmp_path / "r.json")
    assert await run(Tiny(), Oracle(), output=tmp_path / "r.json", workers=4) == first


async def test_a_suite_that_goes_one_at_a_time_is_the_same_run_with_any_number(tmp_path):
    class Alone(Tiny):
        one_at_a_time = True

    result = await run(Alone(), Counting(), output=tmp_path / "r.json", workers=8)
    assert result.options["workers"] == 1
    again = Counting()
    assert await run(Alone(), again, output=tmp_path / "r.json", workers=3) == result
    assert again.asked == []


async def test_a_wrong_call_says_nothing_of_going_on_and_leaves_nothing(tmp_path):
    class Refuses(Tiny):
        async def answers(self, item, engine, draw):
            raise UsageError("this suite draws no samples")

    with pytest.raises(UsageError) as caught:
        await run(Refuses(), Counting(), output=tmp_path / "r.json")
    assert caught.value.message == "this suite draws no samples"
    assert list(tmp_path.iterdir()) == []


async def test_an_output_that_is_no_file_is_refused_before_anything_runs(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for output in (pipe, "/dev/null"):
        engine = Counting()
        with pytest.raises(UsageError, match="name a file"):
            await run(Tiny(), engine, output=Path(output), fresh=True)
        assert engine.asked == []


async def test_a_pipe_where_the_journal_should_be_is_refused_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "r.json.partial")
    with pytest.raises(UsageError, match="no regular file"):
        await run(Tiny(), Counting(), output=tmp_path / "r.json")


async def test_a_result_of_an_older_schema_is_said_and_kept(tmp_path):
    file = tmp_path / "r.json"
    text = json.dumps({"suite": "tiny", "schema": 0})
    file.write_text(text)
    with pytest.raises(UsageError, match=r"schema 0, an older one .* --fresh"):
        await run(Tiny(), Counting(), output=file)
    assert file.read_text() == text


async def test_a_file_of_something_else_is_kept(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(UsageError, match="--fresh"):
        await run(Tiny(), Counting(), output=file)
    with pytest.raises(UsageError, match="is a folder"):
        await run(Tiny(), Counting(), output=tmp_path)
    assert file.read_text() == "mine"


async def test_a_refused_item_stops_the_run_and_keeps_the_others(tmp_path):
    class Refuses(Counting):
        async def answer(self, item, ask):
            if item.id == "tiny/5":
                raise CaretError("item tiny/5: too long")
            return await super().answer(item, ask)

    with pytest.raises(CaretError, match="item tiny/5: too long; 5 of 8 items are safe"):
        await run(Tiny(), Refuses(), output=tmp_path / "r.json")


async def test_baselines_answer_the_same_items_and_a_model_that_loses_is_told():
    class Guessed(Tiny):
        baselines = ("half", "silent")

    result = await run(Guessed(), Counting(wrong={one.id for one in ITEMS}))
    assert result.baselines["half"].metrics["exact"].value == 1 / 8
    assert result.baselines["silent"].metrics["exact"].value == 0.0
    assert set(result.baselines["half"].scores) == {one.id for one in ITEMS}
    told = [warning for warning in result.warnings if "worth nothing" in warning]
    assert len(told) == 2, "no better than silence is not better either"
    assert "half on exact (0.0 % against 12.5 %)" in told[0]
    better = await run(Guessed(), Counting())
    assert not any("worth nothing" in warning for warning in better.warnings)


async def test_no_baselines_where_none_are_wanted_or_the_run_is_one():
    class Guessed(Tiny):
        baselines = ("half",)

    assert (await run(Guessed(), Counting(), baselines=False)).baselines == {}
    assert (await run(Guessed(), Oracle())).baselines == {}


async def test_baselines_are_resumed_too(tmp_path):
    class Guessed(Tiny):
        baselines = ("half",)

        async def answers(self, item, engine, draw):
            if engine.name == "half" and item.id == "tiny/6" and self.dies:
                raise KeyboardInterrupt
            counted.append(engine.name)
            return await super().answers(item, engine, draw)

    counted, file, suite = [], tmp_path / "r.json", Guessed()
    suite.dies = True
    with pytest.raises(KeyboardInterrupt):
        await run(suite, Counting(), output=file)
    suite.dies = False
    await run(suite, Counting(), output=file)
    assert counted.count("half") == counted.count("server") == 8


@pytest.mark.parametrize(("workers", "most"), [(None, 1), (8, 8)])
async def test_one_is_in_flight_unless_more_are_asked_for(workers, most):
    class Watches(Counting):
        running = seen = 0

        async def start(self):
            return Identity(name="m")

        async def answer(self, item, ask):
            self.running += 1
            self.seen = max(self.seen, self.running)
            await asyncio.sleep(0)
            self.running -= 1
            return await super().answer(item, ask)

    engine = Watches()
    result = await run(Tiny(), engine, workers=workers)
    assert engine.seen == result.options["workers"] == most


async def test_several_samples_are_drawn_with_seeds_of_their_own_and_kept():
    class Seeds(Counting):
        async def answer(self, item, ask):
            return Answer(raw=f"{ask.seed} {ask.temperature}".encode())

    result = await run(Tiny(), Seeds(), seed=5, draw=Draw(samples=3, temperature=0.5, seed=5))
    record = result.items[0]
    assert [record.raw, *(s["raw"] for s in record.samples)] == ["5 0.5", "6 0.5", "7 0.5"]


async def test_data_without_items_or_with_one_twice_is_refused():
    class Empty(Tiny):
        items = ()

    class Twice(Tiny):
        items = (ITEMS[0], ITEMS[0])

    with pytest.raises(UsageError, match="no items"):
        await run(Empty(), Oracle())
    with pytest.raises(UsageError, match="twice"):
        await run(Twice(), Oracle())


async def test_data_that_is_not_the_published_set_is_said():
    class Own(Tiny):
        published = (object(),)

        def load(self, data):
            return Loaded(items=list(ITEMS), data={"published": False}, warnings=["cut short"])

    warnings = (await run(Own(), Oracle())).warnings
    assert "cut short" in warnings
    assert any("not the published set" in warning for warning in warnings)
