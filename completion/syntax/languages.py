"""The languages that have rules here, found by LSP language id or by file name.

A language without an entry is served as plain text: ``None`` is a valid language everywhere. So is
one whose grammar is not installed: what needs a tree is then left out, and
:func:`why_no_grammar` says so.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from completion.syntax.rules import PLAIN, LexRules
from completion.syntax.rules.c_family import CPP, CSHARP, C
from completion.syntax.rules.data import (
    CSS,
    DOCKERFILE,
    HTML,
    JSON,
    MAKE,
    MARKDOWN,
    SCSS,
    SQL,
    TOML,
    YAML,
)
from completion.syntax.rules.javascript import JAVASCRIPT, TSX, TYPESCRIPT
from completion.syntax.rules.jvm import JAVA, KOTLIN, SCALA
from completion.syntax.rules.python import PYTHON
from completion.syntax.rules.scripts import LUA, PHP, RUBY, SHELL
from completion.syntax.rules.systems import GO, RUST, SWIFT

if TYPE_CHECKING:
    from tree_sitter import Parser


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One programming language."""

    name: str
    ids: tuple[str, ...]
    """LSP language ids."""
    extensions: tuple[str, ...]
    """File name endings with their dot, in lower case."""
    rules: LexRules
    grammar: str
    """Module of its tree-sitter grammar, loaded only when a parser is asked for; behind a colon the
    function that returns it, where it is not ``language``. Empty: there is none."""
    file_names: tuple[str, ...] = ()
    """Whole names of files, in lower case."""

    @property
    def line_comment(self) -> bytes:
        """What opens a line comment."""
        return self.rules.comment

    @property
    def parser(self) -> Parser:
        """Its tree-sitter parser, made at the first use. Raises ImportError without the grammar."""
        return _parser(self.grammar)


@functools.cache
def _parser(grammar: str) -> Parser:
    import tree_sitter

    if not grammar:
        raise ImportError("no grammar is known for this language")
    name, _, function = grammar.partition(":")
    found = getattr(importlib.import_module(name), function or "language")()
    # Grammar wheels hand over a capsule; the stub names only the older integer.
    return tree_sitter.Parser(tree_sitter.Language(found))  # pyright: ignore[reportDeprecated]


def _language(
    rules: LexRules, name: str, ids: str, extensions: str, grammar: str = "", file_names: str = ""
) -> Language:
    return Language(
        name=name,
        ids=tuple(ids.split()),
        extensions=tuple(extensions.split()),
        rules=rules,
        grammar=f"tree_sitter_{grammar}" if grammar else "",
        file_names=tuple(file_names.split()),
    )


LANGUAGES: tuple[Language, ...] = (
    _language(PYTHON, "python", "python", ".py .pyi .pyw", "python"),
    _language(
        JAVASCRIPT, "javascript", "javascript javascriptreact", ".js .jsx .mjs .cjs", "javascript"
    ),
    _language(
        TYPESCRIPT,
        "typescript",
        "typescript",
        ".ts .mts .cts",
        "typescript:language_typescript",
    ),
    _language(TSX, "tsx", "typescriptreact tsx", ".tsx", "typescript:language_tsx"),
    _language(GO, "go", "go", ".go", "go"),
    _language(RUST, "rust", "rust", ".rs", "rust"),
    _language(JAVA, "java", "java", ".java", "java"),
    _language(C, "c", "c", ".c .h", "c"),
    _language(
        CPP,
        "cpp",
        "cpp cuda-cpp",
        ".cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .inl .cu .cuh .ixx .cppm",
        "cpp",
    ),
    _language(CSHARP, "csharp", "csharp", ".cs .csx", "c_sharp"),
    _language(
        RUBY,
        "ruby",
        "ruby",
        ".rb .rake .gemspec .ru",
        "ruby",
        "rakefile gemfile guardfile vagrantfile podfile fastfile brewfile",
    ),
    _language(
        SHELL,
        "shell",
        "shellscript shell sh bash zsh",
        ".sh .bash .zsh .ksh",
        "bash",
        ".bashrc .bash_profile .bash_aliases .profile .zshrc .zshenv .zprofile apkbuild pkgbuild",
    ),
    _language(PHP, "php", "php", ".php .phtml", "php:language_php"),
    _language(KOTLIN, "kotlin", "kotlin", ".kt .kts", "kotlin"),
    _language(SCALA, "scala", "scala", ".scala .sc .sbt", "scala"),
    _language(SWIFT, "swift", "swift", ".swift", "swift"),
    _language(LUA, "lua", "lua luau", ".lua", "lua"),
    _language(SQL, "sql", "sql postgres mysql", ".sql", "sql"),
    _language(HTML, "html", "html", ".html .htm .xhtml", "html"),
    _language(CSS, "css", "css", ".css", "css"),
    _language(SCSS, "scss", "scss less", ".scss .less"),
    _language(JSON, "json", "json jsonc json5", ".json .jsonc .json5 .geojson", "json", ".babelrc"),
    _language(YAML, "yaml", "yaml dockercompose github-actions-workflow", ".yaml .yml", "yaml"),
    _language(TOML, "toml", "toml", ".toml", "toml", "cargo.lock poetry.lock uv.lock"),
    _language(MARKDOWN, "markdown", "markdown", ".md .markdown .mdx", "markdown"),
    _language(MAKE, "make", "makefile make", ".mk .mak", "make", "makefile gnumakefile"),
    _language(
        DOCKERFILE,
        "dockerfile",
        "dockerfile",
        ".dockerfile",
        "dockerfile",
        "dockerfile containerfile",
    ),
)


def language_for(language_id: str, path: str) -> Language | None:
    """Return the language of a document: by its LSP id, else by its path; ``None``: plain text.

    An id that is given and belongs to no language here is not overruled by the path.
    """
    if language_id:
        return _by_id().get(language_id.lower())
    name = PurePosixPath(path.replace("\\", "/")).name.lower()
    # a file may be called for its language alone, with more behind it: Dockerfile.dev
    return (
        _by_file_name().get(name)
        or _by_extension().get(PurePosixPath(name).suffix)
        or _by_file_name().get(name.partition(".")[0])
    )


@functools.cache
def _by_id() -> dict[str, Language]:
    return {key: language for language in LANGUAGES for key in language.ids}


@functools.cache
def _by_extension() -> dict[str, Language]:
    return {key: language for language in LANGUAGES for key in language.extensions}


@functools.cache
def _by_file_name() -> dict[str, Language]:
    return {key: language for language in LANGUAGES for key in language.file_names}


def rules_of(language: Language | None) -> LexRules:
    """Return the lexical rules to use, those of plain text where there is no language."""
    return language.rules if language else PLAIN


def why_no_grammar(language: Language | None) -> str:
    """Return why ``language`` cannot be parsed here, in one line, or nothing where it can."""
    if language is None:
        return "no rules for this language: served as plain text"
    if not language.grammar:
        return f"no tree-sitter grammar of {language.name} is in use: served by its lexical rules"
    try:
        _ = language.parser
    except ImportError:
        package = language.grammar.partition(":")[0].replace("_", "-")
        return f"the grammar of {language.name} is not installed: pip install {package}"
    except (ValueError, TypeError, AttributeError, OSError) as error:
        return f"the grammar of {language.name} does not fit this tree-sitter: {error}"
    return ""
