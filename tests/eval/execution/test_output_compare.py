"""When an output counts as the expected one."""

from __future__ import annotations

import pytest

from eval.execution.compare import matches


@pytest.mark.parametrize(
    ("output", "expected", "same"),
    [
        ("3\n7\n", "3\n7", True),
        ("3 \n 7\n\n", "3\n7", True),
        ("3\r\n7\r\n", "3\n7", True),
        ("3 7", "3\n7", True),  # word by word
        ("3\n8", "3\n7", False),
        ("3", "3\n7", False),
        ("3\n7\n7", "3\n7", False),
        ("", "3", False),
        ("", "", True),
        ("YES", "yes", True),
        ("Alice", "alice", False),
        ("0.5", "0.50", True),
        ("0.5000000000001", "0.5", True),
        ("0.50000000001", "0.5", False),
        ("1e3", "1000", True),
        ("nan", "nan", True),
        ("inf", "Infinity", True),
        ("inf", "-inf", False),
        ("nan", "1", False),
        ("snan", "1", False),
        ("1e999999999999999999", "-1e999999999999999999", False),
        ("9" * 10000, "8", False),
        ("12345678901234567890123", "12345678901234567890124", False),
    ],
)
def test_outputs(output: str, expected: str, same: bool) -> None:
    assert matches(output, [expected]) is same


def test_any_of_the_expected_outputs_is_right() -> None:
    assert matches("2 1", ["1 2", "2 1"])
    assert not matches("2 2", ["1 2", "2 1"])
    assert not matches("", [])
