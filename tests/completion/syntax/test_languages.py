from __future__ import annotations

import pytest

from completion.syntax import languages
from completion.syntax.languages import LANGUAGES, language_for, why_no_grammar
from completion.syntax.rules import PLAIN


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.py", "python"), ("a.mjs", "javascript"), ("A.JSX", "javascript"), ("a.ts", "typescript"),
        ("a.d.ts", "typescript"), ("a.tsx", "tsx"), ("a.go", "go"), ("a.rs", "rust"), ("A.java", "java"),
        ("a.h", "c"), ("a.hpp", "cpp"), ("A.cs", "csharp"), ("a.rb", "ruby"), ("Rakefile", "ruby"),
        ("x/.bashrc", "shell"), ("a.zsh", "shell"), ("Makefile", "make"), ("sub\\GNUmakefile", "make"),
        ("Dockerfile", "dockerfile"), ("Dockerfile.dev", "dockerfile"), ("a.yml", "yaml"),
        ("Cargo.lock", "toml"),
        ("build.gradle.kts", "kotlin"), ("a.scss", "scss"), ("README.md", "markdown"),
    ],
)  # fmt: skip
def test_a_file_is_known_by_its_name(path: str, name: str) -> None:
    found = language_for("", path)
    assert found is not None and found.name == name


@pytest.mark.parametrize("path", ["notes", "a.unknown", "", "py", ".py", "a.pyx/"])
def test_other_files_are_plain_text(path: str) -> None:
    assert language_for("", path) is None


@pytest.mark.parametrize(
    ("language_id", "name"),
    [
        ("javascriptreact", "javascript"), ("typescriptreact", "tsx"), ("shellscript", "shell"),
        ("CPP", "cpp"),
        ("jsonc", "json"), ("dockerfile", "dockerfile"), ("makefile", "make"),
    ],
)  # fmt: skip
def test_an_editors_id_counts_before_the_name(language_id: str, name: str) -> None:
    found = language_for(language_id, "a.py")
    assert found is not None and found.name == name


def test_ids_and_endings_belong_to_one_language_each() -> None:
    for values in ("ids", "extensions", "file_names"):
        every = [value for language in LANGUAGES for value in getattr(language, values)]
        assert len(every) == len(set(every))
        assert all(value == value.lower() for value in every)


def test_every_language_says_what_a_stop_rule_needs() -> None:
    for language in LANGUAGES:
        rules = language.rules
        assert rules is not PLAIN
        assert rules.blocks in ("", "indent", "brace", "end")
        assert (rules.blocks == "end") == bool(rules.end_words and rules.block_words)
        assert (
            rules.definition_words <= rules.compound_words | rules.keywords | rules.statement_words
        )


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_its_grammar_parses_or_it_says_why_not(language: languages.Language) -> None:
    why = why_no_grammar(language)
    if language.grammar:
        assert why == ""
        assert language.parser.parse(b"\n").root_node is not None
    else:
        assert language.name == "scss" and "scss" in why


def test_a_missing_grammar_is_a_reason_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    go = language_for("go", "")
    assert go is not None
    monkeypatch.setattr(languages.importlib, "import_module", absent)
    languages._parser.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert why_no_grammar(go) == "the grammar of go is not installed: pip install tree-sitter-go"
    assert "plain text" in why_no_grammar(None)
    with pytest.raises(ImportError):
        _ = go.parser
