"""A candidate that shows nothing is none."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Decline text that is empty or blank."""
    return draft if draft.text.strip() else Declined("filtered:blank")
