"""The secrets of one open document, line by line, kept while it is edited.

The first search of a text runs beside the event loop, and until it has ended the text is not known.
Of an edit only the changed lines are searched on the way, with those around them; now and then a
text that has changed is searched whole again, because a key may span many lines.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import logging
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lsp.context.secrets import Secret, mask
from lsp.documents import Document, Splice
from lsp.positions import wire_bytes, wire_length

log = logging.getLogger("caret.lsp")

AROUND = 2
"""Lines before and after a change that are searched with it."""
AT_ONCE = 16
"""Changed lines that are searched on the way; more are searched beside the event loop."""
AT_ONCE_BYTES = 1 << 14
WHOLE_S = 2.0
"""How long after a search of the whole text a changed one is searched again, in seconds."""

Find = Callable[[bytes], Sequence[Secret]]
Spans = tuple[tuple[int, int], ...]
"""Byte places within one line, its end included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hidden:
    """What is not to be sent of the text around a cursor, in bytes away from it."""

    before: Spans = ()
    """Of the text before: (nearer end, farther end), both counted backwards from the cursor."""
    after: Spans = ()
    touched: bool = False
    """Whether the cursor is in a secret or right at one."""

    def prefix(self, text: bytes) -> bytes:
        """Return ``text``, which ends at the cursor, with secrets masked."""
        size = len(text)
        found = ((max(size - far, 0), size - near) for near, far in self.before if near < size)
        return mask(text, tuple(Secret(kind="", start=a, end=b) for a, b in found))

    def suffix(self, text: bytes) -> bytes:
        """Return ``text``, which begins at the cursor, with secrets masked."""
        size = len(text)
        found = ((start, min(end, size)) for start, end in self.after if start < size)
        return mask(text, tuple(Secret(kind="", start=a, end=b) for a, b in found))


class LineSecrets:
    """The secrets of one document; from the event loop only, as a follower of the document."""

    def __init__(self, document: Document) -> None:
        self._document = weakref.ref(document)
        self._found: list[Spans] = [()] * len(document.content.lines)
        self._from, self._to = 0, len(self._found)
        self._known = False
        self._stale = False
        self._searched = 0.0
        self._splices: list[Splice] = []
        """Those that came while the whole text was searched."""
        self.running: asyncio.Future[list[Spans]] | None = None

    def spliced(self, splice: Splice) -> None:
        """Take notice of a change of the lines."""
        _splice(self._found, splice)
        if self.running is not None:
            self._splices.append(splice)
        self._stale = True
        end = splice.first + splice.removed
        if self._from >= self._to:
            self._from, self._to = splice.first, splice.first + splice.added
        else:
            self._from = min(self._from, splice.first)
            self._to = max(self._to, end) + splice.added - splice.removed

    @property
    def is_known(self) -> bool:
        """Whether all secrets are known, or will be after a look at a few lines."""
        return self._known and not self._has_much_to_read

    @property
    def wants_search(self) -> bool:
        """Whether the whole text should be searched, be it to know it or to know it better."""
        if self.running is not None:
            return False
        return not self.is_known or (self._stale and time.monotonic() - self._searched > WHOLE_S)

    @property
    def _has_much_to_read(self) -> bool:
        changed = self._to - self._from
        return changed > AT_ONCE or (changed > 0 and sum(map(len, self._near())) > AT_ONCE_BYTES)

    async def search_all(self, pool: ThreadPoolExecutor, find: Find) -> None:
        """Search the whole text as it is now, beside the event loop, or wait for who does."""
        document = self._document()
        if self.running is None and document is not None:
            # What is known is known while this runs, too; what is not waits for its end.
            if self.is_known:
                self._read_changed(find)
            self._known = self.is_known
            lines = list(document.content.lines)
            self._from = self._to = 0
            self._splices, self._stale = [], False
            self.running = asyncio.get_running_loop().run_in_executor(
                pool, search_lines, lines, find
            )
            self.running.add_done_callback(self._done)
        if self.running is not None:
            await asyncio.wait({self.running})

    def _done(self, running: asyncio.Future[list[Spans]]) -> None:
        self.running = None
        error = None if running.cancelled() else running.exception()
        if running.cancelled() or error is not None:
            self._known = False  # nothing is sent before a search has come to its end
            if error is not None:
                log.error("search for secrets: %s", type(error).__name__)
            return
        found = running.result()
        for splice in self._splices:
            _splice(found, splice)
        if len(found) == len(self._found):  # else the document has lost its place: search again
            self._found, self._known = found, True
            self._searched = time.monotonic()

    def hidden(self, find: Find, line: int, column: int, reach: int) -> Hidden:
        """Return what is hidden within ``reach`` bytes of a cursor; ask only when it is known."""
        self._read_changed(find)
        document = self._document()
        if document is None or not any(self._found):
            return Hidden()
        lines = document.content.lines
        text = wire_bytes(lines[line])
        at = wire_length(lines[line][:column])
        spans = self._found[line]
        before = [(max(at - end, 0), at - start) for start, end in spans if start < at]
        after = [(max(start - at, 0), end - at) for start, end in spans if end > at]
        touched = any(start <= at <= end for start, end in spans)
        away, number = at, line - 1
        while number >= 0 and away < reach:
            size = wire_length(lines[number])
            before += [
                (away + size - end, away + size - start) for start, end in self._found[number]
            ]
            away, number = away + size, number - 1
        away, number = len(text) - at, line + 1
        while number < len(lines) and away < reach:
            after += [(away + start, away + end) for start, end in self._found[number]]
            away, number = away + wire_length(lines[number]), number + 1
        return Hidden(before=tuple(before), after=tuple(after), touched=touched)

    def _near(self) -> list[str]:
        document = self._document()
        if document is None:
            return []
        return document.content.lines[max(self._from - AROUND, 0) : self._to + AROUND]

    def _read_changed(self, find: Find) -> None:
        """Search the few lines that have changed."""
        first, behind = self._from, self._to
        if first >= behind:
            return
        lines = self._near()
        found = search_lines(lines, find)
        base = max(first - AROUND, 0)
        # Within a key of many lines, a changed one is still the key's.
        within = first > 0 and behind < len(self._found) and bool(
            self._found[first - 1] and self._found[behind]
            and self._found[first - 1][-1][1] >= len(wire_bytes(lines[first - 1 - base]))
            and self._found[behind][0][0] == 0
        )  # fmt: skip
        for number, (line, spans) in enumerate(zip(lines, found, strict=True), base):
            if not first <= number < behind:
                spans = _joined(self._found[number], spans)
            elif within:
                spans = ((0, len(wire_bytes(line))),)
            self._found[number] = spans
        self._from = self._to = 0


def search_lines(lines: Sequence[str], find: Find) -> list[Spans]:
    """Return for each line where a secret is in it; one of many lines is in each of them."""
    texts = [wire_bytes(line) for line in lines]
    starts = list(itertools.accumulate((len(text) for text in texts), initial=0))
    found: list[list[tuple[int, int]]] = [[] for _ in lines]
    for secret in find(b"".join(texts)):
        number = bisect.bisect_right(starts, secret.start) - 1
        while number < len(lines) and starts[number] < secret.end:
            start = max(secret.start - starts[number], 0)
            end = min(secret.end, starts[number + 1]) - starts[number]
            if start < end:
                found[number].append((start, end))
            number += 1
    return [tuple(spans) for spans in found]


def _splice(found: list[Spans], splice: Splice) -> None:
    found[splice.first : splice.first + splice.removed] = [()] * splice.added


def _joined(one: Spans, other: Spans) -> Spans:
    """Return the places of both, each once and none within another."""
    out: list[tuple[int, int]] = []
    for start, end in sorted({*one, *other}):
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return tuple(out)
