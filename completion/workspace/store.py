"""The tokens of a workspace's files, kept so that matches in them are found at once.

Tokens stand in one log that is only appended to. A file is a list of pieces of it, and an edit
appends what is new and the few tokens behind it whose context has changed. A sorted index covers
the log but for a short tail, which is searched as it is; :meth:`Store.merge` takes the tail in. This
is a log-structured merge tree (O'Neil and others, Acta Informatica 33(4), 1996) of two levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from completion.workspace import bits as bit_set
from completion.workspace import index
from completion.workspace.log import MOST_VOCABULARY, REACH, Log, Tokens
from completion.workspace.merge import Merge
from completion.workspace.pieces import Pieces, pieces
from completion.workspace.view import View

Ids = Sequence[int] | NDArray[np.integer]

_TAIL = 8192
"""Tokens outside the index from which on a merge is due: searching so many takes microseconds."""
_MOST_PIECES = 512
"""Pieces of a file from which on the log is to be written anew: an edit goes through them all."""
_MOST_VIEWS = 4
"""Snapshots of one version that are kept, as what was found in them is: a request often has the file
left out that the one before it had."""
_SMALL = 32
"""Tokens up to which a piece beside an edit is written again with it, so that they stay few."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a file that was put or edited."""

    kept: int
    """Tokens of the file that the store holds now."""
    dropped: tuple[str, ...] = ()
    """Other files that had to go, oldest first."""
    refused: str = ""
    """Why the file is not kept; empty where it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """A token of a file."""

    path: str
    index: int
    """How many tokens of the file stand before it."""


class Store:
    """Files of one workspace as token ids.

    ``vocabulary``: ids are below it. ``most_tokens``: of all files; past it those go that were put
    or edited the longest ago. ``most_file_tokens``: a larger file is not kept at all. Not to be
    changed by two threads at once.
    """

    def __init__(
        self, vocabulary: int, *, most_tokens: int = 2_000_000, most_file_tokens: int = 250_000
    ) -> None:
        if not 0 < vocabulary <= MOST_VOCABULARY:
            raise ValueError(f"vocabulary: 1 to {MOST_VOCABULARY}, not {vocabulary}")
        self.vocabulary = vocabulary
        self.most_tokens = most_tokens
        self.most_file_tokens = min(most_file_tokens, most_tokens)
        self.version = 0
        """Goes up with each change of what files hold."""
        self.refused = 0
        """Files refused so far."""
        self.dropped = 0
        """Files dropped so far to make room."""
        self._epoch = 0
        self._files: dict[str, Pieces] = {}
        self._reset()

    def _reset(self) -> None:
        """Begin a log with nothing in it."""
        self._log = Log(self.vocabulary)
        self._padding = np.array([self._log.text.barrier], self._log.text.tokens.dtype)
        self._live = bit_set.empty(self._log.stop)
        self._index = index.nothing(self._log.text, self._log.stop)
        self._tokens = 0
        self._crowded = False
        self._epoch += 1
        self._merging: Merge | None = None
        self._killed: list[tuple[int, int]] = []
        self._views: dict[str | None, View] = {}

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, the one that was put or edited the longest ago first."""
        return tuple(self._files)

    def __contains__(self, path: str) -> bool:
        """Return whether it has a file of that name."""
        return path in self._files

    @property
    def tokens(self) -> int:
        """Tokens of all files."""
        return self._tokens

    @property
    def nbytes(self) -> int:
        """Bytes of memory for tokens and index, without the names of files."""
        return len(self._log.text.raw) + self._live.nbytes + self._index.nbytes

    def read(self, path: str) -> NDArray[np.int64]:
        """Return the tokens of a file, (n,); ``KeyError`` where there is none of that name."""
        file = self._files[path]
        return self._text(file, 0, file.total).astype(np.int64)

    def put(self, path: str, ids: Ids) -> Change:
        """Take a whole file, new or in place of what was there; ``ValueError`` for a wrong id."""
        new = self._checked(ids)
        if (reason := self._refusal(len(new))) is not None:
            return self._refuse(path, reason)
        file = self._files.get(path)
        if file is None:
            self._files[path] = Pieces()
            self.version += 1
            return self._edit(path, 0, 0, new)
        old = self._text(file, 0, file.total)
        shared = min(len(old), len(new))
        start = _first(old[:shared] != new[:shared], shared)
        rest = shared - start
        end = _first(old[len(old) - rest :][::-1] != new[len(new) - rest :][::-1], rest)
        return self._edit(path, start, len(old) - end - start, new[start : len(new) - end])

    def splice(self, path: str, start: int, removed: int, ids: Ids) -> Change:
        """Put ``ids`` in place of ``removed`` tokens of a file from ``start`` on.

        ``KeyError`` where there is no file of that name; ``ValueError`` for a range outside of it or
        a wrong id.
        """
        file = self._files[path]
        if start < 0 or removed < 0 or start + removed > file.total:
            raise ValueError(f"tokens {start} to {start + removed} of a file of {file.total}")
        new = self._checked(ids)
        if (reason := self._refusal(file.total - removed + len(new))) is not None:
            return self._refuse(path, reason)
        return self._edit(path, start, removed, new)

    def remove(self, path: str) -> None:
        """Forget a file; nothing happens where there is none of that name."""
        file = self._files.pop(path, None)
        if file is None:
            return
        self.version += 1
        self._kill(file, 0, file.total)
        if not self._tokens:
            self._reset()

    def clear(self) -> None:
        """Forget everything."""
        if self._files:
            self.version += 1
            self._files.clear()
        self._reset()

    def view(self, without: str | None = None) -> View:
        """Return a snapshot, with one file left out where it is the document that is open."""
        if self._views and next(iter(self._views.values())).version != self.version:
            self._views.clear()
        file = self._files.get(without) if without is not None else None
        if file is None or not file.total:
            without = None
        if (view := self._views.get(without)) is not None:
            return view
        live = self._live[: (self._log.stop + 7) // 8].copy()
        if file is not None:
            for start, size in zip(file.starts, file.sizes, strict=True):
                bit_set.discard(live, start, start + size)
        if len(self._views) == _MOST_VIEWS:
            del self._views[next(iter(self._views))]
        self._views[without] = view = View(
            self._log.text,
            self._log.stop,
            self._index,
            live,
            self.vocabulary,
            self.version,
            self._epoch,
        )
        return view

    def place(self, view: View, entry: int) -> Place | None:
        """Return where an entry of a view's is now.

        ``None`` where it is no longer in a file, or the log was written anew since.
        """
        if view.epoch != self._epoch:
            return None
        for path, file in self._files.items():
            before = 0
            for start, size in zip(file.starts, file.sizes, strict=True):
                if start <= entry < start + size:
                    return Place(path, before + entry - start)
                before += size
        return None

    @property
    def merge_due(self) -> bool:
        """Whether look-ups or edits are slower, or memory is larger, than after a merge."""
        return self._merging is None and (
            self._log.stop - self._index.stop >= _TAIL or self._crowded or self._wasteful
        )

    @property
    def merged(self) -> bool:
        """Whether the index covers all there is, however it came in."""
        return self._index.stop == self._log.stop

    @property
    def _wasteful(self) -> bool:
        dead = self._log.stop - self._tokens - len(self._files)
        return dead > _TAIL and 4 * dead > self._log.stop

    def merge(self) -> None:
        """Take all there is into the index; some 200 ms for a million tokens."""
        merge = self.begin_merge()
        merge.run()
        self.end_merge(merge)

    def begin_merge(self) -> Merge:
        """Return a merge to be run, in another thread as well; one begun earlier is void."""
        compact = self._crowded or self._wasteful
        view = self.view()
        self._killed = []
        self._merging = Merge(
            self._log.text,
            self._log.stop,
            view.live,
            self.vocabulary,
            self._files.copy() if compact else {},
            compact,
        )
        return self._merging

    def end_merge(self, merge: Merge) -> None:
        """Take a merge's result; nothing changes where it is void, or has failed."""
        if merge is not self._merging:
            return
        self._merging = None
        if merge.index is None:
            return
        self._views.clear()
        if merge.written is not None:
            self._move(merge, merge.written)
        self._index = merge.index

    def _move(self, merge: Merge, written: Log) -> None:
        """Go on with the log that the merge wrote, and what came after it began."""
        shift = written.stop - merge.begun

        def place(position: int) -> int:
            return position + shift if position >= merge.begun else merge.place(position)

        if self._log.stop > merge.begun:
            written.extend(self._log.text.between(merge.begun, self._log.stop))
        self._log = written
        self._live = bit_set.empty(len(written.text.tokens))
        self._live[: len(merge.live)] = merge.live
        self._crowded = False
        self._epoch += 1
        for start, end in self._killed:
            if start < merge.begun:
                new = place(start)
                bit_set.discard(self._live, new, new + end - start)
        for path, file in self._files.items():
            if file is merge.files.get(path):
                self._files[path] = merge.moved.get(path, file)
                continue
            spans = [(place(at), size) for at, size in zip(file.starts, file.sizes, strict=True)]
            self._files[path] = pieces(spans)
            for start, size in spans:
                bit_set.add(self._live, start, start + size)

    def _checked(self, ids: Ids) -> Tokens:
        new = ids if isinstance(ids, np.ndarray) else np.asarray(ids, np.int64)
        if new.dtype.kind not in "iu":
            raise ValueError(f"ids: whole numbers, not {new.dtype}")
        if new.ndim != 1:
            raise ValueError(f"ids: one dimension, not {new.ndim}")
        if len(new) and (int(new.min()) < 0 or int(new.max()) >= self.vocabulary):
            raise ValueError(f"ids: 0 to {self.vocabulary - 1}")
        return new.astype(self._padding.dtype)

    def _refusal(self, size: int) -> str | None:
        if size <= self.most_file_tokens:
            return None
        return f"{size} tokens; a file may have {self.most_file_tokens}"

    def _refuse(self, path: str, reason: str) -> Change:
        self.remove(path)
        self.refused += 1
        return Change(0, (), reason)

    def _edit(self, path: str, start: int, removed: int, new: Tokens) -> Change:
        """Put ``new`` in place of a file's tokens, make the file the newest, and make room."""
        if self._log.stop > 2 * self.most_tokens and self._wasteful:
            self.merge()  # nobody did when it was due
        file = self._files.pop(path)
        if removed or len(new):
            self.version += 1
            file = self._spliced(file, start, removed, new)
        self._files[path] = file
        if not self._tokens:
            self._reset()
        dropped: list[str] = []
        while self._tokens > self.most_tokens:
            oldest = next(iter(self._files))
            self.remove(oldest)
            dropped.append(oldest)
        self.dropped += len(dropped)
        return Change(file.total, tuple(dropped))

    def _spliced(self, file: Pieces, start: int, removed: int, new: Tokens) -> Pieces:
        spans = file.between(0, start)
        if spans and spans[-1][1] <= _SMALL:
            size = spans.pop()[1]
            new = np.concatenate((self._text(file, start - size, start), new))
            start, removed = start - size, removed + size
        end = start + removed
        behind = min(end + REACH, file.total)  # up to here the context of what stays is another
        context = self._text(file, max(0, start - REACH), start)
        fresh = np.concatenate((new, self._text(file, end, behind)))
        self._kill(file, start, behind)
        if len(fresh):
            at = self._append(context, fresh)
            bit_set.add(self._live, at, at + len(fresh))
            self._tokens += len(fresh)
            spans.append((at, len(fresh)))
        result = pieces(spans + file.between(behind, file.total))
        self._crowded |= len(result.starts) > _MOST_PIECES
        return result

    def _append(self, context: Tokens, fresh: Tokens) -> int:
        """Write tokens with what stands before them in their file; return where they begin."""
        self._log.extend(self._padding, context, fresh)
        if self._log.stop > 8 * len(self._live):
            live = bit_set.empty(len(self._log.text.tokens))
            live[: len(self._live)] = self._live
            self._live = live
        return self._log.stop - len(fresh)

    def _text(self, file: Pieces, start: int, stop: int) -> Tokens:
        text = self._log.text
        parts = [text.between(at, at + size) for at, size in file.between(start, stop)]
        return np.concatenate(parts) if parts else text.tokens[:0]

    def _kill(self, file: Pieces, start: int, stop: int) -> None:
        for at, size in file.between(start, stop):
            bit_set.discard(self._live, at, at + size)
            self._tokens -= size
            if self._merging is not None:
                self._killed.append((at, at + size))


def _first(differs: NDArray[np.bool_], size: int) -> int:
    """Return how many of ``size`` tokens are alike before the first that differs."""
    at = int(differs.argmax()) if size else 0
    return at if size and differs[at] else size
