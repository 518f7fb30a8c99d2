"""What is open, as a list from the inside out that shares its outer part with every older state.

To open, to close and to copy cost the same however deep it is, and so does finding what a closing
bracket closes: each entry knows the innermost one of every kind.
"""

from __future__ import annotations

from completion.syntax.frames import Frame, FrameKind

CODE, TEXT, TAG = range(3)
"""How what follows a frame is read."""

StatementState = tuple[int, int, bytes]
"""Start, indentation and first word of the statement that is open; see the lexer."""

_WALLS = frozenset(
    (
        FrameKind.STRING,
        FrameKind.FORMAT,
        FrameKind.COMMENT,
        FrameKind.INTERPOLATION,
        FrameKind.TAG,
        FrameKind.MARKUP,
    )
)
"""Nothing outside of these is closed from inside of them."""


class Open:
    """One frame and those outside of it; never changed."""

    __slots__ = (
        "block", "curly", "depth", "frame", "one_line", "outer", "reads", "round", "saved", "square",
        "tick", "word",
    )  # fmt: skip

    frame: Frame
    outer: Open | None
    depth: int
    """How many are open, this one too."""
    reads: int
    saved: StatementState
    """The statement that was open outside of it."""
    block: Open | None
    """The innermost block, this one too."""
    one_line: Open | None
    """The outermost text that ends with its line."""
    round: Open | None
    """The innermost that a ``)`` closes from here; likewise the next ones."""
    square: Open | None
    curly: Open | None
    tick: Open | None
    word: Open | None

    def __init__(self, frame: Frame, outer: Open | None, saved: StatementState) -> None:
        self.frame, self.outer, self.saved = frame, outer, saved
        kind = frame.kind
        self.reads = TEXT if frame.is_text else TAG if kind is FrameKind.TAG else CODE
        if outer is None:
            self.depth, self.one_line = 1, self if frame.one_line else None
            self.block = self if frame.block else None
            self.round = self.square = self.curly = self.tick = self.word = None
        else:
            self.depth = outer.depth + 1
            self.block = self if frame.block else outer.block
            self.one_line = outer.one_line or (self if frame.one_line else None)
            if kind in _WALLS:
                self.round = self.square = self.curly = self.tick = self.word = None
            else:
                self.curly, self.word = outer.curly, outer.word
                if frame.block:
                    self.round = self.square = self.tick = None
                else:
                    self.round, self.square, self.tick = outer.round, outer.square, outer.tick
        if kind is FrameKind.BLOCK:
            self.word = self
        elif self.reads == CODE:
            closer = frame.closer[:1]
            if closer == b")":
                self.round = self
            elif closer == b"}":
                self.curly = self
            elif closer == b"]":
                self.square = self
            elif closer == b"`":
                self.tick = self

    def closed_by(self, closer: bytes) -> Open | None:
        """Return the innermost entry that a closing bracket closes, or ``None``."""
        if closer == b")":
            return self.round
        if closer == b"}":
            return self.curly
        return self.square if closer == b"]" else self.tick

    def frames(self) -> tuple[Frame, ...]:
        """Return all frames, outermost first."""
        found: list[Frame] = []
        entry: Open | None = self
        while entry is not None:
            found.append(entry.frame)
            entry = entry.outer
        found.reverse()
        return tuple(found)
