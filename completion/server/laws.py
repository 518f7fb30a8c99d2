"""``NextBytes`` and ``Score``: the law of what follows a cursor, exactly, as bytes.

Wire messages in and out; the errors name the field and the limit.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from completion.healing.arms import Arm, Heals
from completion.healing.arms import healing as healing_arm
from completion.healing.healer import Healer
from completion.healing.one_token import typed_word
from completion.healing.search import MEASURING, Effort
from completion.prompt.builder import NoRoom, PromptBuilder, one_line_end
from completion.prompt.views import DocumentView, SnippetView
from completion.server.held_workspace import View
from completion.server.job import HEALS, InvalidField, refuse_oversized
from completion.server.surroundings import Surroundings
from completion.syntax.languages import language_for
from completion.together import together
from completion.wire import completion_pb2 as pb
from completion.workspace.request import Mixing, Rest

if TYPE_CHECKING:
    from completion.healing.law import Law

MAX_TEXTS = 256
MAX_TEXT_BYTES = 4096
AT_ONCE = 8
"""Texts whose laws are expanded at the same time: they share rows, and the engine batches the others."""
_NOTHING = -math.inf
"""The logarithm of nothing."""
_IDENTIFIER = [b for b in range(256) if b >= 0x80 or b == 0x5F or chr(b).isalnum()]
"""Bytes that go on with an identifier: ASCII letters, digits, ``_``, and any of another script."""


class _Asked(NamedTuple):
    """A cursor, as the engine is asked for it."""

    prompt: list[int]
    mixing: Mixing | None
    typed: bytes
    """What is covered behind the prompt."""
    masked: int
    """How many bytes of it under a mask."""


class NoLaw(Exception):
    """This model's tokens have no law over bytes; the message says why, in one line."""


class Laws:
    """Answers both on one model."""

    def __init__(
        self, healer: Healer, builder: PromptBuilder, arm: Arm, *, unhealed: str = ""
    ) -> None:
        """Take the parts; ``arm`` gives the layout, healing is what a request asks for.

        ``unhealed``: why there is no law, where the model's tokens cannot be mapped to bytes.
        """
        self._healer = healer
        self._builder = builder
        self._arm = arm
        self._unhealed = unhealed
        self._surroundings = Surroundings(builder.encoder)

    async def next_bytes(
        self, request: pb.NextBytesRequest, view: View | None = None, *, cache_salt: str = ""
    ) -> pb.NextBytesResponse:
        """Return the law of the next byte and of the end; the message says within which bound."""
        asked = self._asked(
            request.document, list(request.snippets), request.healing, view, raw=request.raw_prompt
        )
        rows = self._healer.behind(asked.prompt, asked.mixing, cache_salt)
        typed, masked = asked.typed, asked.masked
        law = await self._healer.law(rows, typed, MEASURING, following=True, masked=masked)
        *outcomes, end = law.next_bytes().nan_to_num(nan=_NOTHING, neginf=_NOTHING).tolist()
        return pb.NextBytesResponse(
            log_probs=outcomes,
            end_log_prob=end,
            omitted_mass_bound=law.omitted(following=True),
            cover_contexts=len(law.expanded),
        )

    async def score(
        self,
        request: pb.ScoreRequest,
        view: View | None = None,
        effort: Effort = MEASURING,
        *,
        cache_salt: str = "",
    ) -> pb.ScoreResponse:
        """Return log P(text | what is before the cursor) of each text; 0 of an empty one.

        ``effort`` says how much may be left out of each; the bound is of the worst of them. With
        ``EDGE_IDENTIFIER_END`` the share in which an identifier goes on behind the text is taken off.
        """
        texts = list(request.texts)
        if len(texts) > MAX_TEXTS:
            raise InvalidField(f"texts must be at most {MAX_TEXTS} texts")
        for index, text in enumerate(texts):
            if len(text) > MAX_TEXT_BYTES:
                raise InvalidField(f"texts[{index}] must be at most {MAX_TEXT_BYTES} bytes")
        if request.edge not in pb.ScoreRequest.Edge.values():
            raise InvalidField("edge is unknown")
        ends = request.edge == pb.ScoreRequest.EDGE_IDENTIFIER_END
        longest = max(map(len, texts), default=0)
        try:
            asked = self._asked(
                request.document, list(request.snippets), request.healing, view, raw=False,
                longest=longest,
            )  # fmt: skip
        except NoRoom as error:
            if not texts:
                raise
            index = next(i for i, text in enumerate(texts) if len(text) == longest)
            raise InvalidField(
                f"texts[{index}] must be at most {error.most} bytes in this model's context"
            ) from None
        rows = self._healer.behind(asked.prompt, asked.mixing, cache_salt)
        typed, masked = asked.typed, asked.masked
        before = await self._healer.law(rows, typed, effort, following=False, masked=masked)
        room = asyncio.Semaphore(AT_ONCE)

        async def scored(text: bytes) -> tuple[float, float]:
            async with room:
                law = await self._healer.law(
                    rows, typed + text, effort, following=ends, masked=masked
                )
            log_prob = min(0.0, law.log_mass - before.log_mass) + (_ended(law) if ends else 0.0)
            return _NOTHING if math.isnan(log_prob) else log_prob, law.omitted(following=ends)

        found = await together(scored(text) for text in texts)
        return pb.ScoreResponse(
            log_probs=[log_prob for log_prob, _ in found],
            omitted_mass_bound=max([before.omitted(following=False), *(o for _, o in found)]),
        )

    def _asked(
        self,
        document: pb.Document,
        snippets: list[pb.Snippet],
        healing: int,
        workspace: View | None,
        *,
        raw: bool,
        longest: int = 0,
    ) -> _Asked:
        """Return the prompt and what is wanted behind it.

        Raises:
            NoRoom: for a text of ``longest`` bytes behind it; ``most`` is how long one may be.
        """
        if self._unhealed:
            raise NoLaw(self._unhealed)
        if healing not in HEALS:
            raise InvalidField("healing is unknown")
        refuse_oversized(document, snippets)
        arm = healing_arm(self._arm, HEALS[pb.Healing.ValueType(healing)])
        language = language_for(document.language_id, document.path)
        view = one_line_end(
            DocumentView(
                path=document.path,
                language_id=document.language_id or (language.name if language else ""),
                comment=language.line_comment if language else b"#",
                prefix=document.prefix,
                suffix=document.suffix,
                prefix_truncated=document.prefix_truncated,
                suffix_truncated=document.suffix_truncated,
            )
        )
        prefix = document.prefix if raw else view.prefix
        typed = self._healer.typed(prefix, arm)
        masked = 0
        if arm.heals is Heals.ONE_TOKEN:
            typed = typed_word(prefix)
            masked = len(typed)
        head = prefix[: len(prefix) - len(typed)]
        room = len(typed) + longest + 1  # a byte is a token at worst
        if raw:
            ids = self._builder.plain(head, max_tokens=room)
            return _Asked(ids, workspace and workspace.mixing_plain(len(ids)), typed, masked)
        views = [
            SnippetView(path=s.path, text=s.text, kind=s.kind, relevance=s.relevance)
            for s in snippets
        ]
        try:
            view = replace(view, prefix=head)
            prompt = self._builder.build(view, views, max_tokens=room)
        except NoRoom as error:
            raise NoRoom(error.message, max(0, error.most - room + longest)) from None
        rest = Rest() if workspace is None else self._surroundings.of(view, prompt)
        mixing = workspace and workspace.mixing(prompt, rest)
        return _Asked(prompt.token_ids, mixing, typed, masked)


def _ended(law: Law) -> float:
    """Return the log of the share in which no identifier character follows."""
    goes_on = float(law.next_bytes()[_IDENTIFIER].exp().nan_to_num().sum())
    return math.log1p(-goes_on) if goes_on < 1 else _NOTHING
