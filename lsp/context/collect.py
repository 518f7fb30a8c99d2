"""All sources asked at once, each with its own time; what comes is fused and cut to the budget.

A source that raises or does not come back in time loses its own findings and nobody else's. One
that still hangs from the time before is not asked again until it has come back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from completion.wire import completion_pb2 as pb
from completion.wire.names import as_utf8
from lsp.context import budget
from lsp.context.budget import Chosen, Left, Note
from lsp.context.found import Clock, Found, Source, Spot
from lsp.context.fuse import fuse
from lsp.context.texts import Texts

log = logging.getLogger("caret.lsp")

GRACE_MS = 400.0
"""How much later than its time a source may come: it looks at the clock between steps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What goes along with a request, and how it came about. Only the snippets hold text."""

    snippets: tuple[pb.Snippet, ...] = ()
    """In the order in which they are sent: the most relevant last."""
    notes: tuple[Note, ...] = ()
    """One for each snippet."""
    left: tuple[Left, ...] = ()
    """What was found, or asked for, and is not sent."""
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    """By source, as far as it has come back."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """By source what is missing: all of it ("late", "busy", or the name of an error), or a part."""


class _Run:
    """One source at work."""

    def __init__(self, source: Source, spot: Spot, texts: Texts, clock: Clock) -> None:
        self.source, self.clock = source, clock
        self.found: Sequence[Found] = ()
        self.failed = ""
        self.took = 0.0
        self._work = (spot, texts)
        self.thread = threading.Thread(target=self._run, daemon=True, name=f"find {source.name}")
        self.thread.start()

    def _run(self) -> None:
        started = time.perf_counter()
        try:
            self.found = self.source.find(*self._work, self.clock)
        except Exception as error:  # whatever it stumbles over, the others go on
            self.failed = type(error).__name__
        self.took = (time.perf_counter() - started) * 1000


class Collector:
    """Asks sources. One gathering at a time; keeps only which sources hang."""

    def __init__(self) -> None:
        self._hanging: dict[str, threading.Thread] = {}

    def collect(
        self,
        spot: Spot,
        sources: Sequence[tuple[Source, float]],
        texts: Texts,
        *,
        max_bytes: int,
        cells: Sequence[pb.Snippet] = (),
        stopped: threading.Event | None = None,
    ) -> Gathered:
        """Return what ``sources``, each with its milliseconds, have found for ``spot``.

        ``stopped`` ends it early, with what there is.
        """
        stopped = stopped or threading.Event()
        failed: dict[str, str] = {}
        runs: list[_Run] = []
        for source, milliseconds in sources:
            before = self._hanging.get(source.name)
            if before is not None and before.is_alive():
                failed[source.name] = "busy"
            else:
                runs.append(_Run(source, spot, texts, Clock.of(milliseconds, stopped)))
        by_source: dict[str, Sequence[Found]] = {}
        for run in runs:
            run.thread.join(run.clock.left + GRACE_MS / 1000)
            if run.thread.is_alive():
                failed[run.source.name] = "late"
                self._hanging[run.source.name] = run.thread
            elif run.failed:
                failed[run.source.name] = run.failed
            else:
                by_source[run.source.name] = run.found
                if lacking := getattr(run.source, "lacking", ""):
                    failed[run.source.name] = lacking
        for name, why in failed.items():
            log.debug("context: %s: %s", name, why)
        chosen = budget.choose(fuse(by_source, budget.WEIGHTS), spot, max_bytes, cells)
        return Gathered(
            snippets=chosen.snippets,
            notes=chosen.notes,
            left=(*chosen.left, *_refused(chosen, texts)),
            milliseconds={run.source.name: run.took for run in runs if not run.thread.is_alive()},
            failed=failed,
        )


def _refused(chosen: Chosen, texts: Texts) -> list[Left]:
    told = {one.path for one in chosen.left}
    refused = sorted(texts.refused.items())
    return [
        Left(path=shown, reason=reason)
        for path, reason in refused
        if (shown := as_utf8(path)) not in told
    ]
