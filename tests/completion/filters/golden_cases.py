"""Reads the golden files: documents with the completion marked, and what is to become of it.

    ## what the case shows [crlf multi ...]
    foo(├a).b()┤)
    --- replaced                      or: unchanged, discard, a stop reason
    foo(├a).b()┤

The document is split at ├ and ┤ into prefix, completion and suffix. ⇥ is a tab, ␠ a space, ␍ a
carriage return, ␊ a line end, ‹c3› the byte C3; `crlf` writes every line end of prefix and suffix
as \\r\\n. `plain` and a language's name choose the language, `ended` says that the model went on in a
new line, `at-least-3` how many characters are worth showing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from completion.filters.cursor import Cursor, Lines
from completion.syntax.languages import LANGUAGES

FOLDER = Path(__file__).parent / "golden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    cursor: Cursor
    text: bytes
    verdict: str
    line_ended: bool
    expected: str
    """The document as it is to be, marked; empty with a verdict that says it all."""

    def marked(self, text: bytes, replaced: int = 0) -> str:
        show = self.cursor.prefix + "├".encode() + text + "┤".encode()
        return _shown(show + self.cursor.suffix[replaced:])

    @property
    def wanted(self) -> str:
        if self.verdict == "unchanged":
            return self.marked(self.text)
        return self.expected


def _real(text: str) -> str:
    for mark, char in (("⇥", "\t"), ("␠", " "), ("␍", "\r"), ("␊", "\n")):
        text = text.replace(mark, char)
    return re.sub(r"‹(..)›", lambda found: chr(0xDC00 + int(found[1], 16)), text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def load(name: str) -> list[Case]:
    """Read ``name``.txt; in a folder the file's name is that of the language, else it is Python."""
    found: list[Case] = []
    spoken = name.rpartition("/")[2] if "/" in name else "python"
    by_name = {known.name: known for known in LANGUAGES}
    language = by_name[spoken]
    for block in re.split(r"^## ", (FOLDER / f"{name}.txt").read_text(), flags=re.M)[1:]:
        title, _, body = block.partition("\n")
        title, _, options = title.partition(" [")
        flags = options.rstrip("]").split()
        document, verdict, expected = re.split(r"^--- (.*)\n", body.rstrip("\n") + "\n", flags=re.M)
        prefix, text, suffix = re.split("[├┤]", _real(document[:-1]))
        expected = _shown(_bytes(_real(expected[:-1])))
        if "crlf" in flags:
            prefix, suffix = prefix.replace("\n", "\r\n"), suffix.replace("\n", "\r\n")
            expected = expected.replace("\n", "\r\n")
        found.append(
            Case(
                name=title,
                cursor=Cursor(
                    prefix=_bytes(prefix),
                    suffix=_bytes(suffix),
                    language=None
                    if "plain" in flags
                    else next((by_name[flag] for flag in flags if flag in by_name), language),
                    lines=next((line for line in Lines if line.name.lower() in flags), Lines.AUTO),
                    eol=b"\r\n" if "crlf" in flags else b"\n",
                    least=sum(int(f[9:]) for f in flags if f.startswith("at-least-")),
                ),
                text=_bytes(text),
                verdict=verdict.strip(),
                line_ended="ended" in flags,
                expected=expected,
            )
        )
    return found
