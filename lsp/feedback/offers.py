"""Suggestions that were offered lately: what an event means is known from here, and only so.

An editor says which suggestion it means by its id and number. Of one that is not known here nothing
is written down, so that nothing an editor sends can get into the store but numbers.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

from lsp.documents import Document
from lsp.feedback.region import Region, Regions

MOST_OFFERED = 64
"""Suggestions remembered that were not taken; their texts are held in memory and nowhere else."""
MOST_ACCEPTED = 64
"""Suggestions that were taken and are still to be measured."""

Key = tuple[str, int]
"""The completion's id and the candidate's number."""


@dataclass(kw_only=True, slots=True, eq=False)
class Offer:
    """One suggestion as it was sent to the editor."""

    key: Key
    language: str
    scope: str
    text: str
    """All that the item inserts, what it replaces before the cursor included."""
    typed: int
    """Characters at the start of ``text`` that stood before the cursor already."""
    head: str
    """Its line before the cursor."""
    tail: str
    """Its line after what it replaces."""
    document: weakref.ref[Document]
    region: Region
    accepted: int = 0
    """Characters of ``text`` that were accepted so far."""
    rest: str = ""
    """What the editor has now: ``text``, or after a part was taken what is left of it, offered anew."""
    rest_typed: int = 0
    """Characters at the start of ``rest`` that stand before the cursor already."""
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def offered_bytes(self) -> int:
        """Length of what is new in it, in UTF-8."""
        return len(self.text[self.typed :].encode("utf-8", "replace"))

    @property
    def is_whole(self) -> bool:
        """Whether all of it was accepted."""
        return self.accepted >= len(self.text)

    def length(self, of_rest: int) -> int:
        """Return how much of ``text`` is taken when ``of_rest`` characters of ``rest`` are."""
        begin = len(self.text) - (len(self.rest) - self.rest_typed)
        return min(len(self.text), begin + max(0, of_rest - self.rest_typed))

    @property
    def accepted_text(self) -> str:
        """What was accepted of it that was not there before."""
        return self.text[self.typed : self.accepted]


class Offers:
    """The last ones that were offered, and those accepted until they were measured for good."""

    def __init__(self) -> None:
        self._offered: OrderedDict[Key, Offer] = OrderedDict()
        self._accepted: OrderedDict[Key, Offer] = OrderedDict()
        self._regions: weakref.WeakKeyDictionary[Document, Regions] = weakref.WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._offered) + len(self._accepted)

    def region(self, document: Document, line: int) -> Region:
        """Begin to follow a line of ``document``."""
        regions = self._regions.get(document)
        if regions is None:
            regions = self._regions[document] = Regions()
            document.followers.append(regions)
        return regions.begin(line)

    def add(self, offer: Offer) -> None:
        """Remember ``offer``; where a part of it was taken already, it is the rest of that."""
        accepted = self._accepted.get(offer.key)
        if accepted is not None:
            if accepted.text.endswith(offer.text[offer.typed :]):
                accepted.rest, accepted.rest_typed = offer.text, offer.typed
            self._unfollow(offer)
            return
        before = self._offered.get(offer.key)
        if before is not None:
            self.forget(before)
        offer.rest, offer.rest_typed = offer.text, offer.typed
        self._offered[offer.key] = offer
        if len(self._offered) > MOST_OFFERED:
            self.forget(next(iter(self._offered.values())))

    def accept(self, offer: Offer) -> None:
        """Keep ``offer`` until it is forgotten."""
        self._offered.pop(offer.key, None)
        self._accepted[offer.key] = offer
        if len(self._accepted) > MOST_ACCEPTED:
            self.forget(next(iter(self._accepted.values())))

    def get(self, key: Key) -> Offer | None:
        """Return what was offered under ``key``; None: nothing, or it was long ago."""
        return self._accepted.get(key) or self._offered.get(key)

    def forget(self, offer: Offer) -> None:
        """Forget ``offer``, its text, and what was still to be measured of it."""
        for held in (self._offered, self._accepted):
            if held.get(offer.key) is offer:
                del held[offer.key]
        for timer in offer.timers:
            timer.cancel()
        self._unfollow(offer)

    def clear(self) -> None:
        """Forget all."""
        for offer in [*self._offered.values(), *self._accepted.values()]:
            self.forget(offer)

    def _unfollow(self, offer: Offer) -> None:
        document = offer.document()
        if document is not None and document in self._regions:
            self._regions[document].end(offer.region)
