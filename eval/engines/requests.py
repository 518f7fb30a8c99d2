"""An item as the requests an editor would send, and the responses as an answer.

Who sends them is given as a function; here is what an engine of a model asks, whatever is between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from completion.config import ClientConfig
from completion.server.field_sizes import MAX_SNIPPETS
from completion.wire import completion_pb2 as pb
from eval.engines.base import Identity
from eval.item import Answer, Ask, Item, Timings

CONTEXT_BYTES = ClientConfig().context_bytes
"""Sent before the cursor, and after it, at most: what the language server sends."""

_LINES = {
    "auto": pb.GenerationOptions.LINES_AUTO,
    "single": pb.GenerationOptions.LINES_SINGLE,
    "multi": pb.GenerationOptions.LINES_MULTI,
}
HEALING = {
    "default": pb.HEALING_EXACT,  # the server answers it with the best that it has
    "exact": pb.HEALING_EXACT,
    "one-token": pb.HEALING_ONE_TOKEN,
    "off": pb.HEALING_OFF,
}

Complete = Callable[[pb.CompleteRequest], Awaitable[tuple[pb.CompleteResponse, float]]]
"""Answers a request, and says how many milliseconds that took at the client."""


def request_for(item: Item, ask: Ask, *, include_raw: bool) -> pb.CompleteRequest:
    """Return the request; ``include_raw`` apart, it is what an editor sends where its user asks.

    What only keeps a suggestion from showing up by itself, a text of two characters say, is left to
    ``replay``.
    """
    before, after = item.prefix[-CONTEXT_BYTES:], item.suffix[:CONTEXT_BYTES]
    return pb.CompleteRequest(
        document=pb.Document(
            path=item.path,
            language_id=item.language,
            prefix=before,
            suffix=after,
            eol=item.eol,
            insert_spaces=b"\n\t" not in item.prefix,
            prefix_truncated=len(before) < len(item.prefix),
            suffix_truncated=len(after) < len(item.suffix),
        ),
        snippets=[
            pb.Snippet(path=one.path, text=one.text, kind=one.kind, relevance=one.relevance)
            for one in item.related[:MAX_SNIPPETS]
        ],
        trigger=pb.CompleteRequest.TRIGGER_INVOKED,
        workspace_id=item.workspace,
        options=pb.GenerationOptions(
            max_tokens=ask.max_tokens,
            temperature=ask.temperature or None,
            top_p=ask.top_p if ask.temperature and ask.top_p < 1 else None,
            candidates=ask.candidates,
            seed=ask.seed,
            lines=_LINES[ask.lines],
            healing=HEALING[ask.healing],
            include_raw=include_raw,
        ),
    )


async def asked(item: Item, ask: Ask, complete: Complete) -> Answer:
    """Ask for ``item`` twice, as an editor does and for the raw middle; candidates once."""
    if ask.candidates > 1:
        both, took = await complete(request_for(item, ask, include_raw=True))
        return answer_from(both, both, took)
    shown, took = await complete(request_for(item, ask, include_raw=False))
    raw = None
    if ask.raw:
        raw, _ = await complete(request_for(item, ask, include_raw=True))
    return answer_from(shown, raw, took)


def answer_from(
    shown: pb.CompleteResponse, raw: pb.CompleteResponse | None, round_trip_ms: float
) -> Answer:
    """Return the answer of two responses to one cursor.

    ``shown`` is the editor's, with its timings. ``raw`` is one with ``include_raw``: ``shown``
    itself where several candidates were asked for, and ``None`` where nobody wants it.
    """
    first = shown.candidates[0] if shown.candidates else None
    if shown.declined:  # with include_raw a candidate stands there that was filtered to nothing
        first = None
    uncut = raw.candidates[0] if raw is not None and raw.candidates else None
    return Answer(
        raw=uncut.raw_text if uncut is not None else None,
        cut=first.text if first is not None else None,
        replace_after=first.replace_after if first is not None else 0,
        raw_end=_reason(uncut.raw_stop_reason) if uncut is not None else "",
        cut_end=_reason(first.stop_reason) if first is not None else "",
        declined=shown.declined,
        ranked=_ranked(raw) if raw is shown else (),
        log_prob=first.log_prob if first is not None else None,
        timings=_timings(shown, round_trip_ms),
    )


def _ranked(response: pb.CompleteResponse | None) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(c.raw_text for c in response.candidates)) if response else ()


def _timings(response: pb.CompleteResponse, round_trip_ms: float) -> Timings:
    times, usage = response.timings, response.usage
    return Timings(
        queue_ms=times.queue,
        prompt_ms=times.prompt,
        first_token_ms=times.first_token,
        first_line_ms=times.first_line,
        total_ms=times.total,
        round_trip_ms=round_trip_ms,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        generated_tokens=usage.generated_tokens,
    )


def _reason(reason: pb.StopReason.ValueType) -> str:
    name = pb.StopReason.Name(reason).removeprefix("STOP_REASON_").lower()
    return "" if name == "unspecified" else name


def identity_of(model: pb.Model) -> Identity:
    """Return who a service says it is."""
    healing = pb.Healing.Name(model.healing).removeprefix("HEALING_")
    return Identity(
        name=model.name,
        version=model.version,
        checksum=model.checksum,
        engine=model.engine,
        device=model.device,
        template=model.fim_template,
        arm=model.arm,
        healing=healing.lower().replace("_", "-"),
        context_tokens=model.context_tokens,
    )
