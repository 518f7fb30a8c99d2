"""Who decided each generated token, the model or the workspace, for ``Explain``.

Laws are deterministic, so nothing has to be kept while tokens are generated: the model's own law is
asked for once more behind each of them, and mixed here with what the engine core matched there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from completion.engine.base import Engine
from completion.engine.checkpoint import Checkpoint
from completion.prompt.views import Prompt
from completion.server.workspaces import Workspaces
from completion.wire import completion_pb2 as pb

MOST_TOKENS = 64
"""Tokens that are looked into, a row of the law each."""


async def sources_of(
    engine: Engine,
    checkpoint: Checkpoint,
    workspaces: Workspaces,
    prompt: Prompt,
    tokens: Sequence[int],
) -> list[pb.TokenSource]:
    """Return who decided each of ``tokens`` behind ``prompt``; none where nothing is mixed in.

    The first of them spell what was typed. ``model_prob`` and ``workspace_prob`` are of the token in
    the two laws that are mixed, ``lambda`` is the workspace's weight, 0 where nothing matches, and
    ``path`` says where in the workspace the token stands behind the same words.
    """
    mixing = prompt.mixing
    if mixing is None:
        return []
    import torch

    from completion.workspace.mix import Mixer

    base = len(prompt.token_ids)
    ids = [*prompt.token_ids, *tokens[:MOST_TOKENS]]
    ends = list(range(base, len(ids)))
    if not ends:
        return []
    found = await engine.workspaces("sources", mixing.words(), ids, ends)
    laws = await engine.next_laws([ids[:end] for end in ends], cache_salt=prompt.cache_salt)
    rows = torch.stack(laws).float()
    own = rows.exp()
    matches = [None if one is None else _Match.of(one) for one in found]
    mixer = Mixer(checkpoint.vocabulary.special_ids, len(checkpoint.vocabulary))
    mixed = mixer.mix(rows, matches, cast("Any", matches))
    sources: list[pb.TokenSource] = []
    for at, (end, one, match) in enumerate(zip(ends, mixed, found, strict=True)):
        token = ids[end]
        source = pb.TokenSource(
            text=checkpoint.vocabulary.bytes_of((token,)), model_prob=float(own[at, token])
        )
        if one is not None and match is not None:
            source.workspace_prob = one.workspace_prob(token)
            setattr(source, "lambda", one.weight)
            source.path = match["path"]
            source.line = workspaces.line_of(mixing.workspace, match["path"], match["index"])
            source.matched_tokens = match["length"]
        sources.append(source)
    return sources


@dataclass(frozen=True, slots=True)
class _Match:
    """What the engine core matched behind a token, and what the fit says of it."""

    length: int
    ids: NDArray[np.int64]
    weights: NDArray[np.float64]
    seen: float
    share: float
    fitted: tuple[float, float]

    @classmethod
    def of(cls, words: dict[str, Any]) -> _Match:
        r, b = words["terms"]
        return cls(
            words["length"], np.array(words["ids"]), np.array(words["weights"]), words["seen"],
            words["share"], (r, b),
        )  # fmt: skip

    def terms(self, *match: Any) -> tuple[float, float]:
        """Return the fit's terms, as the engine core had them for this very match."""
        return self.fitted


def decided(sources: Sequence[pb.TokenSource]) -> int:
    """Return how many tokens the workspace decided: more than half of their probability is its."""
    count = 0
    for source in sources:
        weight = getattr(source, "lambda")
        count += weight * source.workspace_prob > (1 - weight) * source.model_prob
    return count
