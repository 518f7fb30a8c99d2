"""What an editor, the protocol and Python each count or split in their own way."""

from __future__ import annotations

import random

PIECES = (
    "a", "word ", "😀", "é", "\t", "\x0c", "\u2028", "\x0b", "\x85", "日本", "👩‍👩‍👧", "(", "()", "",
)  # fmt: skip


def odd_text(chance: random.Random) -> str:
    """Up to five pieces of a line."""
    return "".join(chance.choice(PIECES) for _ in range(chance.randrange(6)))
