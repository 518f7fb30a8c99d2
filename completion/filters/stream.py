"""A candidate in whole lines while it is generated: what has been sent is never taken back."""

from __future__ import annotations

from dataclasses import dataclass

from completion.filters.cursor import Cursor
from completion.filters.pipeline import Result, early, run
from completion.filters.stop_rule import StopRule
from completion.syntax.blocks import Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of the candidate's text; ``replace_after`` is that of the whole candidate."""

    text: bytes
    replace_after: int = 0


class Stream:
    """Sends the lines of one candidate as soon as they are final.

    What it sends makes up exactly the text that :func:`run` gives for the whole middle. Lines go
    out early only where several are written and nothing follows the cursor on its line; anywhere
    else closers after the cursor can be known only at the end, and the text goes out whole.
    """

    def __init__(self, rule: StopRule) -> None:
        """Follow ``rule``, which the caller goes on feeding."""
        self._cursor: Cursor = rule.cursor
        self._rule = rule
        alone = rule.cursor.place.rest == b"" and not rule.cursor.inside_line_end
        self._early = rule.goal is not Goal.LINE and alone
        self._sent = b""
        self._final = 0

    def advance(self) -> Chunk | None:
        """Return what has become final since the last call, to be called after ``rule.feed``.

        Once the rule has stopped there is nothing until :meth:`close`.
        """
        final = self._rule.final_bytes
        if not self._early or self._rule.stopped or final <= self._final:
            return None
        self._final = final
        text = early(self._rule.final_text, self._cursor)
        if text is None:
            return None
        new = text[len(self._sent) :]
        self._sent = text
        return Chunk(text=new) if new else None

    def close(self) -> tuple[Chunk | None, Result]:
        """Return the last chunk and the whole result, to be called after the rule has stopped."""
        stop = self._rule.finish()
        result = run(self._rule.middle, self._cursor, line_ended=stop.line_ended)
        new = result.text[len(self._sent) :]
        if not new:
            return None, result
        return Chunk(text=new, replace_after=result.replace_after), result
