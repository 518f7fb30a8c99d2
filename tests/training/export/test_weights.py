from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from completion.errors import UsageError
from training.export.weights import read_weights, write_weights

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
    expected = {"missing": "-001 is missing", "changed": "differ", "no index": "no weights"}
    with pytest.raises(UsageError, match=expected[damage]):
        read_weights(tmp_path)


def test_kill_between_any_two_files_leaves_one_whole_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop the writer before each of its moves in turn: what is read is the old or the new set."""
    old, new = {"a": torch.zeros(600)}, {"a": torch.ones(600)}
    move = Path.replace
    done = 0
    for stop in range(20):
        folder = tmp_path / str(stop)
        write_weights(folder, old, {"step": 1}, part=500)
        moves = iter(range(stop))

        def counted(path: Path, target: Path, moves: Iterator[int] = moves) -> Path:
            if next(moves, None) is None:
                raise KeyboardInterrupt
            return move(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", counted)
            try:
                write_weights(folder, new, {"step": 2}, part=500)
                done += 1
            except KeyboardInterrupt:
                pass
        read, index = read_weights(folder)
        assert read["a"].unique().tolist() == [index["step"] - 1]
    assert 0 < done < 18


def test_damaged_index_is_a_message(tmp_path: Path) -> None:
    write_weights(tmp_path, WEIGHTS, {})
    for text in ('{"parts": [', "[]", "{}"):
        (tmp_path / "weights.json").write_text(text)
        with pytest.raises(UsageError, match="is damaged"):
            read_weights(tmp_path)
