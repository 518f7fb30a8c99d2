"""HTML from values, so that no text of a model can become markup: all of it is escaped here.

A :class:`Html` is markup that is ready. Any other string is text, and escaped where it is put in.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""Controls, marks that turn the order of letters round, and lone surrogates: no HTML text may hold
the first and the last, and a reader of code must see the others."""
_VOID = frozenset(("meta", "br", "hr"))


class Html(str):
    """Markup that is ready to be put into a page."""

    __slots__ = ()


def text(value: str) -> Html:
    """Return ``value`` escaped, for an element or an attribute."""
    return Html(html.escape(visible(value), quote=True))


def visible(value: str) -> str:
    """Return ``value`` with what cannot be seen or encoded written out as an escape."""
    return _UNSEEN.sub(_written, value)


def element(
    tag: str, *children: str | None, attributes: dict[str, str] | None = None, kind: str = ""
) -> Html:
    """Return an element. ``kind`` is its class; a child that is ``None`` is left out."""
    named = ({"class": kind} if kind else {}) | (attributes or {})
    words = "".join(f' {name}="{text(value)}"' for name, value in named.items())
    if tag in _VOID:
        return Html(f"<{tag}{words}>")
    return Html(f"<{tag}{words}>{join(children)}</{tag}>")


def join(parts: Iterable[str | None], between: str = "") -> Html:
    """Return the parts one behind the other; what is not :class:`Html` is escaped."""
    ready = (part if isinstance(part, Html) else text(part) for part in parts if part is not None)
    return Html(text(between).join(ready))


def table(head: Sequence[str], rows: Iterable[Html], *, kind: str = "", caption: str = "") -> Html:
    """Return a table in a box of its own that scrolls where the screen is narrow."""
    cells = [element("th", title, attributes={"scope": "col"}) for title in head]
    return element(
        "div",
        element(
            "table",
            element("caption", caption) if caption else None,
            element("thead", element("tr", *cells)),
            element("tbody", *rows),
            kind=kind,
        ),
        kind="scroll",
        attributes={"tabindex": "0"},
    )


def row(*cells: str, kind: str = "") -> Html:
    """Return a row of a table; its first cell is its heading."""
    first, *others = cells
    heading = element("th", first, attributes={"scope": "row"})
    return element("tr", heading, *(element("td", cell) for cell in others), kind=kind)


def _written(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as `eval.item.to_text` keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
