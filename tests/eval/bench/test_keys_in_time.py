"""Typing in time through a real language server: what is counted, with the keystroke path and without."""

from __future__ import annotations

import json
import socket

import pytest

from completion.errors import CaretError, UsageError
from eval.bench.keys_in_time import engine_tokens, figures_of, in_time, rows_of
from eval.replay.editor import Asked
from eval.replay.in_time import Pace, Typed
from eval.replay.typist import Edit

BODY = "".join(f"    value = compute(value)  # {n % 3}\n" for n in range(14))
QUICK = Pace(key_s=0.0, pause_s=0.25, look_s=0.05, keys=60)


async def test_both_ways_are_typed_and_every_request_is_accounted_for(tmp_path):
    (tmp_path / "one.py").write_text(f"def f(value):\n{BODY}\n\nx = 1\n")
    said = []
    rows = await in_time(["--engine", "fake"], 1, tmp_path, said.append, QUICK)
    names = [row.name for row in rows]
    assert "engine tokens per character typed, keystroke path on over off" in names
    for way in ("on", "off"):
        (line,) = (line for line in said if line.startswith(f"keystroke path {way}: "))
        figures = json.loads(line.partition(": ")[2])
        assert figures["requests"] == figures["keys"] + figures["taken"] - 1
        assert figures["tokens_per_character"] > 0
        assert figures["without_model"] + figures["recycled"] + figures["superseded"] <= 1
        if way == "off":
            assert figures["without_model"] == figures["recycled"] == 0


async def test_without_files_it_is_said_how_to_get_them(tmp_path):
    (tmp_path / "short.py").write_text("x = 1\n")
    with pytest.raises(UsageError, match="no Python function"):
        await in_time(["--engine", "fake"], 1, tmp_path, lambda text: None, QUICK)


def test_what_is_counted():
    def asked(source: str, milliseconds: float, text: str = "x") -> Asked:
        edit = Edit(start=0, end=0, text=text) if text else None
        return Asked(
            edit=edit, milliseconds=milliseconds + 3, served=milliseconds, source=source,
            completion_id="",
        )  # fmt: skip

    on = Typed(characters=100, pressed=60, brought=42, taken=2, asked=[
        asked("model", 40), asked("recycled", 90), asked("cache", 1), asked("cache", 2),
        asked("none", 5, ""),
    ])  # fmt: skip
    figures = figures_of(on, 250.0)
    assert figures["model_p50_ms"] == 40
    assert figures["model_p95_ms"] == 90
    assert figures["typed_through_p95_ms"] == 2
    assert figures["seen_typed_through_p95_ms"] == 5
    assert figures["without_model"] == 0.4
    assert figures["superseded"] == 0.2
    assert figures["characters_saved"] == 0.4
    assert figures["tokens_per_character"] == 2.5
    off = Typed(characters=100, pressed=80, brought=22, taken=2, asked=[asked("model", 40)] * 5)
    by_name = {row.name: row.ratio for row in rows_of(on, off, 250.0, 1000.0)}
    assert by_name["engine tokens per character typed, keystroke path on over off"] == 0.25
    assert by_name["characters saved, keystroke path off over on"] == 0.5
    assert by_name["first line with the model while typing, p95, ms"] == 90


def test_a_service_without_metrics_is_an_error_of_one_line():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with pytest.raises(CaretError, match="no metrics"):
        engine_tokens(port)
