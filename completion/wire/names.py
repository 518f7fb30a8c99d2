"""Names of files as the contract and a terminal have them: valid UTF-8, whatever the disk has."""

from __future__ import annotations


def as_utf8(name: str) -> str:
    """Return ``name`` with U+FFFD for each byte that is no UTF-8 (a lone surrogate, as Python has it).

    To be sent and shown; it opens no file.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
