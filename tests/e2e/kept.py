"""What an editor's session leaves outside of its workspace, logs, stores, caches: never a line of a text."""

from __future__ import annotations

from pathlib import Path

LEAST = 16
"""Characters of a line that is searched for: shorter ones stand anywhere by chance."""


class Kept:
    """Files and folders that are searched for lines of the texts that were open."""

    def __init__(self, *places: Path) -> None:
        self._places = places
        self._lines: set[bytes] = set()

    def opened(self, text: str | bytes) -> None:
        """Note a text that the editor has open."""
        data = text.encode() if isinstance(text, str) else text
        lines = (line.strip() for line in data.splitlines())
        self._lines |= {line for line in lines if len(line) >= LEAST and b" " in line}

    def assert_nothing(self) -> None:
        """Fail where a line is found; ends are left out: a line may have been cut."""
        for place in self._places:
            for path in [place, *place.rglob("*")]:
                if path.is_file():
                    data = path.read_bytes()
                    found = [line for line in self._lines if line[:LEAST] in data]
                    assert not found, f"{path} has text of a document"
