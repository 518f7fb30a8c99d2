from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from completion.errors import CaretError
from eval.bench import train

MODEL = str(Path(__file__).parents[3] / "completion" / "models" / "caret-xs")


async def test_what_the_program_says_last_is_the_error() -> None:
    with pytest.raises(CaretError, match=r"training\.speed\.bench failed: .*abacus") as error:
        await train.rows(MODEL, "abacus", 1, lambda text: None)
    assert "\n" not in error.value.message


async def test_ratios_become_rows_beside_their_bars(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = {"trainer": 0.5, "compiled_trainer": 0.9, "heads": 1.2, "utilisation": 0.3}
    program = tmp_path / "python"
    said = json.dumps({**found, "rounds": 4, "device": "cpu"})
    program.write_text(f"#!/bin/sh\necho 'ours: 9 tokens/s' >&2\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    lines: list[str] = []
    rows = await train.rows(MODEL, "cpu", 4, lines.append)
    assert [(row.ratio, row.holds, row.runs) for row in rows] == [
        (0.5, True, 4),
        (0.9, True, 4),
        (1.2, False, 4),
    ]
    assert lines[0] == "ours: 9 tokens/s"
    assert "30%" in lines[1]
