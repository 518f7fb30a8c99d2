"""Finds text that goes in circles: a line, a block of lines, a short run inside one line."""

from __future__ import annotations

MAX_PERIOD = 8
"""Lines of the longest block that is watched for."""
_MIN_BLOCK = 20
"""Bytes a repeated block has at least, blanks not counted; shorter ones are structure."""
_MAX_BLANK = 4
"""This many blank lines in a row are a loop; style guides know two."""
_STEP, _RUN, _SHORT = 64, 128, 16
"""A line is looked at every ``_STEP`` bytes: its last ``_RUN`` bytes must not be one string of
at most ``_SHORT`` bytes over and over. Longer than any ruler of dashes."""


class RepeatWatch:
    """Told each line once; says where the text has to be cut, and what is still in doubt."""

    def __init__(self) -> None:
        """Start with no lines; those before the cursor do not count."""
        self._lines: list[bytes] = []
        self._starts: list[int] = []
        self._runs = [0] * (MAX_PERIOD + 1)
        self._blank = 0

    def push(self, line: bytes, start: int) -> int | None:
        """Take the next line, which starts at byte ``start``; return where to cut, or ``None``.

        The first copy is kept. A line counts at its third time in a row, a block of two lines at
        its third, a longer one at its second. Trailing blanks make no difference.
        """
        line = line.rstrip()
        self._lines.append(line)
        self._starts.append(start)
        self._blank = 0 if line else self._blank + 1
        count = len(self._lines)
        if self._blank >= _MAX_BLANK:
            return self._starts[count - self._blank]
        for period in range(1, min(MAX_PERIOD, count - 1) + 1):
            same = line == self._lines[-1 - period]
            self._runs[period] = run = self._runs[period] + 1 if same else 0
            if run < period * (2 if period < 3 else 1):
                continue
            block = self._lines[-period:]
            size = sum(len(part.strip()) for part in block)
            if size >= (1 if period == 1 else _MIN_BLOCK):
                return self._starts[count - run]
        return None

    @property
    def doubtful(self) -> int | None:
        """Byte from which the lines may turn out to be a repetition."""
        run = max(self._runs)
        return self._starts[len(self._starts) - run] if run else None


def circles(line: bytes, seen: int = 0) -> int | None:
    """Return the length at which ``line`` has gone into a short loop, looking behind ``seen``."""
    first = max(_RUN, (seen // _STEP + 1) * _STEP)
    for length in range(first, len(line) + 1, _STEP):
        tail = line[length - _RUN : length]
        if any(tail[period:] == tail[:-period] for period in range(1, _SHORT + 1)):
            return length
    return None
