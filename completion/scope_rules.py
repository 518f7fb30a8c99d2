"""``comment``, ``python:string``, ``*.md:comment``: a scope, and where it is meant.

One text of a configuration's list. What stands before the last colon is an LSP language id, or a
pattern of file names where it has a dot, a slash or a star.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from completion import globs

SCOPES = ("comment", "string", "docstring")
_IS_GLOB = re.compile(r"[./*?\[]")


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeRule:
    """One rule; an empty language and an empty pattern mean all."""

    scope: str
    language: str = ""
    pattern: str = ""

    def holds(self, scope: str, language_id: str, path: str) -> bool:
        """Tell whether the rule means ``scope`` in a document of this language at ``path``."""
        if scope != self.scope or (self.language and self.language != language_id):
            return False
        return not self.pattern or globs.matches((self.pattern,), path)


@functools.lru_cache(maxsize=256)
def rule(text: str) -> ScopeRule:
    """Return the rule that ``text`` spells.

    Raises:
        ValueError: with what is wrong with it.
    """
    where, _, scope = text.rpartition(":")
    if scope not in SCOPES or (not where and text != scope):
        known = ", ".join(SCOPES)
        raise ValueError(f"{text!r} must be one of {known}, or one behind `language:` or `glob:`")
    if not _IS_GLOB.search(where):
        return ScopeRule(scope=scope, language=where)
    globs.check((where,))
    return ScopeRule(scope=scope, pattern=where)


def check(texts: Sequence[str]) -> None:
    """Refuse what spells no rule.

    Raises:
        ValueError: with what is wrong.
    """
    for text in texts:
        rule(text)
