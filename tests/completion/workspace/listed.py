"""The workspace model as a plain list: slow, and plainly right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence


def followed(text: Sequence[int], context: Sequence[int]) -> list[int]:
    """Return where ``context`` stands in ``text`` with a token after it: that token's index."""
    size = len(context)
    return [
        at
        for at in range(size, len(text))
        if list(text[at - size : at]) == list(context) and text[at] != -1
    ]


def matched(
    files: Mapping[str, Sequence[int]], text: Sequence[int], longest: int, own: int
) -> tuple[int, dict[int, int]]:
    """Return the length of the longest suffix of ``text`` seen before, and what followed how often."""
    for length in range(min(longest, len(text)), 0, -1):
        context = text[len(text) - length :]
        if -1 in context:
            continue
        counts: Counter[int] = Counter()
        for at in followed(text, context):
            counts[text[at]] += own
        for file in files.values():
            for at in followed(file, context):
                counts[file[at]] += 1
        if counts:
            return length, dict(counts)
    return 0, {}
