"""The workspaces that an engine core holds, each apart from the others, and what requests see of them.

A request sees one state of one workspace from its first step to its last: the *view* that its
:class:`Mixing` names. The service names views and says with each change which of them are in use;
one that is not kept is made anew from the store as it is, which is then what it names.

It runs in the engine core's process, between two steps of the model: what takes longer than a few
milliseconds goes in slices (fitting) or runs in a thread (merging) and is taken in with a later call.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from completion.workspace.fit import Fit
from completion.workspace.leave_one_out import LeaveOneOut
from completion.workspace.match import Matcher
from completion.workspace.merge import Merge
from completion.workspace.request import Mixing, runs_on
from completion.workspace.store import Store, View

_log = logging.getLogger("caret.workspace")

LONGEST = 8
"""Tokens of the longest suffix that is looked for."""
DOCUMENT_WEIGHT = 2.0
"""What a place in the open document counts; one in another file counts 1."""
SLICE_S = 0.005
"""How long a workspace is fitted between two steps of the model."""
MOST_VIEWS = 64
"""Views of one workspace that nobody keeps, before the oldest is let go."""


class Seen(NamedTuple):
    """What a request sees of its workspace."""

    view: View | None
    """``None``: nothing but its own document."""
    fit: Fit


@dataclass(slots=True)
class _Held:
    """One workspace."""

    store: Store
    fit: Fit
    views: dict[tuple[str, str], Seen] = field(default_factory=dict[tuple[str, str], Seen])
    """By name and path: requests in two files that see one state do not see the same files."""
    fitting: LeaveOneOut | None = None
    merging: _Merging | None = None
    whole: bool = False
    """Whether the last merge was for a fit, which waits for one such and no more."""


class Workspaces:
    """All of them, by their ids.

    Messages come and go as plain values (lists, dicts, strings, numbers, bytes), so that they pass
    between processes.
    """

    def __init__(
        self, vocabulary: int, fit: Fit, *, most_tokens: int, most_file_tokens: int
    ) -> None:
        """Take the number of ids, and what stands for a fit until a workspace has one of its own."""
        self._vocabulary = vocabulary
        self._fit = fit
        self.nothing = Seen(None, fit)
        """What a request sees that names no workspace."""
        self._most_tokens, self._most_file_tokens = most_tokens, most_file_tokens
        self._held: dict[str, _Held] = {}

    def __contains__(self, workspace: str) -> bool:
        """Return whether it is held."""
        return workspace in self._held

    def change(
        self, workspace: str, keep: Sequence[Sequence[str]], changes: Sequence[Sequence[Any]]
    ) -> dict[str, Any]:
        """Apply ``changes`` in order, and return the state afterwards.

        ``keep``: name and path of the views that running requests see; the others are let go.
        A change is ``["put", path, ids]``, ``["splice", path, start, removed, ids]`` or
        ``["remove", path]``; ids are the bytes of an array of 32-bit integers.
        Returned: ``tokens``, ``nbytes``, ``files``; ``dropped``: paths that had to go for others;
        ``refused``: ``[path, reason]`` of files that were not taken.
        """
        held = self._held.get(workspace)
        if held is None:
            store = Store(
                self._vocabulary,
                most_tokens=self._most_tokens,
                most_file_tokens=self._most_file_tokens,
            )
            held = self._held[workspace] = _Held(store, self._fit)
        held.views = {(name, path): self._see(held, name, path) for name, path in keep}
        dropped: list[str] = []
        refused: list[list[str]] = []
        for what, path, *rest in changes:
            if what == "remove":
                held.store.remove(path)
                continue
            ids = np.frombuffer(rest[-1], np.int32)
            if what == "put":
                done = held.store.put(path, ids)
            elif path not in held.store:  # one before it took its place
                continue
            else:
                done = held.store.splice(path, rest[0], rest[1], ids)
            dropped += done.dropped
            if done.refused:
                refused.append([path, done.refused])
        self._merge(held)
        dropped = [path for path in dict.fromkeys(dropped) if path not in held.store]
        return {**self._state(held), "dropped": dropped, "refused": refused}

    def close(self, workspace: str) -> None:
        """Forget a workspace; requests that see it go on without it."""
        self._held.pop(workspace, None)

    def fit(self, workspace: str) -> str:
        """Fit the workspace's own table for :data:`SLICE_S`; call until it says ``ready``.

        The first call begins. ``busy``: not yet; ``ready``: :meth:`adopt` takes it.
        """
        held = self._held.get(workspace)
        if held is None:
            return "ready"
        if held.fitting is None:
            self._merge(held, wholly=not held.whole)
            if held.merging is not None:
                return "busy"
            held.whole = False
            held.fitting = LeaveOneOut(held.store, self._fit)
        return "ready" if held.fitting.step(SLICE_S) else "busy"

    def adopt(self, workspace: str, keep: Sequence[Sequence[str]]) -> None:
        """Let views that are made from now on have the fit that is ready; ``keep`` as above."""
        held = self._held.get(workspace)
        if held is None or held.fitting is None:
            return
        held.views = {(name, path): self._see(held, name, path) for name, path in keep}
        held.fit, held.fitting = held.fitting.fit, None

    def see(self, mixing: Mixing) -> Seen | None:
        """Return what a request sees; ``None`` where the workspace is not held."""
        held = self._held.get(mixing.workspace)
        return None if held is None else self._see(held, mixing.view, mixing.path)

    def matcher(self, seen: Seen, document: NDArray[np.int32]) -> Matcher:
        """Return a matcher behind ``document``, with the fit's longest match and weight."""
        return Matcher(
            seen.view,
            document,
            vocabulary=self._vocabulary,
            document_weight=DOCUMENT_WEIGHT,
            longest=LONGEST,
        )

    def sources(
        self, mixing: Mixing, ids: Sequence[int], ends: Sequence[int]
    ) -> list[dict[str, Any] | None]:
        """Return what is mixed in behind the first ``end`` of ``ids``, for each of ``ends``.

        ``None`` where nothing matches, else ``length``, ``ids``, ``weights``, ``seen``, ``share`` of
        the match, ``terms`` of the fit, and ``path`` and ``index``: a file and the token in it where the
        next of ``ids`` followed; an empty path where that was in the document itself, or nowhere.
        """
        seen = self.see(mixing)
        if seen is None:
            return [None] * len(ends)
        store, after = self._held[mixing.workspace].store, mixing.after(ids)
        found: list[dict[str, Any] | None] = []
        for end in ends:
            matcher = self.matcher(seen, mixing.document(ids, end))
            match = matcher.find()
            if match is None or runs_on(ids[mixing.base : end], after):
                found.append(None)
                continue
            place = matcher.where(store, ids[end]) if end < len(ids) else None
            found.append(
                {
                    "length": match.length,
                    "ids": [int(i) for i in match.ids],
                    "weights": [float(w) for w in match.weights],
                    "seen": float(match.seen),
                    "share": float(match.share),
                    "terms": list(seen.fit.terms(match.length, match.share, match.seen)),
                    "path": "" if place is None else place.path,
                    "index": 0 if place is None else place.index,
                }
            )
        return found

    def state(self, workspace: str) -> dict[str, Any] | None:
        """Return ``tokens``, ``nbytes`` and ``files`` of a workspace that is held."""
        held = self._held.get(workspace)
        return None if held is None else self._state(held)

    def _see(self, held: _Held, name: str, path: str) -> Seen:
        seen = held.views.get((name, path))
        if seen is None:
            while len(held.views) >= MOST_VIEWS:
                held.views.pop(next(iter(held.views)))
            seen = held.views[name, path] = Seen(held.store.view(without=path), held.fit)
        return seen

    def _state(self, held: _Held) -> dict[str, Any]:
        store = held.store
        return {"tokens": store.tokens, "nbytes": store.nbytes, "files": len(store.paths)}

    def _merge(self, held: _Held, *, wholly: bool = False) -> None:
        """Take in a merge that is done; begin one that is due.

        ``wholly``: or that leaves nothing outside the index. Of a frequent suffix some places are looked at,
        and which they are is then a matter of the files, and of the order in which they came, but not of
        when earlier merges ran.
        """
        if held.merging is not None and not held.merging.running:
            merging, held.merging = held.merging, None
            if merging.error is not None:  # what it would have taken in is found without it, slower
                _log.warning("a merge failed: %s", type(merging.error).__name__)
            held.store.end_merge(merging.merge)
        due = held.store.merge_due or (wholly and not held.store.merged)
        if held.merging is None and due:
            held.whole = wholly
            merge = held.store.begin_merge()
            try:
                held.merging = _Merging(merge)
            except RuntimeError:  # no thread to be had
                held.store.end_merge(merge)


def call(workspaces: Workspaces, method: str, *words: Any) -> Any:
    """Call a method by its name; a message over a wire may name no others."""
    match method:
        case "change":
            return workspaces.change(*words)
        case "close":
            return workspaces.close(*words)
        case "fit":
            return workspaces.fit(*words)
        case "adopt":
            return workspaces.adopt(*words)
        case "sources":
            mixing, ids, ends = words
            return workspaces.sources(Mixing.from_words(mixing), ids, ends)
        case _:
            raise ValueError(f"workspaces have no {method}")


class _Merging:
    """A merge in a thread of low priority."""

    def __init__(self, merge: Merge) -> None:
        self.merge = merge
        self.error: BaseException | None = None
        """Why it failed."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        _yield_to_others()
        try:
            self.merge.run()
        except BaseException as error:  # told where the result is wanted
            self.error = error

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()


def _yield_to_others() -> None:
    """Give this thread the lowest priority where threads have one of their own (Linux)."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
