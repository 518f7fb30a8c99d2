"""Text of any programming language as tokens that can be counted and written again.

Knows no language: words, numbers, signs, and line ends that say how the indentation changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"(?P<end>[ \t\r\f]*\n[ \t\r\f\n]*)|(?P<blanks>[ \t\r\f]+)"
    rb"|[A-Za-z_$\x80-\xff][A-Za-z0-9_$\x80-\xff]*|[0-9][A-Za-z0-9_.]*"
    rb"|->|=>|::|\.\.\.|\*\*=?|//=?|<<|>>|&&|\|\||[-+*/%&|^<>=!:]=|[\x00-\xff]"
)
_WORD = re.compile(rb"[A-Za-z0-9_$\x80-\xff][A-Za-z0-9_$\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Token:
    """One token. Of equal ``text`` two tokens are the same to whoever counts."""

    lead: bytes
    """Blanks before it on its line."""
    text: bytes
    r"""Of a line end ``\n`` for each line, then ``+`` and the blanks by which the next line with
    text is indented more, or ``-`` and the number by which it is indented less, or nothing."""

    @property
    def is_line_end(self) -> bool:
        """Whether a new line begins behind it."""
        return self.text[:1] == b"\n"

    @property
    def is_word(self) -> bool:
        """Whether typing more letters would make it longer."""
        return _WORD.fullmatch(self.text) is not None

    def indentation(self, before: bytes) -> bytes:
        """Return how the line is indented that is reached over it from one indented ``before``."""
        if not self.is_line_end:
            return before
        change = self.text.lstrip(b"\n")
        if change[:1] == b"-":
            return before[: max(0, len(before) - int(change[1:]))]
        return before + change[1:]

    def written(self, indent: bytes, eol: bytes) -> bytes:
        """Return its text without the lead; ``indent``: of the line that a line end begins."""
        return eol * self.text.count(b"\n") + indent if self.is_line_end else self.text


def tokens_of(source: bytes) -> Iterator[Token]:
    """Yield the tokens of ``source``, which may be no UTF-8 and cut anywhere."""
    indent = _blanks(source)
    lead = b""
    for match in _TOKEN.finditer(source):
        text = match[0]
        if match.lastgroup == "blanks":
            lead = text
            continue
        if match.lastgroup == "end":
            new = text[text.rindex(b"\n") + 1 :]
            change = b"+" + new[len(indent) :] if len(new) > len(indent) else b""
            if len(new) < len(indent):
                change = b"-%d" % (len(indent) - len(new))
            indent, lead = new, b""
            text = b"\n" * text.count(b"\n") + change
        yield Token(lead, text)
        lead = b""


def _blanks(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]
