from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from completion.errors import CaretError, UsageError
from training.corpus.scale import AHEAD, LocalProcesses, ThisProcess, Workers, local
from training.corpus.shards import Document, write_shards
from training.corpus.stretches import Stretch, locate, runs_of_shard, stretches

EVERY = [ThisProcess(), LocalProcesses(processes=2), LocalProcesses(processes=2, start="spawn")]


def scaled(factor: int, item: int) -> tuple[int, int]:
    if item == 13:
        raise UsageError("no thirteen")
    return factor * item, os.getpid()


def die(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize("workers", EVERY)
def test_results_come_in_the_order_of_the_items_and_errors_in_their_turn(workers: Workers) -> None:
    found = [result for result, _ in workers.map(partial(scaled, 3), range(10))]
    assert found == list(range(0, 30, 3))
    assert list(workers.map(partial(scaled, 3), [])) == []
    results = workers.map(partial(scaled, 2), range(20))
    assert [next(results)[0] for _ in range(13)] == list(range(0, 26, 2))
    with pytest.raises(UsageError, match="no thirteen"):
        next(results)


def test_processes_do_the_work_and_draw_items_only_as_there_is_room() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100, 200):
            drawn.append(item)
            yield item

    results = LocalProcesses(processes=2).map(partial(scaled, 1), items())
    _, process = next(results)
    assert process != os.getpid()
    assert len(drawn) == 2 * AHEAD
    next(results)
    assert len(drawn) == 2 * AHEAD + 1


def test_a_process_that_was_killed_is_one_line_that_says_how_to_go_on() -> None:
    with pytest.raises(CaretError, match="again, with fewer processes"):
        list(LocalProcesses(processes=2).map(die, range(4)))


def test_one_process_is_this_one() -> None:
    assert isinstance(local(1), ThisProcess)
    assert isinstance(local(2), LocalProcesses)


RUNS = [("a", 100), ("b", 3), ("b", 47), ("c", 300), ("d", 1), ("e", 2)]


def test_stretches_are_whole_packages_and_all_of_them() -> None:
    assert list(stretches(RUNS)) == [
        Stretch(0, (100, 50)),
        Stretch(150, (300,)),
        Stretch(450, (1, 2)),
    ]


@pytest.mark.parametrize("begin", [0, 99, 100, 149, 150, 449, 450, 451, 453])
def test_stretches_from_a_document_on_hold_its_package_and_those_behind(begin: int) -> None:
    ends = [100, 150, 450, 451, 453]
    left = [end for end in ends if end > begin]
    found = list(stretches(RUNS, begin))
    assert sum(len(stretch.counts) for stretch in found) == len(left)
    at = ([0, *ends])[len(ends) - len(left)]
    for stretch in found:
        assert stretch.first == at
        at = stretch.end
    assert at == (453 if left else at)


def test_a_stretch_is_read_from_the_shards_that_hold_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.corpus.shards.SHARD_BYTES", 150)
    documents = [Document(f"p{i // 3}", f"{i}.py", f"x = {i}\n") for i in range(20)]
    shards = write_shards(documents, tmp_path, "train")
    assert len(shards) > 5
    runs = [run for shard in shards for run in runs_of_shard(tmp_path, shard)]
    monkeypatch.setattr("training.corpus.stretches.STRETCH", 6)
    found = [
        package
        for stretch in stretches(runs)
        for package in locate(tmp_path, shards, stretch).read()
    ]
    assert found == [documents[i : i + 3] for i in range(0, 20, 3)]
