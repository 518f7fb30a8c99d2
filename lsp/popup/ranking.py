"""The order of a list: the model's, static analysis's, or both. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from lsp.popup.names import Match, Name

LOG_TYPED = {Match.PREFIX: 0.0, Match.CASE: math.log(0.3), Match.FUZZY: math.log(0.03)}
"""Log of how often a name is begun so, given that it is meant: people mostly type a name's own first
letters. Chosen, not fitted; a name that agrees worse has to be that many times likelier."""

Matched = Sequence[tuple[Name, Match]]


def ranked(
    matched: Matched,
    log_probs: Mapping[str, float],
    log_weight: Callable[[Name], float] = lambda name: 0.0,
) -> list[Name]:
    """Return the names, best first.

    ``log_probs`` has the log-probabilities that are known, by name. Names without one come behind
    all that have one, in the order of static analysis: those that agree better with what is typed
    first, otherwise as they came.
    """

    def key(entry: tuple[Name, Match]) -> tuple[bool, float]:
        name, how = entry
        log_prob = log_probs.get(name.text)
        if log_prob is None:
            return True, float(how)
        return False, -(log_prob + log_weight(name) + LOG_TYPED[how])

    return [name for name, _ in sorted(matched, key=key)]


def agreeing(order: Sequence[Name], shown: str) -> list[Name]:
    """Return the names with the one first that ghost text says, if it says one of them whole.

    ``shown``: the word as typed and the ghost text behind it. An editor that chooses the first name
    by itself (VS Code) takes ghost text away that says another.
    """

    def says(name: Name) -> bool:
        rest = shown[len(name.text) :]
        return shown.startswith(name.text) and not (rest and f"_{rest[0]}".isidentifier())

    return sorted(order, key=lambda name: not says(name))


def promising(matched: Matched, near: Mapping[str, int]) -> list[str]:
    """Return the texts in the order in which the model is asked: the likeliest few, without it.

    What agrees best comes first; in that what the document uses, ``near`` saying how near, then
    what it declares, then what is not private.
    """
    far = len(near)

    def key(entry: tuple[Name, Match]) -> tuple[int, int, bool, bool]:
        name, how = entry
        return how, near.get(name.text, far), not name.scope, name.text.startswith("_")

    return [name.text for name, _ in sorted(matched, key=key)]
