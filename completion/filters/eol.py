"""The answer uses the document's own line end everywhere, whatever mixture the model wrote.

A cursor between the two bytes of a line end counts as before it. New lines can be put there: the
first byte of the line end that begins them and the second of the one that ends them are in the
document already. More text for the cursor's line cannot.
"""

from __future__ import annotations

import re

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft

_RETURNS = re.compile(rb"\r+")


def unify(text: bytes) -> bytes:
    """Return ``text`` with ``\\n`` as its only line end; a carriage return alone is dropped."""
    return _RETURNS.sub(b"", text)


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Write every line end as the document does. The last filter: the others see ``\\n``."""
    text = unify(draft.text)
    if cursor.inside_line_end:
        if not text.startswith(b"\n"):
            return Declined("filtered:eol")
        text = b"\n" + text[1:].replace(b"\n", cursor.eol) + b"\r"
    elif cursor.eol != b"\n":
        text = text.replace(b"\n", cursor.eol)
    return draft.with_text(text)
