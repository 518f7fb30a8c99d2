"""Which arm becomes the default, and what is kept with the model."""

import json
import random

import pytest

from completion.engine.checkpoint import load_checkpoint
from completion.engine.locate import locate
from completion.errors import CaretError, UsageError
from completion.healing.arms import ARMS
from eval.arms import DECIDES, ranked, record
from eval.commands import eval_arms
from eval.result import write_result
from eval.side import read_side
from tests.eval.test_compare import _result


def _sides(tmp_path, **means):
    """Results of arms by name: the same 300 items, scores around a mean, item by item alike."""
    rng = random.Random(0)
    hard = [rng.random() for _ in range(300)]
    sides = {}
    for arm, mean in means.items():
        scores = {
            f"i{n}": {DECIDES: min(1.0, max(0.0, mean + 0.3 * (h - 0.5) + rng.gauss(0, 0.02)))}
            for n, h in enumerate(hard)
        }
        path = tmp_path / f"{arm}.json"
        write_result(_result(scores), path)
        sides[arm] = read_side(str(path))
    return sides


def test_the_best_leads_and_the_others_are_held_against_it_pair_by_pair(tmp_path):
    sides = _sides(tmp_path, naive_spm=0.4, exact_spm=0.5, one_token_spm=0.4995)
    rows = ranked(sides)
    assert [row.arm for row in rows] == ["exact_spm", "one_token_spm", "naive_spm"]
    best, near, far = rows
    assert (best.behind, best.tie) == (0.0, True)
    assert near.tie
    assert not far.tie
    assert far.low <= far.behind <= far.high
    assert far.behind == pytest.approx(0.1, abs=0.01)


def test_what_is_kept_names_the_default_and_what_it_stands_on(tmp_path):
    sides = _sides(tmp_path, naive_spm=0.4, exact_spm=0.5)
    rows = ranked(sides)
    kept = json.loads(json.dumps(record(rows, sides["exact_spm"])))
    assert kept["default_arm"] == "exact_spm"
    assert (kept["suite"], kept["items"], kept["checksum"]) == ("cardinal", 300, "c" * 64)
    assert set(kept["arms"]) == {"exact_spm", "naive_spm"}
    assert kept["arms"]["naive_spm"]["behind"]["low"] > 0


def test_the_bundled_model_is_asked_as_its_measurement_says():
    kept = json.loads((locate("bundled") / "arms.json").read_text("utf-8"))
    checkpoint = load_checkpoint("bundled")
    assert kept["checksum"] == checkpoint.checksum, "arms.json is of other weights"
    values = {arm: row[DECIDES]["value"] for arm, row in kept["arms"].items()}
    assert max(values, key=values.get) == kept["default_arm"] == str(checkpoint.arm())
    assert set(values) == {name for name, arm in ARMS.items() if arm.layout in checkpoint.arms}


def test_one_arm_cannot_be_asked_for_where_all_are_measured():
    import argparse

    parser = argparse.ArgumentParser()
    eval_arms.configure(parser)
    with pytest.raises(UsageError, match="runs all of them"):
        eval_arms.run(parser.parse_args(["--arm", "naive_spm"]))
    with pytest.raises(UsageError, match="--limit"):
        eval_arms.run(parser.parse_args(["--limit", "0"]))


def test_a_run_that_fails_is_one_line(tmp_path):
    import argparse

    parser = argparse.ArgumentParser()
    eval_arms.configure(parser)
    args = parser.parse_args(["--data", str(tmp_path / "nothing"), "--out", str(tmp_path)])
    with pytest.raises(CaretError, match="status 2"):
        eval_arms.run(args)
