"""What the lexer and the stop rule have to know of a language: the record that describes one.

It knows nothing of cursors or completions, and of no language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Blocks = Literal["", "indent", "brace", "end"]
"""What a block is made by: nothing that is known, indentation alone, ``{`` and ``}``, or words
(``def`` … ``end``, ``if`` … ``fi``)."""
Ends = Literal["line", "semicolon", "both"]
"""What ends a statement: the line (a semicolon also parts two on one line), only a semicolon or a
block's brace, or either (JavaScript: the line does unless the statement plainly goes on)."""
Scope = Literal["code", "comment", "string"]
"""What standing inside of a quote counts as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One way to write text: what opens it, what ends it, what is code inside of it."""

    opens: bytes
    """Regular expression of all that opens it, prefix letters too."""
    closes: bytes | Callable[[bytes], bytes]
    """What closes it, or how that follows from what opened it; nothing: the end of its line."""
    lines: bool = False
    """It may go on behind the end of its line."""
    escape: bytes = b"\\"
    """What takes the meaning from the byte behind it; nothing: the text is raw."""
    doubled: bool = False
    """The closer written twice stands for itself."""
    holes: tuple[tuple[bytes, bytes], ...] = ()
    """What opens and closes an interpolation; inside is code."""
    plain_holes: tuple[bytes, ...] = ()
    """What looks like the opening of an interpolation and is text: ``{{``."""
    nests: tuple[bytes, bytes] | None = None
    """Brackets that nest in it, the closer being the second: ``%w(a (b) c)``."""
    formats: bool = False
    """A colon in an interpolation begins its format, which is text (Python)."""
    docstring: bool = False
    """It documents what it opens the body of."""
    scope: Scope = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class LexRules:
    """The rules of one language, as far as brackets, text, statements and blocks depend on them."""

    comment: bytes
    """What opens a line comment, as people write it; empty: the language has none."""
    other_comments: tuple[bytes, ...] = ()
    """Other openings of a line comment: regular expressions, tried before ``comment``."""
    comment_after: bytes = b""
    """Bytes of which one must stand before a line comment that is not at a line's start."""
    block_comments: tuple[tuple[bytes, bytes], ...] = ()
    """What opens and closes a comment that may span lines."""
    nested_comments: bool = False
    """A block comment may hold another one."""
    quotes: tuple[Quote, ...] = ()
    """In the order in which they are tried."""
    regex: Quote | None = None
    """A literal that begins with a slash, where an operand is expected."""
    character: bytes = b""
    """Regular expression of a whole character literal, where its quote may mean other things too
    (a lifetime in Rust)."""
    heredoc: bytes = b""
    """Regular expression of what announces text that begins on the next line. Groups: ``ends``, or
    ``quoted`` within ``mark``, ends it on a line of its own; ``indented`` lets blanks stand before
    that."""
    raw_marks: bytes = b""
    """Marks around that word which make the text raw."""
    heredoc_holes: tuple[tuple[bytes, bytes], ...] = ()
    scalar: bytes = b""
    """Regular expression of what announces text that goes on while lines are indented (YAML)."""
    markup: Literal["", "elements", "page", "template"] = ""
    """Text with tags in it: as expressions (JSX), as the whole file (HTML), or around the code
    (PHP)."""
    directives: bytes = b""
    """Regular expression of a line's start that makes the line a statement of its own (``#if``)."""
    join: bytes = b""
    """What at the end of a line joins the next one to it."""
    word: bytes = rb"[A-Za-z_0-9\x80-\xff]++"
    """Regular expression of a word; numbers are tried first."""
    operators: bytes = rb"\.\.\.|\*\*=?|//=?|>>=?|<<=?|->|:=|[-+*/%&|^@=<>!]="
    """Regular expression of operators of more than one byte."""
    number_suffix: bytes = b"[jJ]?"
    """Regular expression of letters behind a decimal number."""
    ignores_case: bool = False
    """Keywords are written in upper or lower case (SQL)."""

    blocks: Blocks = ""
    ends: Ends = "line"
    continues: bytes = b""
    """Bytes at a line's end behind which a statement goes on, where the line would end it."""
    leads: bytes = b""
    """Regular expression of a line's start that goes on with the statement above it: ``.map(x)``."""
    block_words: frozenset[bytes] = frozenset()
    """Words that open a block which one of ``end_words`` closes: ``def``, ``do``, ``then``."""
    loose_words: frozenset[bytes] = frozenset()
    """Those of ``block_words`` and ``end_words`` that count at a statement's start only, or behind an
    operator; elsewhere they are modifiers (``return if x``) or plain text (``echo done``)."""
    leading_words: frozenset[bytes] = frozenset()
    """Words behind which a statement of its own begins on the same line: ``then``."""
    literals: Literal["some", "all", "none"] = "some"
    """Which ``{`` open a literal and no block: those behind an operator, all or none."""
    end_words: frozenset[bytes] = frozenset()
    middle_words: frozenset[bytes] = frozenset()
    """Words that go on with a compound statement, out of its block: ``else``, ``catch``, ``rescue``,
    ``case`` of a switch where it stands at the switch's own depth."""
    statement_words: frozenset[bytes] = frozenset()
    """Words that never begin a line inside round or square brackets: seeing one there means a
    bracket was not closed, and the lexer goes on outside of it."""
    compound_words: frozenset[bytes] = frozenset()
    """First words of statements that open a block (of Python: with a colon at their line's end)."""
    definition_words: frozenset[bytes] = frozenset()
    """The compound statements that define a function, class or type of their own."""
    import_words: frozenset[bytes] = frozenset()
    """First words of statements that bring names in."""
    keywords: frozenset[bytes] = frozenset()

    @property
    def indented_blocks(self) -> bool:
        """Blocks are made by indentation alone."""
        return self.blocks == "indent"


def words(text: str) -> frozenset[bytes]:
    """Return the words of ``text``."""
    return frozenset(text.encode().split())


def one_line(opens: bytes, **more: object) -> Quote:
    """Return a string that ends with its line, closed by the last byte of what opens it."""
    return Quote(opens=opens, closes=opens[-1:], **more)  # pyright: ignore[reportArgumentType]


def spanning(opens: bytes, closes: bytes = b"", **more: object) -> Quote:
    """Return a string that may span lines, closed by ``closes`` or by what opens it."""
    return Quote(opens=opens, closes=closes or opens, lines=True, **more)  # pyright: ignore[reportArgumentType]


SLASHES = b"//"
STARS = ((b"/*", b"*/"),)
DOUBLE, SINGLE = one_line(b'"'), one_line(b"'")
