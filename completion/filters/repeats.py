"""Finds text that goes in circles: a line, a block of lines, a short run inside one line."""

from __future__ import annotations

import re

MAX_PERIOD = 8
"""Lines of the longest block that is watched for."""
_MIN_BLOCK = 20
"""Bytes a repeated block has at least, blanks not counted; shorter ones are structure."""
_MAX_BLANK = 4
"""This many blank lines in a row are a loop; style guides know two."""
_STEP, _RUN = 32, 128
"""A line is looked at every ``_STEP`` bytes: its last ``_RUN`` bytes must not be one string of fewer
than ``_LONG`` bytes over and over. Longer than any ruler of dashes."""
_LONG, _LONGEST, _ROUNDS, _LEAST = 8, 32, 5, 80
"""A string of ``_LONG`` to ``_LONGEST`` bytes is no ruler: it loops at ``_ROUNDS`` rounds of together
``_LEAST`` bytes."""
_ALMOST = 5
"""So many lines in a row that are the one before them but for a mechanical change are a loop: tables
that people write by hand go on differently, and one that the document has begun is not watched."""
_GROWTH = 3
"""So many lines that grow by the same piece are one."""
_LONGEST_NUMBER = 18
"""Digits of a number that counts something."""
_DIGITS = re.compile(rb"[0-9]+")


class RepeatWatch:
    """Told each line once; says where the text has to be cut, and what is still in doubt."""

    def __init__(self, above: bytes = b"") -> None:
        """Start with no lines; ``above`` is the one before the cursor's.

        The first lines may go on as the document does: they are no repetition with it.
        """
        self._lines: list[bytes] = []
        self._starts: list[int] = []
        self._runs = [0] * (MAX_PERIOD + 1)
        self._blank = 0
        self._above = above
        self._counted = self._grown = 0
        self._step: int | None = None
        self._piece = b""

    def push(self, line: bytes, start: int) -> int | None:
        """Take the next line, which starts at byte ``start``; return where to cut, or ``None``.

        The first copy is kept. A line counts at its third time in a row, a block of two lines at
        its third, a longer one at its second. Trailing blanks make no difference. Of lines that
        change by counting or growing alone two are kept.
        """
        line = line.rstrip()
        self._lines.append(line)
        self._starts.append(start)
        self._blank = 0 if line else self._blank + 1
        count = len(self._lines)
        almost = self._push_almost(line)
        if almost is not None:
            return self._starts[count - almost]
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

    def _push_almost(self, line: bytes) -> int | None:
        """Compare ``line`` with the one before it; return how many lines at the end are a loop."""
        before = self._lines[-2] if len(self._lines) > 1 else self._above
        first = len(self._lines) == 1
        step = counted(before, line)
        same = step is not None and step == self._step
        self._step = step
        self._counted = 0 if step is None else self._counted + 1 if same else 1
        piece = grown(before, line)
        self._grown = 0 if not piece else self._grown + 1 if piece == self._piece else 1
        self._piece = piece
        if first:  # the document's own table goes on: its lines count for it
            self._counted = -1 << 30 if step is not None else 0
            self._grown = -1 << 30 if piece else 0
        if self._counted >= _ALMOST:
            return self._counted - 1
        return self._grown - 1 if self._grown >= _GROWTH else None

    @property
    def doubtful(self) -> int | None:
        """Byte from which the lines may turn out to be a repetition."""
        run = max(*self._runs, self._counted - 1, self._grown - 1)
        return self._starts[len(self._starts) - run] if run > 0 else None


def counted(before: bytes, line: bytes) -> int | None:
    """Return by how much numbers of ``line`` go up or down where it is ``before`` in all else.

    ``None``: it differs in another way, or its numbers go different ways.
    """
    if line == before or not line or _DIGITS.sub(b"0", line) != _DIGITS.sub(b"0", before):
        return None
    pairs = list(zip(_DIGITS.findall(before), _DIGITS.findall(line), strict=True))
    if any(max(len(old), len(new)) > _LONGEST_NUMBER for old, new in pairs):
        return None
    steps = {int(new) - int(old) for old, new in pairs} - {0}
    return steps.pop() if len(steps) == 1 else None


def grown(before: bytes, line: bytes) -> bytes:
    """Return the piece that ``line`` has more than ``before``, blanks alone left out."""
    more = len(line) - len(before)
    if more <= 0 or not before.strip():
        return b""
    low, high = (
        0,
        len(before),
    )  # the longest common start, by halves: slices compare at memory speed
    while low < high:
        half = (low + high + 1) // 2
        low, high = (half, high) if line.startswith(before[:half]) else (low, half - 1)
    if not line.endswith(before[low:]):
        return b""
    piece = line[low : low + more]
    return piece if piece.strip() else b""


def circles(line: bytes, seen: int = 0) -> int | None:
    """Return the length at which ``line`` has gone into a short loop, looking behind ``seen``."""
    first = max(_LEAST // _STEP, seen // _STEP + 1) * _STEP
    lengths = range(first, len(line) + 1, _STEP)
    return next((length for length in lengths if _period(line, length)), None)


def first_round(line: bytes, length: int) -> int:
    """Return where the first round ends of the loop that ``line`` is in at ``length``."""
    period = _period(line, length)
    start = length - period
    while period and start > 0 and line[start - 1] == line[start - 1 + period]:
        start -= 1
    return start + period


def _period(line: bytes, length: int) -> int:
    """Return how long the string is that ``line`` repeats up to ``length``; 0: it does not loop."""
    for period, run in _PERIODS:
        tail = line[length - run : length] if run <= length else b""
        if tail and tail[period:] == tail[:-period]:
            return period
    return 0


_PERIODS = tuple(
    (period, _RUN if period < _LONG else max(_LEAST, _ROUNDS * period))
    for period in range(1, _LONGEST + 1)
)
