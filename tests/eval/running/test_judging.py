"""What is said of scores: warnings, running figures, timings."""

from eval.execution.program import Outcome, Program, Verdict
from eval.item import Answer, Timings
from eval.result import Baseline, Metric
from eval.running import judging


def metric(value):
    return Metric(value=value, low=value, high=value, n=300)


def against(ours, theirs, name="exact"):
    other = Baseline(metrics={name: metric(theirs)}, scores={})
    return judging.beaten((name,), {name: metric(ours)}, {"ngram": other})


def test_a_model_has_to_be_better_not_as_good():
    assert against(0.3, 0.2) == []
    for ours in (0.2, 0.1):
        (said,) = against(ours, 0.2)
        assert "does not beat ngram on exact" in said
        assert "worth nothing" in said


def test_where_less_is_better_more_is_worse():
    assert against(1.5, 2.5, "bits_per_byte") == []
    assert len(against(2.5, 1.5, "bits_per_byte")) == 1


def test_only_the_first_headline_that_is_there_counts():
    ours = {"b": metric(0.5), "c": metric(0.0)}
    other = Baseline(metrics={"b": metric(0.1), "c": metric(0.9)}, scores={})
    assert judging.beaten(("a", "b", "c"), ours, {"ngram": other}) == []
    assert judging.beaten(("a",), ours, {"ngram": other}) == []


def test_few_items_are_few_up_to_the_two_hundredth():
    assert "199" in judging.few_items(199)[0]
    assert judging.few_items(200) == []


def test_programs_that_could_not_be_run_are_counted_by_language():
    programs = [Program(language=name, source=str(n)) for n, name in enumerate(["java", "csharp"])]
    passed = Program(language="python", source="")
    outcomes = {p: Outcome(verdict=Verdict.SKIPPED) for p in programs}
    outcomes[passed] = Outcome(verdict=Verdict.PASSED)
    (said,) = judging.skipped(outcomes)
    assert said.startswith("2 programs")
    assert "csharp, java" in said
    assert judging.skipped({passed: outcomes[passed]}) == []


def test_the_running_figure_is_of_what_is_there():
    mean = judging.RunningMean("saved")
    assert str(mean) == ""
    mean.add({"saved": (1.0, 4.0)})
    mean.add({"other": 1.0})
    mean.add({"saved": (2.0, 2.0)})
    assert str(mean) == "saved 50.0 %"


def test_a_running_figure_of_bits_is_no_percentage():
    mean = judging.RunningMean("bits_per_byte")
    mean.add({"bits_per_byte": (900.0, 1000.0)})
    assert str(mean) == "bits per byte 0.9"


def test_bits_that_do_not_beat_others_are_said_as_bits():
    (said,) = against(0.9, 0.8, "bits_per_byte")
    assert "(0.9 against 0.8)" in said


def test_keystrokes_that_were_lost_are_a_share_all_the_same():
    assert judging.is_share("keystrokes_saved", -0.05)
    assert not judging.is_share("bits_per_byte", 0.5)
    assert not judging.is_share("first_token_ms", 0.5)


def test_latency_is_over_all_samples_and_only_of_what_was_timed():
    timed = Answer(raw=b"", timings=Timings(total_ms=4.0, prompt_tokens=10, cached_tokens=8))
    table = judging.latencies({"a": [timed, timed], "b": [Answer(raw=b"")]})
    assert table["total_ms"]["n"] == 2
    assert table["recomputed_tokens"]["mean"] == 2
    assert judging.latencies({"b": [Answer(raw=b"")]}) == {}
