"""What goes through the filters: a text with what it replaces, or the reason there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A candidate on its way through the filters; its line ends are ``\\n`` until the last one."""

    text: bytes
    replace_after: int = 0
    """Bytes of the suffix that the text takes the place of: closing brackets and quotes only."""
    generated: bytes = b""
    """All of the middle, with the line end behind it where the model wrote one."""
    met_suffix: bool = False
    """The model went on with what is behind the cursor: the text closes the gap to it."""

    @property
    def line_ended(self) -> bool:
        """The model ended the line that the text ends with."""
        size = len(self.text)
        return (
            self.generated.startswith(self.text)
            and self.generated[size:].lstrip(b" \t")[:1] == b"\n"
        )

    def with_text(self, text: bytes) -> Draft:
        """Return the draft with another text."""
        return self if text == self.text else replace(self, text=text)


@dataclass(frozen=True, slots=True)
class Declined:
    """There is no candidate; ``reason`` is one of :mod:`completion.filters.reasons`."""

    reason: str
