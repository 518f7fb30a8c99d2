"""Every reason that a candidate can be declined for is written down once, and counted by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from completion.filters import pipeline, reasons
from completion.filters.cursor import Cursor
from completion.filters.stop_rule import StopReason
from completion.server.metrics import Metrics
from completion.syntax.languages import language_for
from completion.wire import completion_pb2 as pb

SOURCES = Path(pipeline.__file__).parent


def test_every_reason_in_the_filters_is_one_of_them():
    found = {
        name
        for path in SOURCES.glob("*.py")
        for name in re.findall(r"Declined\(\"([^\"]+)\"\)", path.read_text())
    }
    assert found
    assert found <= set(reasons.REASONS)
    assert {reasons.of_filter(apply.__module__) for apply in pipeline.FILTERS} - set(reasons.REASONS) == {
        "filtered:extra_space", "filtered:indent", "filtered:too_short", "filtered:trailing_blanks"
    }, "these leave something of whatever has something, or have another name"  # fmt: skip
    assert {reasons.of_stop(stop) for stop in StopReason} <= set(reasons.REASONS)


@pytest.mark.parametrize(
    ("prefix", "generated", "suffix", "reason"),
    [
        ("x = ", "<|endoftext|>", "\n", "filtered:special_tokens"),
        ("x = ", "[1, (2", "\n", "filtered:balance"),
        ("foo(", ")", ")\n", "filtered:suffix_overlap"),
        ("x = 1\n", "x = 1", "\n", "filtered:duplicate_line"),
        ("x = ", "  ", "\n", "filtered:blank"),
        ("x = ", "1", "\n", "too_short"),
        ("def f():\r", "x", "\ny\r\n", "filtered:eol"),
    ],
)
def test_what_left_nothing_is_the_reason_and_the_metrics_label(prefix, generated, suffix, reason):
    cursor = Cursor(
        prefix=prefix.encode(),
        suffix=suffix.encode(),
        language=language_for("python", ""),
        eol=b"\r\n" if "\r" in prefix else b"\n",
        least=0 if "\r" in prefix else 3,
    )
    declined = pipeline.run(generated.encode(), cursor).declined
    assert declined == reason
    metrics = Metrics()
    metrics.observe(pb.CompleteResponse(declined=declined))
    assert metrics.registry.get_sample_value("caret_declined_total", {"reason": reason}) == 1


def test_a_reason_is_a_word_or_two_and_no_text():
    assert all(re.fullmatch(r"[a-z_]+(:[a-z_]+)?", reason) for reason in reasons.REASONS)
    assert all(text and len(text) < 100 for text in reasons.REASONS.values())
