from __future__ import annotations

import io

from training.run.progress import Progress, duration


def test_away_from_a_terminal_progress_is_plain_lines_and_not_too_many() -> None:
    stream = io.StringIO()
    bar = Progress("train", stream=stream)
    for done in range(100):
        bar.show(done / 100, f"step {done}")
    bar.show(1.0, "step 100", force=True)
    bar.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "train   0.0% step 0"
    assert lines[-1] == "train 100.0% step 100"
    assert len(lines) < 10
    assert "\x1b" not in stream.getvalue()


def test_durations_read_well() -> None:
    assert duration(3725) == "1 h 02 min"
    assert duration(184) == "3 min 04 s"
    assert duration(-5) == "0 min 00 s"
