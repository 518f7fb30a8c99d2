"""Text of others as a terminal may have it: nothing in it moves the cursor, changes a title or hides.

Generated text, names of files and models, and what another process said are printed through here:
control characters (C0 and C1, of which escape sequences are made) and marks that turn the direction
of writing are shown as their codes instead.
"""

from __future__ import annotations

import re

_TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Marks of direction: text that reads otherwise than it runs (CVE-2021-42574)."""
_UNSEEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_TURNING}]")
_BREAKS = re.compile("[\n\t]")
_CRLF = re.compile(r"\r\n")


def shown(text: str) -> str:
    r"""Return ``text`` with what a terminal would act on as ``\x1b``; line ends and tabs stay."""
    if _UNSEEN.search(text) is None:
        return text
    return _UNSEEN.sub(_code, _CRLF.sub("\n", text))


def one_line(text: str) -> str:
    r"""Return ``text`` as :func:`shown`, line ends and tabs as ``\n`` and ``\t`` too."""
    return shown(_BREAKS.sub(lambda found: "\\n" if found[0] == "\n" else "\\t", text))


def shown_bytes(data: bytes) -> bytes:
    r"""Return what is :func:`shown` of text in UTF-8; bytes that are no UTF-8 as ``\xff``."""
    return shown(data.decode("utf-8", "backslashreplace")).encode()


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
