"""What is shown while a run goes on."""

import io

import pytest

from eval.running.progress import RunProgress, duration, pace


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (3725, "1 h 02 min")]
)
def test_durations_are_read_at_a_glance(seconds, shown):
    assert duration(seconds) == shown


def test_the_rate_is_of_this_session_alone():
    assert pace(60, 50, 100, 5.0) == "2.0/s · 20 s left"
    assert pace(51, 50, 100, 4.0) == "4.0 s each · 3 min 16 s left"
    assert pace(50, 50, 100, 5.0) == "", "nothing was done yet"
    assert pace(100, 0, 100, 50.0) == "2.0/s", "nothing is left"


def test_without_a_terminal_there_are_plain_lines_and_the_last_is_always_there():
    stream = io.StringIO()
    with RunProgress(stream=stream) as progress:
        progress.phase("answers", 3, 1)
        progress.step(2, "exact 50.0 %")
        progress.step(3, "exact 66.7 %")
    first, last = stream.getvalue().splitlines()
    assert first == "answers: 1 of 3 are there from before"
    assert last.startswith("answers: 3 of 3 · ")
    assert last.endswith("exact 66.7 %")
    assert "\x1b" not in stream.getvalue()


def test_names_are_never_taken_for_markup():
    stream = io.StringIO()
    RunProgress(stream=stream).say("stopped: [bold]x[/] is a file's name")
    assert "[bold]x[/]" in stream.getvalue()


def test_quiet_is_quiet():
    stream = io.StringIO()
    with RunProgress(quiet=True, stream=stream) as progress:
        progress.say("a")
        progress.phase("answers", 1)
        progress.step(1)
    assert stream.getvalue() == ""
