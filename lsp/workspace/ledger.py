"""What was sent of each file, what of it is not acknowledged yet, and so what to send next. Pure."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from completion.wire import completion_pb2 as pb
from lsp.context.reading import UNKNOWN, Stamp
from lsp.workspace.edits import edit_between

WINDOW_CHANGES = 64
WINDOW_BYTES = 1 << 20
"""Changes and bytes that may wait for their acknowledgement; the last one may go over."""

KEPT_BYTES = 16 << 20
"""Most text that is kept of documents being edited; of others the whole text is sent again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The last change of one file."""

    version: int = 0
    """0: it is not known what the server has of it."""
    digest: bytes = b""
    stamp: Stamp = UNKNOWN
    edited: bool = False
    """It was an edit of what the server had."""
    refused: bool = False
    """The server has nothing of it, and will not take this text."""


class Refusal(Enum):
    """What a refusal says of a file."""

    OF_TEXT = "this text is not taken"
    OF_EDIT = "there is nothing to edit; of the text that says nothing"
    LET_GO = "it was taken, and had to go for another"
    OF_ANOTHER = "what was sent after it has an answer of its own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A file's text as it may be sent, and what there is to send of it."""

    data: bytes
    digest: bytes
    stamp: Stamp
    """Of the file it was read from; :data:`UNKNOWN` of a document."""
    base: int
    """Version of the text that ``edit`` is for; 0: there was none."""
    edit: pb.Edit | None
    keep: bool
    """It is being edited: the next change will be a small one."""


def compared(data: bytes, before: tuple[int, bytes] | None, stamp: Stamp, *, keep: bool) -> Text:
    """Return ``data`` with the edit that makes it of the text before. To be called in a thread."""
    base, edit = 0, None
    if before is not None:
        base, edit = before[0], edit_between(before[1], data)
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return Text(data=data, digest=digest, stamp=stamp, base=base, edit=edit, keep=keep)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    version: int
    path: str
    size: int


class Ledger:
    """One workspace's changes. Versions only go up, whatever the server forgets."""

    def __init__(self, workspace_id: str) -> None:
        self.workspace_id = workspace_id
        self.version = 0
        """Of the last change."""
        self._sent: dict[str, Sent] = {}
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0

    def paths(self) -> list[str]:
        """Return the files that the server has something of, or may have."""
        return list(self._sent)

    def sent(self, path: str) -> Sent | None:
        """Return the last change of a file."""
        return self._sent.get(path)

    def before(self, path: str) -> tuple[int, bytes] | None:
        """Return version and text of what the server has of a file, where an edit to it is possible."""
        sent, text = self._sent.get(path), self._kept.get(path)
        if sent is None or text is None or not sent.version or sent.refused:
            return None
        return sent.version, text

    @property
    def has_room(self) -> bool:
        """Whether one more change may be sent."""
        return len(self._waiting) < WINDOW_CHANGES and self._waiting_bytes < WINDOW_BYTES

    @property
    def is_settled(self) -> bool:
        """Whether all that was sent is acknowledged."""
        return not self._waiting

    def change(self, path: str, text: Text) -> pb.WorkspaceChange | None:
        """Return the change that brings the server to ``text``, now sent; None: it is there already.

        The edit is used where the server still has what it was made for.
        """
        last = self._sent.get(path)
        if last is not None and last.digest == text.digest and last.version:
            self._sent[path] = replace(last, stamp=text.stamp)
            if not last.refused:
                self._keep(path, text.data if text.keep else None)
            return None
        change = self._next(path)
        fits = last is not None and last.version == text.base and not last.refused
        if text.edit is not None and fits and len(text.edit.text) < len(text.data):
            change.base_version = text.base
            change.edits.append(text.edit)
        else:
            change.text = text.data
        self._sent[path] = Sent(
            version=change.version, digest=text.digest, stamp=text.stamp, edited=bool(change.edits)
        )
        self._keep(path, text.data if text.keep else None)
        self._wait_for(change)
        return change

    def removal(self, path: str) -> pb.WorkspaceChange | None:
        """Return the change that takes a file away, now sent; None: the server has nothing of it."""
        last = self._sent.pop(path, None)
        self._keep(path, None)
        if last is None or (last.refused and last.version):
            return None
        change = self._next(path)
        change.removed = True
        self._wait_for(change)
        return change

    def acknowledged(self, version: int) -> None:
        """Take notice that all changes up to ``version`` have arrived."""
        while self._waiting and self._waiting[0].version <= version:
            self._waiting_bytes -= self._waiting.popleft().size

    def refused(self, path: str, version: int) -> Refusal:
        """Take notice that, as of the change ``version``, the server has nothing of a file."""
        last = self._sent.get(path)
        if last is None or last.version > version:
            return Refusal.OF_ANOTHER
        self._keep(path, None)
        self._sent[path] = replace(last, edited=False, refused=True)
        if 0 < last.version < version:
            return Refusal.LET_GO
        return Refusal.OF_EDIT if last.edited else Refusal.OF_TEXT

    def send_again(self, path: str) -> None:
        """Let a file that was refused be sent once more."""
        self._doubt([path])

    def server_is_new(self) -> None:
        """Take notice that the server has nothing of this workspace."""
        self._sent.clear()
        self._kept.clear()
        self._kept_bytes = 0
        self._nothing_waits()

    def doubt_all(self) -> None:
        """Take notice that nobody knows what the server has: all is to be sent whole, or removed."""
        self._doubt([*self._sent, *(one.path for one in self._waiting)])
        self._nothing_waits()

    def doubt_waiting(self) -> None:
        """Take notice that what was not acknowledged may not have arrived."""
        self._doubt(one.path for one in self._waiting)
        self._nothing_waits()

    def _doubt(self, paths: Iterable[str]) -> None:
        for path in list(paths):
            self._sent[path] = Sent()
            self._keep(path, None)

    def _nothing_waits(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0

    def _next(self, path: str) -> pb.WorkspaceChange:
        self.version += 1
        return pb.WorkspaceChange(workspace_id=self.workspace_id, path=path, version=self.version)

    def _wait_for(self, change: pb.WorkspaceChange) -> None:
        one = _Waiting(version=change.version, path=change.path, size=change.ByteSize())
        self._waiting.append(one)
        self._waiting_bytes += one.size

    def _keep(self, path: str, text: bytes | None) -> None:
        self._kept_bytes -= len(self._kept.pop(path, b""))
        if text is not None:
            self._kept[path] = text
            self._kept_bytes += len(text)
        while self._kept_bytes > KEPT_BYTES:
            _, gone = self._kept.popitem(last=False)
            self._kept_bytes -= len(gone)
