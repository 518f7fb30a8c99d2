"""A completion that writes again what follows the cursor, and all that only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.repeats_suffix import repeats_suffix

REPEATS = {
    "a rest with a word": ("first, name):", "name):\n", "first, "),
    "a short rest with a word": ("a, b)", "b)\n", "a, "),
    "the next line after the middle": (
        "x = 1\n    return total", "\n    return total\n", "x = 1",
    ),
    "the next line, then more": (
        "x = 1\n    y = compute(x)\n    z = 3", "\n\n    y = compute(x)\n", "x = 1",
    ),
    "the next line at another indentation": ("y = compute(x)", "\n        y = compute(x)\n", ""),
    "the rest of the line in an inner line": (
        "name: str) -> int:\n    return 1", "str) -> int:\n    ...\n", "name: ",
    ),
    "two lines of structure": ("foo();\nreturn;\n}", "\nreturn;\n}\n", "foo();"),
    "a line once more than the reference": (
        "log('hit')\nlog('hit')", "\nlog('hit')\n", "log('hit')",
    ),
    "windows line ends": ("x = 1\n    return total", "\r\n    return total\r\n", "x = 1"),
    "an else right before the other": ("x = 1\nelse:", "\nelse:\n    y = 2\n", "x = 1"),
    "a part of the next line": ("x = 1\n    return to", "\n    return total\n", "x = 1"),
}  # fmt: skip

HARMLESS = {
    "closers alone": ("x)", ")\n", "x"),
    "many closers": ("x)]})", ")]})\n", "x"),
    "a colon": ("x:", ":\n    pass", "x"),
    "only a line end": ("x = 1\n", "\n    y", "x = 1"),
    "only blanks": ("x = 1\n    ", "\n    y", "x = 1"),
    "a closer as the next line": ("foo();\n}", "\n}\n", "foo();"),
    "closers as the next two lines": ("foo();\n}\n}", "\n}\n}\n", "foo();"),
    "an else of its own": ("x = 1\nelse:\n    z = 3", "\nelse:\n    y = 2\n", "x = 1"),
    "a return of its own": ("return\nfoo()", "\nreturn\n\ndef f(): ...", "x = 1"),
    "the last letter of a word by chance": ("max", "x\n", "min"),
    "the end of a name by chance": ("my_value", "value + 1\n", "other"),
    "two letters by chance": ("a = in", "in b\n", "a "),
    "a later line of the suffix": ("import os", "\nx = 1\nimport os\n", "pass"),
    "a line inside a longer one": ("return total + tax", "\nreturn total\n", "pass"),
    "nothing": ("", "return total\n", "x"),
    "no suffix": ("return total", "", "x"),
    "a blank suffix": ("return total\n\n", "\n\n\n", "x"),
    "a line that really comes twice": ("log('hit')", "\nlog('hit')\n", "log('hit')"),
    "a shorter overlap than the reference has": ("a, name", "name name x\n", "a, name name"),
    "an overlap that the reference has": ("b, name", "name)\n", "a, name"),
}


@pytest.mark.parametrize("case", REPEATS)
def test_repeats(case):
    assert repeats_suffix(*REPEATS[case])


@pytest.mark.parametrize("case", HARMLESS)
def test_does_not_repeat(case):
    assert not repeats_suffix(*HARMLESS[case])


def test_a_rest_of_closers_counts_only_with_what_follows_them():
    assert not repeats_suffix("a, b):", "):\n    return a + b\n", "a, b")
    assert repeats_suffix("a, b):\n    return a + b", "):\n    return a + b\n", "a, b")


def test_more_of_the_overlap_than_the_reference_counts():
    assert repeats_suffix("x = 1\n  total = 2", "\n  total = 2\n", "x = 1\n  ")


TEXT = st.text(alphabet="ab_ ()}:\n=", max_size=40)


@given(TEXT, TEXT)
def test_the_reference_itself_never_repeats(reference, suffix):
    assert not repeats_suffix(reference, suffix, reference)


@given(TEXT, TEXT)
def test_text_without_letters_never_repeats(suffix, reference):
    assert not repeats_suffix(")}\n): (", suffix, reference)


@given(st.text(alphabet="ab\n ", max_size=20))
def test_a_telling_line_written_again_is_always_found(middle):
    line = "total = first + second"
    assert repeats_suffix(f"{middle}\n{line}", f"\n{line}\nmore\n", middle)
