"""The picture of a suite's figures."""

import pytest

from completion.errors import CaretError
from eval.bench.bars import HOLDS, MISSES, draw
from eval.bench.latency import Row

ROWS = [
    Row("a step, one over the other", 0.97, 1.05, 30),
    Row("seconds to SERVING", 16.0, 12.0, 5),
    Row("bytes lost", 0.0, 1.0, 1),
    Row("tokens a character", 30.0, None, 3),
]


def test_what_holds_and_what_misses_look_different_and_all_figures_are_said(tmp_path):
    draw(ROWS, tmp_path / "rows.svg", "caret bench latency")
    drawn = (tmp_path / "rows.svg").read_text()
    assert drawn.count(f"fill: {HOLDS}") == 2
    assert drawn.count(f"fill: {MISSES}") == 1
    for text in ("16 (bar 12)", "0.97 (bar 1.05)", "seconds to SERVING", "caret bench latency"):
        assert f"<!-- {text.strip()} -->" in drawn or f"<!--  {text} -->" in drawn
    assert "tokens a character" not in drawn


@pytest.mark.parametrize("rows", [[], ROWS[-1:]])
def test_without_bars_there_is_nothing_to_draw(rows, tmp_path):
    with pytest.raises(CaretError, match="has a bar"):
        draw(rows, tmp_path / "rows.svg", "none")


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(CaretError, match=r"gone/rows\.png cannot be written"):
        draw(ROWS, tmp_path / "gone" / "rows.png", "none")
