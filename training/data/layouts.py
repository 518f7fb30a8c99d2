"""How examples are laid out: what an example maker asks of a format, and Caret's own format.

Lives here: the interface and the layout of models that this pipeline trains from nothing. How
other families of models want their examples is :mod:`training.adapters.layout`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tokenizers import Tokenizer

from completion.errors import UsageError
from training.objectives.fim import Encode, Laid, front, psm_within, spm_within
from training.tokenizer import Sentinels, Spelled, sentinels_of

Files = Sequence[tuple[str, str]]
"""Path and text of each."""
Parts = tuple[str, str, str]
"""Prefix, middle, suffix."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """What stands before the text of an example."""

    path: str
    """Of the document itself; some families name it in every prompt."""
    ids: tuple[int, ...] = ()
    """Other files, at the family's place for them."""
    header: str = ""
    """The path's line, only behind other files."""
    opening: str = ""
    """What opens the prefix itself, for families without separators."""
    size: int = 0
    """Tokens that all of it takes, at most."""


class Layout(Protocol):
    """A format of examples, on one tokenizer."""

    @property
    def start(self) -> int:
        """The token that a text read by itself stands behind."""
        ...

    @property
    def end(self) -> int:
        """The token that ends a middle and a text."""
        ...

    @property
    def pad(self) -> int:
        """What fills a row; it carries no loss."""
        ...

    def ahead(self, repository: str, path: str, files: Files) -> Ahead:
        """Return what goes before a document when ``files`` are shown."""
        ...

    def before_text(self, ahead: Ahead) -> list[int]:
        """Return the ids in front of text that is read left to right."""
        ...

    def fim(self, parts: Parts, ahead: Ahead, *, limit: int, suffix_first: bool) -> Laid | None:
        """Return one example of at most ``limit`` tokens, ``None`` where the middle is too long.

        ``suffix_first`` asks for SPM; a family that has one order only keeps to it.
        """
        ...


class OwnLayout:
    """Qwen2.5-Coder's sentinels in Caret's snippet format: PSM, and SPM joined at the seam."""

    def __init__(self, encode: Encode, ids: Sentinels) -> None:
        self._encode, self.ids = encode, ids
        self.start = self.end = ids.end
        self.pad = ids.fim_pad

    def ahead(self, repository: str, path: str, files: Files) -> Ahead:
        """Return the files, each behind its separator, and the path; nothing without files."""
        if not files:
            return Ahead(path=path)
        ids = front(repository, path, files, self._encode, self.ids)
        return Ahead(path=path, ids=tuple(ids), size=len(ids))

    def before_text(self, ahead: Ahead) -> list[int]:
        """Return the files."""
        return list(ahead.ids)

    def fim(self, parts: Parts, ahead: Ahead, *, limit: int, suffix_first: bool) -> Laid | None:
        """Return :func:`spm_within` or :func:`psm_within` behind the files."""
        order = spm_within if suffix_first else psm_within
        laid = order(*parts, self._encode, self.ids, limit=limit - len(ahead.ids))
        return laid and behind(ahead.ids, laid)


def own_layout(tokenizer: Tokenizer | Spelled) -> OwnLayout:
    """Return Caret's own layout on a tokenizer that it trained.

    Raises:
        UsageError: the tokenizer lacks a sentinel.
    """
    if not isinstance(tokenizer, Tokenizer):
        raise UsageError("a base's tokenizer has its family's layout, not Caret's own; give --base")
    return OwnLayout(lambda text: tokenizer.encode(text).ids, sentinels_of(tokenizer))


def behind(ids: Sequence[int], laid: Laid) -> Laid:
    """Return ``laid`` with ``ids`` in front."""
    if not ids:
        return laid
    by = len(ids)
    moved = tuple(replace(s, first=s.first + by, last=s.last + by) for s in laid.stretches)
    return Laid([*ids, *laid.ids], moved)
