"""A user who types a known text and takes a completion when it is exactly what comes next. Pure.

Offsets and lengths are code points of the document. A key types one character; a line end of two
(``\\r\\n``) is one key and one character here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

WORTH = 2
"""Characters that a completion brings at least to be taken: one is typed as quickly."""

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """Puts ``text`` in place of what is between ``start`` and ``end``, as an LSP edit does."""

    start: int
    end: int
    text: str

    def applied(self, document: str) -> str:
        """Return the document behind the edit."""
        return document[: self.start] + self.text + document[self.end :]


class Verdict(StrEnum):
    """What the typist does with what is shown."""

    WHOLE = "whole"
    """Takes all of it."""
    LINE = "line"
    """Takes its first line, which is right where the others are not."""
    TYPE = "type"
    """Types on: nothing is shown, or something else than what comes next."""
    WRONG = "wrong"
    """Types on: what is shown comes next, but taking it would spoil the text around it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Typing:
    """A text being typed between what is above and below: ``done`` characters of it are there."""

    above: str
    region: str
    below: str
    done: int = 0

    @property
    def document(self) -> str:
        """As it stands."""
        return self.above + self.region[: self.done] + self.below

    @property
    def cursor(self) -> int:
        """Where the next character goes."""
        return len(self.above) + self.done

    @property
    def is_over(self) -> bool:
        """Whether all of it is there."""
        return self.done >= len(self.region)

    def key(self) -> Edit:
        """Return the edit of the next key."""
        match = _LINE_END.match(self.region, self.done)
        text = match[0] if match else self.region[self.done]
        return Edit(start=self.cursor, end=self.cursor, text=text)

    def after(self, edit: Edit) -> Typing | None:
        """Return the typing behind ``edit``; ``None`` where the file could no more become right."""
        new = edit.applied(self.document)
        done = self.done + len(new) - len(self.document)
        if not self.done <= done <= len(self.region) or self._splits_line_end(done):
            return None
        then = Typing(above=self.above, region=self.region, below=self.below, done=done)
        return then if then.document == new else None

    def judge(self, shown: Edit | None) -> tuple[Verdict, Edit | None]:
        """Return what the typist does with the completion, and the edit if it is taken.

        1. All of it, if the file is then as far as if it had been typed.
        2. Else its first line, as editors insert a part: without touching what is behind.
        3. Else nothing; that is wrong where the text shown behind the cursor is what comes next.

        Either has to bring :data:`WORTH` characters.
        """
        if shown is None:
            return Verdict.TYPE, None
        parts = [(Verdict.WHOLE, shown), (Verdict.LINE, self._first_line(shown))]
        for verdict, edit in parts:
            then = self.after(edit) if edit is not None else None
            if then is not None and size(self.region[self.done : then.done]) >= WORTH:
                return verdict, edit
        ghost = shown.text[self.cursor - shown.start :]
        comes = self.region[self.done :].startswith(ghost)
        return (Verdict.WRONG if comes and size(ghost) >= WORTH else Verdict.TYPE), None

    def _first_line(self, shown: Edit) -> Edit | None:
        """Return the edit of all up to the first line with text, without that line's end.

        ``None`` where there is no further line: then the whole is the first line.
        """
        typed = self.cursor - shown.start
        if not 0 <= typed <= len(shown.text):
            return None
        at = typed + len(shown.text[typed:]) - len(shown.text[typed:].lstrip())
        match = _LINE_END.search(shown.text, at)
        if match is None:
            return None
        return Edit(start=shown.start, end=self.cursor, text=shown.text[: match.start()])

    def _splits_line_end(self, done: int) -> bool:
        return self.region[max(0, done - 1) : done + 1] == "\r\n"


def size(text: str) -> int:
    """Return the characters of ``text`` as keys count them."""
    return len(text) - text.count("\r\n")


def position(document: str, offset: int) -> tuple[int, int]:
    """Return line and byte column of an offset: an LSP position in the encoding ``utf-8``."""
    line, start = 0, 0
    for match in _LINE_END.finditer(document, 0, offset):
        if match.end() <= offset:
            line, start = line + 1, match.end()
    return line, len(document[start:offset].encode())


def offset_of(document: str, line: int, column: int) -> int:
    """Undo :func:`position`; what is beyond a line's end is its end."""
    start = 0
    for _ in range(line):
        match = _LINE_END.search(document, start)
        if match is None:
            return len(document)
        start = match.end()
    match = _LINE_END.search(document, start)
    text = document[start : match.start() if match else len(document)]
    return start + len(text.encode()[:column].decode("utf-8", "ignore"))
