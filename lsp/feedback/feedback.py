"""What became of each suggestion, noted as the editor tells it: from the event loop only.

What is shown and taken is the editor's word; how much of it stays is measured in the document, 30, 90,
180 and 360 s after. Off, nothing is remembered, written or asked of the editor.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lsprotocol import types

from completion.config import FeedbackConfig
from completion.wire import completion_pb2 as pb
from lsp.documents import Document
from lsp.feedback.events import HORIZONS_S, OTHER, REASONS, Event, Kind, is_id, language_word
from lsp.feedback.kept import LONGEST, kept_share, without_surroundings
from lsp.feedback.messages import COMMAND, Dismissed, PartlyAccepted, Shown
from lsp.feedback.offers import Key, Offer, Offers
from lsp.feedback.store import default_path
from lsp.feedback.writer import Writer
from lsp.inline import Numbered, Snapshot
from lsp.positions import column_of_units

MOST_ANSWERS = 512
"""Answers of which it is remembered why they stopped; more than are remembered otherwise."""

CallLater = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


def _call_later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, call)


class Feedback:
    """Takes notes for one editor; :meth:`close` it at the end.

    ``warn`` and ``made`` are :class:`~lsp.feedback.writer.Writer`'s, called in its thread. What was
    accepted in a document that is no longer open is not measured.
    """

    def __init__(
        self,
        *,
        warn: Callable[[str], None],
        is_open: Callable[[Document], bool] = lambda document: True,
        made: Callable[[Sequence[Event]], None] = lambda events: None,
        path: Path | None = None,
        call_later: CallLater = _call_later,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._warn = warn
        self._is_open = is_open
        self._made = made
        self._path = path
        self._call_later = call_later
        self._clock = clock
        self._config = FeedbackConfig()
        self._writer: Writer | None = None
        self._stopped: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self.offers = Offers()

    def configured(self, config: FeedbackConfig) -> None:
        """Take another configuration."""
        self._config = config
        if self._writer is not None:
            self._writer.keep_days = config.keep_days
        if not config.enabled:
            self.offers.clear()
            self._stopped.clear()

    def answered(self, response: pb.CompleteResponse) -> None:
        """The model has answered: why each candidate stopped is known from here on.

        That may be after the first lines of it were offered.
        """
        if self._config.enabled and is_id(response.completion_id):
            names = (pb.StopReason.Name(one.stop_reason) for one in response.candidates)
            self._stopped[response.completion_id] = tuple(map(_word, names))
            if len(self._stopped) > MOST_ANSWERS:
                self._stopped.popitem(last=False)

    def offered(
        self, snapshot: Snapshot, scope: str, completion_id: str, items: Sequence[Numbered]
    ) -> None:
        """Remember what goes to the editor, and give each item the command that says it was taken.

        ``items`` have the numbers of their candidates in the model's answer.
        """
        if not self._config.enabled or not is_id(completion_id):
            return
        for number, item in items:
            offer = self._offer(snapshot, scope, (completion_id, number), item)
            self.offers.add(offer)
            item.command = types.Command(title="", command=COMMAND, arguments=[*offer.key])

    def shown(self, note: Shown) -> None:
        """A suggestion is no longer visible, and was so for some time."""
        self._note(note.key, partial(Event, kind=Kind.SHOWN, visible_ms=note.visible_ms))

    def accepted(self, key: Key) -> None:
        """A suggestion was taken whole."""
        offer = self.offers.get(key)
        if offer is not None and not offer.is_whole:
            self._taken(offer, Kind.ACCEPTED, len(offer.text))

    def partly_accepted(self, note: PartlyAccepted) -> None:
        """A suggestion was taken up to some length, in the client's units, from its start."""
        offer = self.offers.get(note.key)
        document = offer.document() if offer is not None else None
        if offer is None or document is None:
            return
        end = offer.length(column_of_units(offer.rest, note.accepted_length, document.encoding))
        if end > max(offer.accepted, offer.typed):
            self._taken(offer, Kind.PARTLY_ACCEPTED, end)

    def dismissed(self, note: Dismissed) -> None:
        """A suggestion went away without being taken."""
        reason = note.reason if note.reason in REASONS else OTHER
        self._note(note.key, partial(Event, kind=Kind.DISMISSED, reason=reason))

    async def close(self) -> None:
        """End, with everything written that there is."""
        self.offers.clear()
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)

    # How it is done

    def _offer(
        self, snapshot: Snapshot, scope: str, key: Key, item: types.InlineCompletionItem
    ) -> Offer:
        text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
        start = end = snapshot.column
        if item.range is not None:
            line = snapshot.head + snapshot.tail
            start = column_of_units(line, item.range.start.character, snapshot.encoding)
            end = column_of_units(line, item.range.end.character, snapshot.encoding)
        return Offer(
            key=key,
            language=language_word(snapshot.document.language_in_use),
            scope=scope,
            text=text,
            typed=snapshot.column - start,
            head=snapshot.head,
            tail=snapshot.tail[end - snapshot.column :],
            document=weakref.ref(snapshot.document),
            region=self.offers.region(snapshot.document, snapshot.line),
        )

    def _taken(self, offer: Offer, kind: Kind, length: int) -> None:
        offer.accepted = length
        self.offers.accept(offer)
        taken = len(offer.accepted_text.encode("utf-8", "replace"))
        self._note(offer.key, partial(Event, kind=kind, accepted_bytes=taken))
        for timer in offer.timers:
            timer.cancel()
        offer.timers = [
            self._call_later(seconds, partial(self._look, offer, seconds)) for seconds in HORIZONS_S
        ]

    def _look(self, offer: Offer, after_s: int) -> None:
        """Take the lines where ``offer`` was accepted, and have them compared elsewhere."""
        document = offer.document()
        if document is not None and self._is_open(document):
            now = offer.region.text(document.lines, LONGEST)
            self._put(partial(self._measured, offer, now, after_s, offer.accepted_text))
        if after_s == HORIZONS_S[-1]:
            self.offers.forget(offer)

    def _measured(self, offer: Offer, now: str, after_s: int, accepted: str) -> Event | None:
        share = kept_share(accepted, without_surroundings(now, offer.head, offer.tail))
        if share is None:
            return None
        make = partial(Event, kind=Kind.KEPT, after_s=after_s, kept_share=share)
        return self._event(offer, make)

    def _note(self, key: Key, make: Callable[..., Event]) -> None:
        offer = self.offers.get(key)
        if offer is not None:
            self._put(partial(self._event, offer, make))

    def _event(self, offer: Offer, make: Callable[..., Event]) -> Event:
        completion_id, candidate = offer.key
        stopped = self._stopped.get(completion_id, ())
        return make(
            completion_id=completion_id, candidate=candidate, at=self._clock(),
            language=offer.language, scope=offer.scope,
            stop_reason=stopped[candidate] if candidate < len(stopped) else "",
            offered_bytes=offer.offered_bytes,
        )  # fmt: skip

    def _put(self, make: Callable[[], Event | None]) -> None:
        if not self._config.enabled:
            return
        if self._writer is None:
            self._writer = Writer(
                self._path or default_path(), keep_days=self._config.keep_days, warn=self._warn,
                made=self._made, clock=self._clock,
            )  # fmt: skip
        self._writer.put(make)


def _word(stop_reason: str) -> str:
    return stop_reason.removeprefix("STOP_REASON_").lower()
