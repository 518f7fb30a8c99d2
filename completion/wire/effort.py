"""How much of the probability ``Score`` may leave out: said in a call's metadata, beside the contract.

A service that does not know of it answers all the same, only later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FOR_RANKING = (("caret-effort", "ranking"),)
"""Metadata of a caller that orders the texts, and needs no figure more exact than that takes."""


def is_for_ranking(metadata: Iterable[Any] | None) -> bool:
    """Tell whether a call came with :data:`FOR_RANKING`."""
    return any(tuple(entry) in FOR_RANKING for entry in metadata or ())
