from __future__ import annotations

from pathlib import Path

import pytest
import torch

from completion.errors import UsageError
from training.weights import read_weights, write_weights

WEIGHTS = {"b": torch.randn(40, 30), "a": torch.randn(7)}


def test_parts_stay_within_their_size_and_join_again(tmp_path: Path) -> None:
    parts = write_weights(tmp_path, WEIGHTS, {"step": 3}, part=1000)
    assert len(parts) > 2
    assert all(p.stat().st_size <= 1000 for p in parts)
    read, index = read_weights(tmp_path)
    assert index["step"] == 3
    for name, value in WEIGHTS.items():
        assert torch.equal(read[name], value.bfloat16())


def test_fewer_parts_leave_no_old_ones_behind(tmp_path: Path) -> None:
    write_weights(tmp_path, WEIGHTS, {}, part=500)
    write_weights(tmp_path, {"a": WEIGHTS["a"]}, {}, part=500)
    assert len(list(tmp_path.glob("weights.part-*"))) == 1


@pytest.mark.parametrize("damage", ["missing", "changed", "no index"])
def test_incomplete_copies_are_messages(tmp_path: Path, damage: str) -> None:
    parts = write_weights(tmp_path, WEIGHTS, {}, part=1000)
    if damage == "missing":
        parts[1].unlink()
    elif damage == "changed":
        parts[1].write_bytes(b"x" + parts[1].read_bytes()[1:])
    else:
        (tmp_path / "weights.json").unlink()
    expected = {"missing": "part-001 is missing", "changed": "differ", "no index": "no weights"}
    with pytest.raises(UsageError, match=expected[damage]):
        read_weights(tmp_path)
