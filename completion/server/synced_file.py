"""One file that a client keeps in step: its bytes as the client has them, and their tokens.

An edit is encoded again only between the nearest places where the tokenizer always cuts; the tokens
are the same as those of the whole file encoded anew (a test says so).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from completion.prompt.encoder import TextEncoder
from completion.wire import completion_pb2 as pb

Ids = NDArray[np.int32]
Splice = tuple[int, int, Ids]
"""Index of the first token that goes, how many go, and what comes in their place."""


class BadEdit(ValueError):
    """An edit that does not fit the text it is said to be of."""


class FileEncoder:
    """Encodes whole files and edits of them, as prompts are encoded: a ``\\r\\n`` is a ``\\n``."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        spelled = encoder.vocabulary.token_bytes
        self._spell = encoder.vocabulary.bytes_of
        self._lengths = np.fromiter(map(len, spelled), np.int32, len(spelled))

    def encode(self, text: bytes) -> Ids:
        """Return the tokens of ``text``."""
        unix = text.replace(b"\r\n", b"\n")
        return np.array(self._encoder.encode(unix, remember=False), np.int32)

    def line_of(self, ids: Ids, index: int) -> int:
        """Return the line, from 1, on which the token ``index`` of ``ids`` begins to say something."""
        before = self._spell(ids[:index].tolist()) + self._spell(ids[index : index + 1].tolist())
        return before.rstrip().count(b"\n") + 1

    def splice(self, old: bytes, ids: Ids, new: bytes, before: int, after: int) -> Splice:
        """Return how ``ids`` of ``old`` become those of ``new``.

        ``before`` bytes at the front are the same in both, and ``after`` at the end.
        """
        if b"\r" in old or b"\r" in new:
            return 0, len(ids), self.encode(new)
        front = self._encoder.stable_bytes(new[:before])
        back = self._encoder.first_cut(old[len(old) - after :])
        back = len(old) if back is None else len(old) - after + back
        ends = np.cumsum(self._lengths[ids])
        start = int(np.searchsorted(ends, front)) + 1 if front else 0
        stop = int(np.searchsorted(ends, back)) + 1 if back else 0
        if (front and ends[start - 1] != front) or (back and ends[stop - 1] != back):
            return 0, len(ids), self.encode(new)  # a token spells another text than it stands for
        more = self.encode(new[front : back + len(new) - len(old)])
        return start, stop - start, more


class SyncedFile:
    """A file's bytes and its tokens."""

    __slots__ = ("_encoder", "ids", "text", "version")

    def __init__(self, encoder: FileEncoder, text: bytes, version: int) -> None:
        self._encoder = encoder
        self.text = text
        self.version = version
        self.ids: Ids = encoder.encode(text)

    @property
    def nbytes(self) -> int:
        """Memory taken, in bytes."""
        return len(self.text) + self.ids.nbytes

    def edit(self, edits: Iterable[pb.Edit], version: int) -> list[Splice]:
        """Apply ``edits`` in order, each to what the one before left, and return what they change.

        Raises:
            BadEdit: one reaches beyond the text; nothing is changed then.
        """
        text, ids = self.text, self.ids
        found: list[Splice] = []
        for edit in edits:
            if not edit.start <= edit.end <= len(text):
                raise BadEdit
            new = text[: edit.start] + edit.text + text[edit.end :]
            splice = self._encoder.splice(text, ids, new, edit.start, len(text) - edit.end)
            start, gone, more = splice
            ids = np.concatenate([ids[:start], more, ids[start + gone :]])
            text = new
            found.append(splice)
        self.text, self.ids, self.version = text, ids, version
        return found
