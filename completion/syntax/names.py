"""The names that may be used at a place.

By the lexer, over what is before the place and the top level behind it, so code that is being
written has names like any other. Rather a name too many than one too few.
"""

from __future__ import annotations

from dataclasses import dataclass

from completion.syntax.frames import FrameKind
from completion.syntax.languages import Language
from completion.syntax.lexer import Lexer
from completion.syntax.lexer_state import Kind, columns
from completion.syntax.naming import NameKind, Naming, Token, namings
from completion.syntax.rules import LexRules
from completion.syntax.stack import Open

LIMIT = 400
"""Most names that are returned."""
MAX_BYTES = 1 << 20
"""Of a longer text only this much before the place is read, and as much behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name that may be used at a place."""

    name: bytes
    at: int
    """Byte offset where it is given: the last one before the place, else the first behind it."""
    kind: NameKind


class _Marked(Lexer):
    """Notes what is open behind each piece."""

    __slots__ = ("marks",)

    def __init__(self, rules: LexRules) -> None:
        super().__init__(rules)
        self.marks: list[Open | None] = []

    def _emit(self, start: int, end: int, kind: Kind) -> None:
        before = len(self._pieces or ())
        super()._emit(start, end, kind)
        if len(self._pieces or ()) > before:
            self.marks.append(self._top)


@dataclass(slots=True)
class _Run:
    """Tokens of one statement, or of a part of it between blocks."""

    tokens: list[Token]
    start: int
    block: int | None
    """Start of the block that it stands in; ``None``: of none."""
    opens: int | None = None
    """Start of the block that it opens."""
    indent: int = 0


def names_in_scope(language: Language | None, source: bytes, offset: int) -> list[Name]:
    """Return the names that may be used at ``offset``, nearest definition first.

    Parameters and locals of the blocks around the place as far as they stand before it, and what
    the file defines and imports at its top, before or behind. Members of a class are no names
    inside of its methods (Python).
    """
    if language is None:
        return []
    offset = max(0, min(offset, len(source)))
    first = max(0, offset - MAX_BYTES)
    text = source[first : offset + MAX_BYTES]
    cursor = offset - first
    lexer = _Marked(language.rules)
    pieces = lexer.pieces(text)
    runs = _runs(text, pieces, lexer.marks)
    state = Lexer(language.rules)
    line = text.rfind(b"\n", 0, cursor) + 1
    state.feed(text[:line])
    here = state.peek(text[line:cursor])
    if language.rules.blocks == "indent":
        visible = _indented(language, text, runs, cursor, here)
    else:
        opened = {frame.start for frame in here.stack}
        visible = _nested(language, runs, cursor, opened)
    found: dict[bytes, Name] = {}
    before = [n for n in visible if n.at + len(n.name) < cursor]
    for naming in (*reversed(before), *(n for n in visible if n.at > cursor)):
        name = Name(name=naming.name, at=first + naming.at, kind=naming.kind)
        found.setdefault(name.name, name)
        if len(found) == LIMIT:
            break
    return list(found.values())


def _runs(text: bytes, pieces: list[tuple[int, int, Kind]], marks: list[Open | None]) -> list[_Run]:
    runs: list[_Run] = []
    run = _Run([], 0, None)
    opened: Open | None = None
    for (start, end, kind), mark in zip(pieces, marks, strict=True):
        begins = kind == "statement"
        block = _block(mark)
        if block != run.block or begins:
            opening = (
                block is not None
                and mark is not None
                and mark is not opened
                and (kind == "open" or mark.frame.kind is FrameKind.BLOCK)
            )
            if opening and mark is not None and block == mark.frame.start and kind == "open":
                run.opens = block
            if run.tokens:
                runs.append(run)
            if kind == "word" and run.tokens and mark is not None and block == start:
                # the word that opens the block begins or ends its header
                run.opens = block
            run = _Run([], start, block)
            if begins:
                line = text.rfind(b"\n", 0, start) + 1
                blanks = text[line:start]
                run.indent = (
                    columns(blanks) if not blanks.strip() else runs[-1].indent if runs else 0
                )
        opened = mark
        if kind in ("word", "operator", "open", "close"):
            run.tokens.append(Token(text[start:end], start, kind == "word"))
    if run.tokens:
        runs.append(run)
    return runs


def _block(entry: Open | None) -> int | None:
    if entry is None or entry.block is None:
        return None
    return entry.block.frame.start


def _nested(language: Language, runs: list[_Run], cursor: int, opened: set[int]) -> list[Naming]:
    """Return what is visible where braces or words make blocks."""
    found: list[Naming] = []
    for run in runs:
        inner = run.opens
        if language.rules.blocks == "end" and inner is None:
            inner = run.block  # a header stands in the block that its own word opens
        for naming in namings(language, run.tokens, opens=run.opens is not None):
            holds = inner if naming.inside else run.block
            behind = naming.at >= cursor
            if behind and (holds is not None or naming.kind == "variable"):
                continue
            if holds is None or holds in opened:
                found.append(naming)
    return found


def _indented(
    language: Language, text: bytes, runs: list[_Run], cursor: int, here: Lexer
) -> list[Naming]:
    """Return what is visible where indentation makes blocks (Python)."""
    around: list[tuple[int, int, bool]] = []
    scopes: list[tuple[Naming, tuple[int, ...], bool]] = []
    line = text.rfind(b"\n", 0, cursor) + 1
    blanks = text[line:cursor]
    indent = (
        here.indent if here.indent >= 0 else columns(blanks[: len(blanks) - len(blanks.lstrip())])
    )
    chain: tuple[int, ...] = ()
    asked = False
    for run in [*runs, _Run([], len(text) + 1, None)]:
        if run.start >= cursor and not asked:
            asked = True
            if here.statement_ended:
                around = [a for a in around if a[0] < indent]
            chain = tuple(a[1] for a in around)
        if not run.tokens:
            continue
        while around and around[-1][0] >= run.indent:
            around.pop()
        defines = next((t.text for t in run.tokens[:2] if t.text in (b"def", b"class")), b"")
        inner = (*(a[1] for a in around), run.start)
        in_class = bool(around) and around[-1][2]
        for naming in namings(language, run.tokens, opens=bool(defines)):
            place = inner if naming.inside and defines else inner[:-1]
            scopes.append((naming, place, in_class and place == inner[:-1]))
        if defines:
            around.append((run.indent, run.start, defines == b"class"))
    return [
        naming
        for naming, place, member in scopes
        if place == chain[: len(place)]
        and not (member and len(chain) > len(place))
        and not (naming.at >= cursor and (place or naming.kind == "variable"))
    ]
