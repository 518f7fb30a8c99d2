"""What a decoding step has to read, and whose time is whose."""

from __future__ import annotations

import time

from safetensors.torch import load_file

from completion.engine.checkpoint import load_checkpoint
from eval.bench.limit import _weights_read
from eval.bench.step_parts import BETWEEN, STEP, _Timing


def test_tied_weights_are_read_once():
    checkpoint = load_checkpoint("bundled")
    tensors = load_file(checkpoint.path / "model.safetensors").values()
    assert _weights_read(checkpoint) == sum(one.nbytes for one in tensors)


def test_a_part_is_without_the_parts_inside_it():
    timing = _Timing()

    def inner() -> None:
        time.sleep(0.02)

    timed_inner = timing._timed(inner, "inner")

    def outer() -> None:
        timed_inner()
        timed_inner()

    timed_outer = timing._timed(outer, STEP)
    timed_outer()
    timed_outer()
    found = timing.end()
    assert found["inner"][0] == 4
    assert found[STEP][0] == 2
    assert found[STEP][1] < found["inner"][1]
    assert found[BETWEEN][0] == 1


def test_what_was_timed_is_as_it_was_before():
    class Runner:
        def execute_model(self) -> int:
            return 1

    class Special(Runner):
        def _sample(self) -> int:
            return 2

    runner = Special()
    runner.model = Runner()
    timing = _Timing()
    before = (dict(vars(Runner)), dict(vars(Special)))
    timing.begin(runner)
    assert (runner.execute_model(), runner._sample()) == (1, 2)
    assert timing.end()["sampler"][0] == 1
    assert (dict(vars(Runner)), dict(vars(Special))) == before
