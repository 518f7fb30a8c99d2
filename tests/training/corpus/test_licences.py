from __future__ import annotations

import pytest

from training.corpus.licences import judge


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-2-Clause", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-or-later OR MIT", True),
        ("MPL-2.0 AND MIT", False),
        ("GPL-3.0-only", False),
        ("(GPL-2.0-only OR MIT) AND BSD-3-Clause", False),
        ("LicenseRef-Own", False),
    ],
)
def test_expression_needs_every_part_of_an_and_and_one_of_an_or(
    expression: str, allowed: bool
) -> None:
    assert judge(expression, [], "").allowed is allowed


def test_expression_counts_before_classifiers_and_text() -> None:
    verdict = judge("GPL-3.0-only", ["License :: OSI Approved :: MIT License"], "MIT")
    assert not verdict.allowed
    assert "GPL-3.0-only" in verdict.reason


def test_one_copyleft_classifier_refuses_the_package() -> None:
    classifiers = [
        "License :: OSI Approved :: MIT License",
        "License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
    ]
    assert not judge("", classifiers, "MIT").allowed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MIT", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ("BSD", "BSD-3-Clause"),
        ("Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
    ],
)
def test_free_text_is_recognised(text: str, name: str) -> None:
    verdict = judge("", [], text)
    assert verdict.allowed
    assert verdict.name == name


@pytest.mark.parametrize("text", ["", "LGPL", "proprietary", "see LICENSE.txt"])
def test_unclear_text_is_refused_with_a_reason(text: str) -> None:
    verdict = judge("", [], text)
    assert not verdict.allowed
    assert verdict.reason
