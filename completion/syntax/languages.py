"""The languages that have rules here, found by LSP language id or by file name.

A language without an entry is served as plain text: ``None`` is a valid language everywhere.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from completion.syntax.rules import PLAIN, PYTHON, LexRules

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
    """Module of its tree-sitter grammar; loaded only when a parser is asked for."""

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

    module = importlib.import_module(grammar)
    # Grammar wheels hand over a capsule; the stub names only the older integer.
    return tree_sitter.Parser(tree_sitter.Language(module.language()))  # pyright: ignore[reportDeprecated]


LANGUAGES: tuple[Language, ...] = (
    Language(
        name="python",
        ids=("python",),
        extensions=(".py", ".pyi", ".pyw"),
        rules=PYTHON,
        grammar="tree_sitter_python",
    ),
)


def language_for(language_id: str, path: str) -> Language | None:
    """Return the language of a document: by its LSP id, else by its path; ``None``: plain text.

    An id that is given and belongs to no language here is not overruled by the path.
    """
    wanted = language_id.lower()
    ending = PurePosixPath(path.replace("\\", "/")).suffix.lower()
    for language in LANGUAGES:
        if wanted in language.ids or (not wanted and ending in language.extensions):
            return language
    return None


def rules_of(language: Language | None) -> LexRules:
    """Return the lexical rules to use, those of plain text where there is no language."""
    return language.rules if language else PLAIN
