"""Identifier match: whether a completion names the right things (CrossCodeEval)."""

from __future__ import annotations

import keyword
import re

from eval.metrics.statement import without_comments

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'")
"""From a quote to the next of its kind that is not escaped, over line ends too."""
_WORD = re.compile(r"\w+")
_STARTS_NAME = re.compile(r"[_a-zA-Z]")

_SHARED = """
    break case catch class const continue default do else enum finally for if in interface new
    private protected public return static switch this throw try typeof void while
"""
_TYPESCRIPT = (
    _SHARED
    + """
    debugger delete export extends function implements import instanceof let package super var with
    yield
"""
)
_CSHARP = (
    _SHARED
    + """
    abstract as base bool byte char checked decimal delegate double event explicit extern fixed
    float foreach goto implicit int internal is lock long namespace null object operator out
    override params readonly ref sbyte sealed short sizeof stackalloc string struct uint ulong
    unchecked unsafe ushort using virtual volatile
"""
)
_JAVA = """
    abstract assert boolean break byte case catch char class const continue default do double else
    enum extends final finally float for goto if implements import instanceof int interface long
    native new package private protected public return short static strictfp super switch
    synchronized this throw throws transient try var void volatile while
"""

KEYWORDS: dict[str, frozenset[str]] = {
    "python": frozenset(keyword.kwlist) - {"True", "False"},
    "java": frozenset(_JAVA.split()),
    "csharp": frozenset(_CSHARP.split()),
    "typescript": frozenset(_TYPESCRIPT.split()),
}
"""By language: the words that the published lists leave out. Truth values are never among them,
``null`` and ``None`` only where a list has them."""
KEYWORDS["typescriptreact"] = KEYWORDS["javascript"] = KEYWORDS["typescript"]


def identifiers(text: str, language: str) -> list[str]:
    """Return the identifiers of ``text`` in their order, comments and strings left out.

    Comments go first, each line from its first ``#`` or ``//``; then whatever stands in quotes;
    of the words that are left, those that start with an ASCII letter or ``_`` and are no keyword.

    Raises:
        ValueError: the published script has no list of keywords of ``language``.
    """
    if language not in KEYWORDS:
        raise ValueError(f"no keywords of {language}; there are {', '.join(KEYWORDS)}")
    words = _WORD.findall(_STRING.sub("", without_comments(text)))
    reserved = KEYWORDS[language]
    return [word for word in words if _STARTS_NAME.match(word) and word not in reserved]


def identifier_scores(completion: str, reference: str, language: str) -> tuple[float, float]:
    """Return identifier exact match and F1, 0 to 1 (Ding et al. 2023, section 3.3).

    Exact match compares the lists: order and repetition count. F1 compares the sets. Where neither
    has an identifier the match is 1 and F1 is 0: so the published script has it.

    Raises:
        ValueError: there is no list of keywords of ``language``.
    """
    guessed, right = identifiers(completion, language), identifiers(reference, language)
    both, all_of_both = set(guessed) & set(right), len(set(guessed)) + len(set(right))
    f1 = 2 * len(both) / all_of_both if all_of_both else 0.0
    return float(guessed == right), f1
