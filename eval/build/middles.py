"""Middles of Python files on which cuts are compared: one line of text, one logical line.

A middle allows a set of cuts, places inside it where a cursor may stand; which of several
equal places is taken, a hash decides. Offsets are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from eval.build.code import BOM, LogicalLine, Token, TokenKind, logical_lines
from eval.build.spread import draw

LONGEST = 120
"""Bytes of the line of a middle, its indentation counted: what one answer can be asked to fill."""
FEWEST = 4
"""Tokens; ``pass`` and ``x = 1`` do not tell one cut from another."""
WORD = 3
"""Characters of an identifier that is cut inside."""
_QUOTES = (b'"""', b"'''", b'"', b"'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Middle:
    """One line of a file, from its line's start to the end of its text."""

    line: int
    """Where its line of text begins."""
    start: int
    """Behind the indentation."""
    end: int
    cuts: dict[str, int]
    """By kind, where the cursor stands."""
    right: int = 0
    """Inside a word behind the cut at a boundary; 0: there is none."""


def middles(path: str, text: bytes, seed: int) -> list[Middle]:
    """Return the middles of a file, those that allow most cuts first; none if it is no Python."""
    found = [
        middle
        for line in logical_lines(text) or ()
        if (middle := _middle(path, text, line, seed)) is not None
    ]
    return sorted(found, key=lambda m: (-len(m.cuts) - bool(m.right), draw(seed, path, m.start)))


def _middle(path: str, text: bytes, line: LogicalLine, seed: int) -> Middle | None:
    begin = text.rfind(b"\n", 0, line.start) + 1
    blanks = text[begin : line.start]
    whole = text[line.start : line.stop]
    if (
        len(line.tokens) < FEWEST
        or line.end - begin > LONGEST
        or blanks.strip(b" \t\f" + BOM)
        or b"\n" in whole
        or text[line.end : line.stop].strip()
    ):
        return None

    def pick(what: str, places: list[int]) -> int:
        return places[draw(seed, path, line.start, what) % len(places)]

    cuts: dict[str, int] = {}
    words = [t for t in line.tokens if t.kind is TokenKind.NAME and _characters(t.text) >= WORD]
    ends = _boundaries(text, line.tokens)
    before_word = [end for end in ends if any(end < word.start for word in words)]
    right = 0
    if ends:
        at = cuts["boundary"] = pick("boundary", before_word or ends)
        behind = [place for word in words if word.start > at for place in _inside(word)]
        right = pick("right", behind) if behind else 0
    if words:
        cuts["identifier"] = pick("identifier", [p for word in words for p in _inside(word)])
    if len(blanks) > 1 and not blanks.strip(b" \t"):
        cuts["indentation"] = pick("indentation", list(range(begin + 1, line.start)))
    if openings := [t.end for t in line.tokens[:-1] if t.text in (b"(", b".")]:
        cuts["opening"] = pick("opening", openings)
    if strings := [p for t in line.tokens if t.kind is TokenKind.STRING for p in _in_string(t)]:
        cuts["string"] = pick("string", strings)
    return Middle(line=begin, start=line.start, end=line.end, cuts=cuts, right=right)


def _boundaries(text: bytes, tokens: tuple[Token, ...]) -> list[int]:
    """Return ends of tokens that no bracket or dot is: those before a blank where there are any."""
    ends = [t.end for t in tokens[:-1] if t.text not in (b"(", b".")]
    spaced = [end for end in ends if text[end : end + 1] in (b" ", b"\t")]
    return spaced or ends


def _characters(text: bytes) -> int:
    return len(text.decode("utf-8", "replace"))


def _inside(token: Token, skip: int = 0, keep: int = 0) -> list[int]:
    """Return the places between characters of a token, ``skip`` and ``keep`` bytes at its ends
    left out with the places beside them."""
    content = token.text[skip : len(token.text) - keep]
    return [token.start + skip + at for at in range(1, len(content)) if content[at] & 0xC0 != 0x80]


def _in_string(token: Token) -> list[int]:
    letters = len(token.text) - len(token.text.lstrip(b"rRuUbBfFtT"))
    bare = token.text[letters:]
    quote = next((quote for quote in _QUOTES if bare.startswith(quote)), b"")
    return _inside(token, letters + len(quote), len(quote))


def wide_lines(path: str, text: bytes, seed: int) -> list[Middle]:
    """Return lines with a character of several bytes, of code, strings and comments alike.

    Their cuts are ``character``, inside of one, and ``before-character``, right before the same.
    """
    found: list[Middle] = []
    begin = 0
    for row in text.split(b"\n"):
        content = row.rstrip()
        start = len(content) - len(content.lstrip())
        if not content.isascii() and len(content) <= LONGEST and not row.startswith(BOM):
            wide = [at for at in range(start + 1, len(content)) if content[at] >= 0xC0]
            if wide:
                at = wide[draw(seed, path, begin, "character") % len(wide)]
                size = 2 if content[at] < 0xE0 else 3 if content[at] < 0xF0 else 4
                inside = at + 1 + draw(seed, path, begin, "byte") % (size - 1)
                cuts = {"before-character": begin + at, "character": begin + inside}
                end = begin + len(content)
                found.append(Middle(line=begin, start=begin + start, end=end, cuts=cuts))
        begin += len(row) + 1
    return sorted(found, key=lambda middle: draw(seed, path, middle.line, "wide"))
