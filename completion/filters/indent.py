"""New lines are indented in the document's own unit: tabs, or so many spaces a level.

Converted is only what is sure: the document indents in one way alone, and the first new line that
the model indents otherwise stands just where the line above it says in another unit. Lines inside
of strings stay as they are, and so does what stands behind a whole unit: that aligns something.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from dataclasses import dataclass

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.syntax.lexer import Lexer, columns

_READ = 16 << 10
"""Bytes before the cursor that tell the document's unit."""
_LEAST = 3
"""Indented lines that the document has at least, or what the client says counts."""
_UNITS = (2, 3, 4, 8)
"""Spaces that are a level somewhere."""
_INDENTED = re.compile(rb"^([ \t]*)(?![ \t\r\n*])(?=[^\n])", re.MULTILINE)
_BLANKS = re.compile(rb"[ \t]*")


def unit_of(cursor: Cursor) -> bytes:
    """Return what the document indents a level with; nothing where that is not sure."""
    return _unit(cursor.before[-_READ:], cursor.tab_size, cursor.insert_spaces)


@functools.lru_cache(maxsize=8)
def _unit(before: bytes, tab_size: int, insert_spaces: bool) -> bytes:
    # asked again at each line of a stream
    found: list[bytes] = _INDENTED.findall(before)[1:]
    tabbed = sum(blanks.startswith(b"\t") for blanks in found)
    spaced = sum(blanks.startswith(b"  ") for blanks in found)
    if tabbed + spaced < _LEAST:
        if not tab_size or tabbed or spaced:
            return b""
        return b" " * tab_size if insert_spaces else b"\t"
    if tabbed and spaced:
        return b""
    if tabbed:
        return b"\t"
    widths = [len(blanks) for blanks in found]
    steps = Counter(b - a for a, b in itertools.pairwise(widths) if b > a)
    if not steps:
        return b""
    step, times = steps.most_common(1)[0]
    sure = step in _UNITS and 2 * times > steps.total()
    return b" " * step if sure else b""


@dataclass(slots=True)
class _Scale:
    """How the model's indentation becomes the document's."""

    unit: bytes
    base: bytes = b""
    """Blanks of the document's line above the first one that was indented otherwise."""
    width: int = 0
    """Columns of ``base`` as the model has them."""
    step: int = 0
    """The model's columns a level; 0: not known yet."""

    def learn(self, above: bytes, blanks: bytes, *, opens: bool) -> bool:
        """Take the first line that is not in the document's unit; tell whether that is sure."""
        if self.unit == b"\t":
            level = above.count(b"\t") + opens
            if not level or blanks.strip(b" ") or len(blanks) % level:
                return False
            self.step = len(blanks) // level
            return self.step in _UNITS
        self.base, self.width = above, len(above)
        self.step = len(blanks) - len(above)
        return opens and self.step in _UNITS and self.step != len(self.unit)

    def convert(self, blanks: bytes) -> bytes:
        """Return ``blanks`` in the document's unit, what is not a whole level kept."""
        levels, rest = divmod(len(blanks) - self.width, self.step)
        if levels < 0:
            return blanks
        return self.base + self.unit * levels + b" " * rest


def converted(text: bytes, cursor: Cursor) -> bytes:
    """Return ``text`` with its new lines indented as the document is.

    What a line becomes depends on nothing behind it.
    """
    unit = unit_of(cursor) if b"\n" in text else b""
    if not unit:
        return text
    scale, lexer = _Scale(unit=unit), cursor.place.lines.copy()
    lines = text.split(b"\n")
    above = cursor.place.head + lines[0]
    unsure = False
    for index in range(1, len(lines)):
        lexer.feed(above + b"\n")
        line = lines[index]
        blanks = _BLANKS.match(line)
        assert blanks is not None
        text_line = lexer.top is not None and lexer.top.is_text
        if line.strip() and blanks.group() and not text_line and not unsure:
            new, unsure = _line(scale, blanks.group(), above, opens=_opens(lexer, above))
            lines[index] = new + line[blanks.end() :]
        above = lines[index]
    return b"\n".join(lines)


def _line(scale: _Scale, blanks: bytes, above: bytes, *, opens: bool) -> tuple[bytes, bool]:
    """Return a line's blanks as they are to be, and whether nothing more is to be converted."""
    spaces = scale.unit != b"\t"
    if spaces and b"\t" in blanks:
        tabs = len(blanks) - len(blanks.lstrip(b"\t"))
        return scale.unit * tabs + blanks[tabs:], False
    if not spaces and not blanks.startswith(b" "):
        return blanks, False
    if not scale.step:
        found = _BLANKS.match(above)
        before = found.group() if found else b""
        own = spaces and len(blanks) - columns(before) in (0, len(scale.unit))
        if own or (spaces and not opens):
            return blanks, own and opens
        if not scale.learn(before, blanks, opens=opens):
            return blanks, True
    return scale.convert(blanks), False


def _opens(lexer: Lexer, line: bytes) -> bool:
    """Tell whether the line that ``lexer`` has read last opened what the next one is in."""
    start = lexer.base - len(line) - 1
    top = lexer.top
    if top is not None and top.start >= start:
        return True
    header = lexer.previous
    return header is not None and header.header and lexer.indent < 0 and header.start >= start


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Indent the new lines as the document does."""
    return draft.with_text(converted(draft.text, cursor))
