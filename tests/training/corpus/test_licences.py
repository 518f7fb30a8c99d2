from __future__ import annotations

import os
from pathlib import Path

import pytest

from training.corpus.folder_licences import folder_licence
from training.corpus.licences import judge

MIT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"
)


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
        (
            "Apache License\n   Version 2.0, January 2004\n   http://www.apache.org/licenses/",
            "Apache-2.0",
        ),
        (
            "Redistribution and use in source and binary forms, with or without modification",
            "BSD-2-Clause",
        ),
        (
            "Redistribution and use in source and binary forms are permitted.\n3. Neither the name of",
            "BSD-3-Clause",
        ),
        (
            "Permission to use, copy, modify, and/or distribute this software for any purpose is",
            "ISC",
        ),
        ("This is free and unencumbered software released into the public domain.", "Unlicense"),
    ],
)
def test_free_text_is_recognised(text: str, name: str) -> None:
    verdict = judge("", [], text)
    assert verdict.allowed
    assert verdict.name == name


@pytest.mark.parametrize(
    "words",
    ["Commons Clause", "GNU Affero General Public License", "non-commercial", "Share-Alike"],
)
def test_permissive_text_with_a_restriction_is_refused(words: str) -> None:
    text = "Permission is hereby granted, free of charge, to any person obtaining a copy"
    verdict = judge("", [], f"{text}\nunder the {words} condition")
    assert not verdict.allowed
    assert words.split()[-1].lower()[:6] in verdict.reason


PYPROJECT = '[project]\nname = "x"\n'


@pytest.mark.parametrize(
    ("files", "name", "allowed"),
    [
        ({"LICENSE": MIT}, "MIT", True),
        ({"licence.txt": MIT}, "MIT", True),
        ({"LICENSE-MIT": MIT, "LICENSE-APACHE": "Apache License, Version 2.0"}, "Apache-2.0", True),
        ({"LICENSE": MIT, "COPYING": "The GNU General Public License is a free licence for software."},
         "restricted", False),
        ({"pyproject.toml": PYPROJECT + 'license = "Apache-2.0"\n', "LICENSE": MIT}, "Apache-2.0", True),
        ({"pyproject.toml": PYPROJECT + 'license = "GPL-3.0-only"\n', "LICENSE": MIT},
         "GPL-3.0-only", False),
        ({"pyproject.toml": PYPROJECT + 'license = { text = "MIT" }\n'}, "MIT", True),
        ({"pyproject.toml": PYPROJECT + 'license = { file = "LICENSE" }\n', "LICENSE": MIT}, "MIT", True),
        ({"pyproject.toml": PYPROJECT + 'classifiers = ["License :: OSI Approved :: MIT License"]\n'},
         "MIT", True),
        ({"pyproject.toml": PYPROJECT}, "", False),
        ({"pyproject.toml": "[project", "LICENSE": MIT}, "MIT", True),
        ({"package.json": '{"license": "ISC"}'}, "ISC", True),
        ({"package.json": '{"license": "UNLICENSED"}', "LICENSE": MIT}, "UNLICENSED", False),
        ({"package.json": '{"license": "SEE LICENSE IN LICENSE"}', "LICENSE": MIT}, "MIT", True),
        ({"package.json": "[1]", "LICENSE": MIT}, "MIT", True),
        ({"Cargo.toml": '[package]\nlicense = "MIT OR Apache-2.0"\n'}, "MIT OR Apache-2.0", True),
        ({"license.py": "MIT"}, "", False),
        ({"LICENSE": "All rights reserved. " * 10}, "unknown", False),
        ({}, "", False),
    ],
)  # fmt: skip
def test_folder_has_the_licence_of_all_that_states_one(
    tmp_path: Path, files: dict[str, str], name: str, allowed: bool
) -> None:
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    verdict = folder_licence(tmp_path)
    assert (verdict.name, verdict.allowed) == (name, allowed)
    assert bool(verdict.reason) is not allowed


def test_folder_that_states_nothing_says_how_to_give_its_licence(tmp_path: Path) -> None:
    assert "--licence SPDX" in folder_licence(tmp_path).reason


def test_licence_that_is_a_pipe_is_a_refusal_and_no_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "LICENSE")
    assert not folder_licence(tmp_path).allowed


@pytest.mark.parametrize("text", ["", "LGPL", "proprietary", "see LICENSE.txt"])
def test_unclear_text_is_refused_with_a_reason(text: str) -> None:
    verdict = judge("", [], text)
    assert not verdict.allowed
    assert verdict.reason
