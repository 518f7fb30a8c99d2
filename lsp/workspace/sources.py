"""The text of one file as it may be sent: of an open document, else from disk. For threads.

The same rules and the same masking as for what is sent as context: :mod:`lsp.context.reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsp.context import secrets
from lsp.context.ignore import Rules
from lsp.context.reading import Refused, Stamp, read_stamped, settled
from lsp.context.texts import one_line_end

LARGEST = 1 << 20
"""Most bytes of one file: what is longer was written by a program, and so was what is like it."""


class Changing(Exception):
    """The file was written while it was read."""


def of_document(rules: Rules, path: str, lines: Sequence[str], limit: int) -> bytes:
    """Return a document's text with its secrets masked, as UTF-8 with ``\\n`` as its line end.

    Args:
        rules: of its workspace folder.
        path: the file's, as the editor has it.
        lines: with their ends.
        limit: most bytes.

    Raises:
        Refused: it may not be sent, or it is empty.
    """
    text = "".join(lines)
    if reason := rules.allows(Path(path), 0):
        raise Refused(reason)
    if "\0" in text:
        raise Refused("binary")
    data = one_line_end(text.encode("utf-8", "replace"))
    return _bounded(secrets.masked(data, path), limit)


def of_file(rules: Rules, path: str, limit: int) -> tuple[bytes, Stamp]:
    """Return a file's text as :func:`of_document` does, and the stamp it can be known by.

    ``path`` is relative to the folder.

    Raises:
        Refused: it may not be sent, is no text, is empty, or is not there.
        Changing: it was written meanwhile; what was read may be half of this and half of that.
    """
    data, stamp = read_stamped(rules, rules.root / path)
    if stamp is None:
        raise Changing
    return _bounded(one_line_end(data), limit), settled(stamp)


def _bounded(data: bytes, limit: int) -> bytes:
    if not data:
        raise Refused("empty")
    if len(data) > limit:
        raise Refused("size")
    return data
