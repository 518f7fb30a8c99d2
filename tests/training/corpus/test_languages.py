from __future__ import annotations

import pytest

from training.corpus.contamination import fingerprint
from training.corpus.languages import comment_of, language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "python"), ("a.pyi", "python"), ("pkg/A.PY", "python"), ("a.js", "javascript"),
        ("a.ts", "typescript"), ("a.tsx", "typescript"), ("a.go", "go"), ("a.rs", "rust"),
        ("A.java", "java"), ("a.c", "c"), ("a.h", "c"), ("a.cpp", "cpp"), ("a.hpp", "cpp"),
        ("a.cs", "csharp"), ("a.rb", "ruby"), ("a.sh", "shell"), ("lib/x.test.ts", "typescript"),
        ("Makefile", None), ("a.png", None), (".py", None), ("d.py/readme", None), ("a.json", None),
        ("d/.bash", None), ("", None),
    ],
)  # fmt: skip
def test_language_is_told_by_the_ending(path: str, language: str | None) -> None:
    assert language_of(path) == language


def test_lines_that_are_comments_in_one_language_are_code_in_another() -> None:
    text = "#include <math.h>\nint half(int x) { return x / 2; }\n"
    assert comment_of("a.c") == "//"
    assert comment_of("a.py") == "#"
    other = text.replace("math.h", "stdio.h")
    assert fingerprint(text, comment_of("a.c")) != fingerprint(other, comment_of("a.c"))
    assert fingerprint("// a\n" + text, "//") == fingerprint("// b\n" + text, "//")


def test_no_comment_sign_leaves_every_line() -> None:
    assert comment_of("a.ml") == ""
    assert fingerprint("a\nb\n", "") != fingerprint("b\n", "")
