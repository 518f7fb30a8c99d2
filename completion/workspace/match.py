"""What followed where the end of a text was seen before: in the workspace, and earlier in the text.

The longest suffix that was seen decides, as in the cache and nested n-gram models of code
(Hellendoorn and Devanbu, ESEC/FSE 2017, section 3); nothing is smoothed here, that is for whoever
mixes it with a model's law.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from completion.workspace.log import MOST_VOCABULARY, REACH, START, Log
from completion.workspace.scan import Counts, Seen, scan, total
from completion.workspace.store import Place, Store
from completion.workspace.view import View


@dataclass(slots=True, eq=False)
class Match:
    """What followed the longest suffix that was seen before. Never changed."""

    length: int
    """Tokens of the suffix."""
    few: dict[int, float] | None
    """How often each id followed, where it was seen in few places: quicker to use than arrays."""
    many: Counts | None
    """The same where it was seen in many: ids, ascending, and how often each; estimates."""
    seen: float
    """All of it."""

    @property
    def ids(self) -> NDArray[np.int64]:
        """What followed, each id once, ascending, (n,)."""
        return np.array(sorted(self.few)) if self.few is not None else self._many[0]

    @property
    def weights(self) -> NDArray[np.float64]:
        """How often, (n,)."""
        if self.few is not None:
            return np.array([self.few[token] for token in sorted(self.few)])
        return self._many[1]

    @property
    def favourite(self) -> int:
        """What followed most often; of several the least id."""
        if self.few is not None:
            return min(self.few, key=lambda token: (-self.few[token], token))  # type: ignore[index]
        ids, weights = self._many
        return int(ids[weights.argmax()])

    @property
    def share(self) -> float:
        """Part of the favourite."""
        most = max(self.few.values()) if self.few is not None else float(self._many[1].max())
        return most / self.seen

    @property
    def _many(self) -> Counts:
        assert self.many is not None
        return self.many


class Matcher:
    """The end of a text that grows token by token, matched against what was seen before.

    ``view``: the workspace. ``before``: the text so far; what is no id of the vocabulary, such as
    -1, is a barrier that no match crosses. ``vocabulary``: ids are below it; the view's, where there
    is one. ``document_weight``:
    what a place in the text itself counts, one of the workspace counting 1. ``longest``: tokens of
    suffix that are looked at, 1 to 8.
    """

    def __init__(
        self,
        view: View | None,
        before: Sequence[int] | NDArray[np.int32] = (),
        *,
        vocabulary: int | None = None,
        document_weight: float = 2,
        longest: int = REACH,
    ) -> None:
        if not 1 <= longest <= REACH:
            raise ValueError(f"longest: 1 to {REACH}, not {longest}")
        self._view = view
        self._log = Log(
            view.vocabulary if view is not None else vocabulary or MOST_VOCABULARY,
            len(before) + 256,
        )
        self._weight = float(document_weight)
        self._longest = longest
        self._ends: set[int] = set()
        """Tokens that stood before a barrier."""
        self.extend(before)

    def __len__(self) -> int:
        """Return how many tokens the text has, barriers among them."""
        return self._log.stop - START

    def append(self, token: int) -> None:
        """Go on by a token."""
        self._log.append(token)
        text, stop = self._log.text, self._log.stop
        if text.cells[-stop] == text.barrier:
            self._ends.add(text.cells[1 - stop])

    def extend(self, ids: Iterable[int] | NDArray[np.int32]) -> None:
        """Go on by several tokens."""
        new = np.asarray(ids if isinstance(ids, (Sequence, np.ndarray)) else list(ids), np.int64)
        text = self._log.text
        sense = (new >= 0) & (new < self._log.vocabulary)
        start = self._log.stop
        self._log.extend(np.where(sense, new, text.barrier).astype(text.tokens.dtype))
        barriers = np.flatnonzero(~sense) + start
        self._ends.update(self._log.text.before(barriers, 1).tolist())

    def cut(self, length: int) -> None:
        """Go back to the first ``length`` tokens, ``before`` among them."""
        if not 0 <= length <= len(self):
            raise ValueError(f"length: 0 to {len(self)}, not {length}")
        self._log.stop = START + length

    def find(self) -> Match | None:
        """Return what followed the longest suffix of the text that was seen before, if any was."""
        own, others = self._seen()
        parts = [(other, 1.0) for other in others]
        if own is not None:
            parts.append((own, self._weight))
        if not parts:
            return None
        few, many = total(parts)
        if many is not None:
            return Match(parts[-1][0].length, None, many, float(many[1].sum()))
        return Match(parts[-1][0].length, few, None, sum(few.values()))

    def where(self, store: Store, token: int) -> Place | None:
        """Return a place in the workspace where ``token`` followed the longest suffix.

        ``None`` where it was only seen in the text itself, or that place is no longer there.
        """
        if self._view is None:
            return None
        for seen in self._seen()[1]:
            for entry in seen.entries if isinstance(seen.entries, list) else seen.entries.tolist():
                if self._view.text.cells[~entry] == token:
                    place = store.place(self._view, entry)
                    if place is not None:
                        return place
        return None

    def _seen(self) -> tuple[Seen | None, tuple[Seen, ...]]:
        """Return where the longest suffix was seen: in the text itself, and in the workspace."""
        text, stop, context = self._log.text, self._log.stop, self._context()
        if not context:
            return None, ()
        key = text.key(context)
        others = self._view.find(context, key) if self._view is not None else ()
        least = others[0].length if others else 1
        own = scan(text, START, stop, context, key, least, ends=self._ends)
        if own is not None and own.length > least:
            others = ()
        return own, others

    def _context(self) -> list[int]:
        """Return the end of the text, nearest token first, up to a barrier."""
        text, stop = self._log.text, self._log.stop
        context = text.cells[-stop : self._longest - stop].tolist()
        return context[: context.index(text.barrier)] if text.barrier in context else context
