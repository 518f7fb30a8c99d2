"""Times of several sides: what is compared with what."""

from __future__ import annotations

import pytest

from completion.errors import CaretError
from eval.bench.times import Work, draw


def test_ours_is_set_beside_the_best_other_at_each_percentile_anew():
    work = Work(name="w", bars={"ours": 1.5})
    for ours, steady, quick in [(30, 20, 10)] * 18 + [(30, 20, 90)] * 2:
        work.add("ours", ours)
        work.add("steady", steady)
        work.add("quick", quick)
    p50, p95 = work.rows()
    assert (p50.name, p50.ratio, p50.bar) == ("w, p50, ours over quick", 3.0, 1.5)
    assert (p95.name, p95.ratio, p95.runs) == ("w, p95, ours over steady", 1.5, 20)
    assert p95.holds
    assert not p50.holds


def test_what_the_others_took_for_the_same_work_counts_where_it_is_known():
    work = Work(name="w", bars={"engine": 1.0, "service": 1.0})
    for side, taken in (("engine", 10.0), ("service", 12.0), ("peer", 5.0)):
        work.add(side, taken)
    work.add_beside("service", "peer", 24.0)
    ratios = {row.name: row.ratio for row in work.rows()}
    assert ratios["w, p50, engine over peer"] == 2.0
    assert ratios["w, p50, service over peer"] == 0.5


def test_a_side_that_did_nothing_has_no_row():
    work = Work(name="w", bars={"engine": 1.0, "service": 1.0})
    work.add("engine", 1.0)
    work.add("peer", 1.0)
    assert len(work.rows()) == 2


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_is_drawn(tmp_path, ending):
    work = Work(name="w < 1 & $2", bars={"ours": 1.0})
    work.add("ours", 1.0)
    work.add("peer", 2.0)
    draw([work, Work(name="nothing", bars={})], tmp_path / f"a.{ending}", "title")
    assert (tmp_path / f"a.{ending}").stat().st_size > 1000


def test_a_picture_that_cannot_be_written_is_said(tmp_path):
    work = Work(name="w", bars={"ours": 1.0})
    work.add("ours", 1.0)
    with pytest.raises(CaretError, match="cannot be written"):
        draw([work], tmp_path / "no" / "a.png", "title")
