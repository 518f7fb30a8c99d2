"""Each filter against its golden file, and the stop rule against its own, in any pieces."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode leaves the test's folder out

from golden_cases import FOLDER, Case, load

from completion.filters import pipeline
from completion.filters.draft import Declined, Draft
from completion.filters.reasons import REASONS
from completion.filters.stop_rule import Stop, StopReason, StopRule

OTHERS = ("pipeline",)
STOP_RULE = sorted(f"stop_rule/{path.stem}" for path in (FOLDER / "stop_rule").glob("*.txt"))
FILTERS = sorted(path.stem for path in FOLDER.glob("*.txt") if path.stem not in OTHERS)


def cases(*names: str) -> list[object]:
    return [pytest.param(name, c, id=f"{name}: {c.name}") for name in names for c in load(name)]


def test_every_filter_of_the_pipeline_has_a_golden_file() -> None:
    used = {getattr(apply, "__module__", "").rsplit(".", 1)[1] for apply in pipeline.FILTERS}
    assert used == set(FILTERS)


@pytest.mark.parametrize(("name", "case"), cases(*FILTERS))
def test_filter(name: str, case: Case) -> None:
    module = importlib.import_module(f"completion.filters.{name}")
    ended = b"\n" if case.line_ended else b""
    out = module.apply(Draft(text=case.text, generated=case.text + ended), case.cursor)
    if case.verdict == "discard":
        assert out == Declined(getattr(module, "REASON", f"filtered:{name}"))
    else:
        assert isinstance(out, Draft)
        assert case.marked(out.text, out.replace_after) == case.wanted


@pytest.mark.parametrize(("_", "case"), cases("pipeline"))
def test_pipeline(_: str, case: Case) -> None:
    out = pipeline.run(case.text, case.cursor, line_ended=case.line_ended)
    if case.verdict in REASONS:
        assert out == pipeline.Result(declined=case.verdict)
    else:
        assert out.declined == ""
        assert case.marked(out.text, out.replace_after) == case.wanted


def stopped(case: Case, step: int) -> Stop:
    rule = StopRule(case.cursor)
    for start in range(0, len(case.text), step):
        stop = rule.feed(case.text[start : start + step])
        if stop:
            return stop
    return rule.finish(StopReason.LENGTH if case.verdict == "LENGTH" else StopReason.MODEL)


@pytest.mark.parametrize("step", [1, 3, 1 << 20])
@pytest.mark.parametrize(("_", "case"), cases(*STOP_RULE))
def test_stop_rule(_: str, case: Case, step: int) -> None:
    stop = stopped(case, step)
    assert case.marked(case.text[: stop.length]) == case.wanted
    assert stop.reason is StopReason[case.verdict]
