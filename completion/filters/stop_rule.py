"""Where a completion ends: the first stop rule, fed with bytes as they are generated.

It knows text only. What ends a completion depends on the bytes, never on the pieces they came in.
"""

from __future__ import annotations

import bisect
import enum
from dataclasses import dataclass

from completion.filters.characters import joining, open_character, whole
from completion.filters.cursor import Cursor, Lines, is_word
from completion.filters.repeats import RepeatWatch, circles, first_round
from completion.filters.same_line import finished_word, meeting_test, meets, word_at
from completion.filters.special_tokens import MAX_BYTES, find
from completion.filters.suffix_lines import SuffixWatch
from completion.filters.trailing_blanks import trim
from completion.syntax.blocks import tracker_at
from completion.syntax.boundaries import CLOSERS, Extent, Reach
from completion.syntax.tracker import End, Ending, Goal, Wait


class StopReason(enum.IntEnum):
    """Why a completion ended; numbers of the wire contract."""

    MODEL = 1
    SYNTAX = 2
    SUFFIX = 3
    LENGTH = 4
    DEADLINE = 5
    REPETITION = 6
    LINE = 7
    SCOPE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where a completion ends and why."""

    reason: StopReason
    length: int
    """Bytes of the generated text, as fed, that are the middle."""
    line_ended: bool = False
    """The model went on in a new line behind the middle."""


_REASONS = {
    Ending.LINE: StopReason.LINE,
    Ending.COMPLETE: StopReason.SYNTAX,
    Ending.LEFT: StopReason.SCOPE,
    Ending.MET: StopReason.SUFFIX,
}


_CLOSERS = tuple(bytes([byte]) for byte in CLOSERS)


def goal_of(cursor: Cursor, extent: Extent) -> Goal:
    """Return what is to be completed at ``cursor``.

    A cursor with text behind it keeps its line, closers alone excepted where a bracket is open
    over lines. AUTO goes by the extent; where that is the line, brackets that the new text itself
    opens are still closed if nothing follows the cursor.
    """
    block = extent.reach is Reach.BLOCK
    bracket = block and extent.reason == "bracket"
    if cursor.lines is Lines.SINGLE or not (cursor.at_line_end or block):
        return Goal.LINE
    if block and not (bracket and cursor.lines is Lines.MULTI):
        return Goal.BRACKET if bracket else Goal.BODY
    if cursor.lines is Lines.MULTI:
        return Goal.SCOPE if cursor.at_line_end else Goal.BRACKET
    plain = extent.reason in ("no syntax", "comment", "string")
    return Goal.LINE if plain else Goal.STATEMENT


class StopRule:
    """Says when to stop generating. One for each candidate.

    ``feed`` it what is generated until it returns a :class:`Stop`; call ``finish`` when the
    generation ends otherwise. The cost of ``feed`` is that of the new bytes.
    """

    def __init__(self, cursor: Cursor) -> None:
        """Start at ``cursor``, which reads its prefix once, whatever number of rules share it."""
        self.cursor = cursor
        self.extent = cursor.extent
        self.goal = goal_of(cursor, self.extent)
        self._tracker = tracker_at(
            cursor.language, cursor.place, self.goal, self.extent, cursor.tabs
        )
        self._suffix = SuffixWatch(cursor, self._tracker)
        self._repeats = RepeatWatch(cursor.line_above())
        self._rest = cursor.place.rest if not cursor.at_line_end else b""
        self._text = bytearray()
        self._returns: list[int] = []
        self._kept = 0
        self._held = bytearray()
        self._begun = open_character(cursor.prefix)
        self._head = cursor.place.head
        self._line = 0
        self._seen = 0
        self._begins = False
        self._solid_end = 0
        self._ended = -1
        self._stop: Stop | None = None

    @property
    def middle(self) -> bytes:
        """The middle, once the rule has stopped, without carriage returns."""
        return bytes(self._text[: self._kept])

    @property
    def final_text(self) -> bytes:
        """The first :attr:`final_bytes` of the text, without carriage returns."""
        return bytes(self._text[: self._final()])

    @property
    def stopped(self) -> bool:
        """The middle's end is known."""
        return self._stop is not None

    @property
    def lexed_bytes(self) -> int:
        """Bytes read by the lexer since the cursor."""
        return self._tracker.lexer.lexed - self.cursor.place.lines.lexed

    @property
    def final_bytes(self) -> int:
        """Bytes at the start of the text that are kept however it goes on: whole lines.

        The last one's line end is left out, as are lines that may turn out to be a repetition or
        the text after the cursor.
        """
        return self._raw(self._final())

    def _final(self) -> int:
        if self._stop:
            return self._kept
        doubts = [d for d in (self._suffix.doubtful, self._repeats.doubtful) if d is not None]
        final = min([self._solid_end, *doubts])
        return len(self._text[:final].rstrip()) if doubts else final

    def feed(self, new: bytes) -> Stop | None:
        """Take what has been generated since; return where the middle ends once that is known."""
        if self._stop:
            return self._stop
        self._held += new
        size, bad = whole(bytes(self._held), self._begun)
        if size:
            self._begun = b""
        old = len(self._text)
        self._add(bytes(self._held[:size]))
        del self._held[:size]
        sentinel = find(self._text, self.cursor, max(0, old - MAX_BYTES))
        self._stop = self._lines(sentinel.end() if sentinel else len(self._text))
        if self._stop is None and (sentinel or bad):
            del self._text[sentinel.start() if sentinel else len(self._text) :]
            self.finish(StopReason.MODEL)
        return self._stop

    def _add(self, new: bytes) -> None:
        """Take new text without its carriage returns, and remember where they were."""
        first, *others = new.split(b"\r")
        self._text += first
        for part in others:
            self._returns.append(len(self._text))
            self._text += part

    def _raw(self, length: int) -> int:
        """Return how many bytes as fed the first ``length`` bytes of the text were."""
        return length + bisect.bisect_left(self._returns, length)

    def finish(self, reason: StopReason = StopReason.MODEL) -> Stop:
        """Say where the middle ends now that nothing more will come, for ``reason``.

        Cut short by LENGTH or DEADLINE, a text of several lines loses the one that is not whole.
        """
        if self._stop:
            return self._stop
        self._add(joining(bytes(self._held), self._begun, self.cursor.suffix))
        line = bytes(self._text[self._line :])
        stop = self._in_line(len(self._text), ended=True)
        if stop is None:
            stop = self._past_word(len(self._text), reason)
        if stop is None and line.strip():
            stop = self._line_watches(line, len(self._text))
        if stop is None:
            end = len(self._text)
            cut_short = reason in (StopReason.LENGTH, StopReason.DEADLINE)
            if cut_short and self._solid_end and self.goal is not Goal.LINE:
                end = self._line
            if self._suffix.doubtful is not None:
                reason = StopReason.SUFFIX
            stop = self._cut(end, reason)
        self._stop = stop
        return stop

    def _lines(self, limit: int) -> Stop | None:
        while (end := self._text.find(b"\n", max(self._line, self._seen), limit)) >= 0:
            stop = (
                self._in_line(end, ended=True)
                or self._past_word(end, StopReason.LINE)
                or self._line_end(end)
            )
            if stop:
                return stop
        return self._in_line(limit, ended=False)

    def _in_line(self, end: int, *, ended: bool) -> Stop | None:
        """Look at the line up to ``end`` for what ends a completion before its line does."""
        line = bytes(self._text[self._line : end])
        seen = max(0, self._seen - self._line)
        self._seen = end
        if not self._begins:
            found = self._tracker.begins(self._head + line, whole=ended) if line.strip() else None
            self._begins = bool(line.strip()) and found is not Wait.MORE
            if isinstance(found, tuple):
                return self._end_in_line(found)
        loop = circles(line, seen)
        if self._rest:
            at = meeting_test(self.cursor.place, self._tracker.lexer, self._head)
            met = meets(line, self._rest, seen, at, ended=ended, before=self._head[-1:])
            if met and (loop is None or met[1] <= loop):
                return self._cut(self._line + met[0], StopReason.SUFFIX)
        if loop is None:
            return None
        # A later line that loops is not worth its first round; of the cursor's that is all there is.
        later = self._line or self.cursor.place.between
        kept = self._line if later else first_round(line, loop)
        return self._cut(kept, StopReason.REPETITION)

    def _past_word(self, end: int, reason: StopReason) -> Stop | None:
        """Look at the first line, which ends at ``end``: it may have gone past the cursor's word.

        It has not where the text behind the cursor can stand behind it: a line that the model ended
        there, unless with a closer, and in doubt one that was cut short.
        """
        line = bytes(self._text[:end])
        if self._line or not is_word(self._rest[:1]):
            return None
        if reason is StopReason.MODEL and not line.endswith(_CLOSERS):
            return None
        if reason in (StopReason.LENGTH, StopReason.DEADLINE):
            if not self.cursor.inside_word:
                return None
            line = word_at(line)
        at = meeting_test(self.cursor.place, self._tracker.lexer, self._head)
        solid, rest = line.rstrip(), self._rest.rstrip()
        if reason is StopReason.LINE and solid.endswith(rest):  # its line end says so too
            return self._cut(len(solid) - len(rest), StopReason.SUFFIX)
        cut = finished_word(line, rest, at)
        return None if cut is None else self._cut(cut, StopReason.SUFFIX)

    def _line_watches(self, line: bytes, end: int) -> Stop | None:
        cut = self._suffix.push(self._head + line, self._line, first=self._line == 0)
        if cut is not None:
            return self._cut(cut, StopReason.SUFFIX)
        cut = self._repeats.push(self._head + line, self._line)
        return None if cut is None else self._cut(cut, StopReason.REPETITION)

    def _line_end(self, end: int) -> Stop | None:
        line = bytes(self._text[self._line : end])
        self._ended = end
        stop = self._line_watches(line, end)
        if stop:
            return stop
        ended = self._tracker.ends(self._head + line + b"\n")
        if ended:
            return self._end_in_line(ended)
        if line.strip():
            self._solid_end = self._line + len(line.rstrip())
        self._line = self._seen = end + 1
        self._head, self._begins = b"", False
        return None

    def _end_in_line(self, ended: End) -> Stop:
        ending, at = ended
        return self._cut(self._line + max(0, at - len(self._head)), _REASONS[ending])

    def _cut(self, end: int, reason: StopReason) -> Stop:
        doubtful = self._suffix.doubtful
        if doubtful is not None and doubtful < end:
            end, reason = doubtful, StopReason.SUFFIX  # the text ends here: nothing speaks for them
        text = bytes(self._text)
        length = len(trim(text[:end], self.cursor))
        if self.cursor.place.between:
            # Its line end belongs to a line of its own, if there is one.
            length = len(text[:end].rstrip())
            line_end = text.find(b"\n", length)
            blank = line_end >= 0 and not text[length:line_end].strip()
            goes_on = length and line_end < 0 and self.cursor.joins_next
            length = line_end + 1 if length and blank else length
            if goes_on or b"\n" not in text:
                length = end
        self._kept = length
        ended = length <= self._ended and text[length:].lstrip(b" \t")[:1] == b"\n"
        return Stop(reason=reason, length=self._raw(length), line_ended=ended)
