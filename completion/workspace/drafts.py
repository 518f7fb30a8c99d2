"""How a text may go on: tokens that the model is then asked about all at once, instead of one by one.

Speculative decoding (Leviathan et al., arXiv 2211.17192) with the workspace and the document as the
draft: the favourite behind the longest match, then the favourite behind that, as prompt look-up does
it with one match. What is proposed changes no law; how much is worth proposing is what the fit says
of how often such a favourite was right. It knows matches and rates, no engine and no text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from completion.workspace.match import Match

LEAST_CHANCE = 0.12
"""A token is proposed while it and those before it are all right at least so often: beside a step of
overheads, a row of a small model costs little."""
A_REQUEST = 0.02
"""So much more for each further request of the step, which share its overheads."""
MOST_CHANCE = 0.4


class Rates(Protocol):
    """What says how often the favourite of a match was right: a ``Fit``."""

    def rate(self, length: int, share: float, seen: float) -> float:
        """Return λ of a match."""
        ...


def least_chance(requests: int) -> float:
    """Return how likely a draft has to be right where so many ``requests`` are decoded together."""
    return min(MOST_CHANCE, LEAST_CHANCE + A_REQUEST * (requests - 1))


def propose(
    behind: Callable[[list[int]], Match | None], rates: Rates, most: int, least: float
) -> list[int]:
    """Return at most ``most`` tokens that may come next, in order.

    ``behind`` returns what matches behind the text and the tokens it is given; ``least``: how likely
    they have to be right, all of them.
    """
    drafts: list[int] = []
    chance = 1.0
    while len(drafts) < most:
        match = behind(drafts)
        if match is None:
            break
        chance *= rates.rate(match.length, match.share, match.seen)
        if chance < least:
            break
        drafts.append(match.favourite)
    return drafts
