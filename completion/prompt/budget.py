"""How many tokens each part of a prompt may take, decided before any sentinel is placed.

Because only text is ever cut, and here, every sentinel of the template is always whole. Other
files take at most their share; of the rest the text before the cursor takes its share, or more
where the text after it is short; the text after the cursor has what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from completion.healing.vocabulary import Vocabulary
from completion.prompt.windows import (
    BYTES_PER_TOKEN,
    SLACK,
    Encode,
    Window,
    prefix_window,
    suffix_window,
)

QUANTA = 16
"""What the prefix takes is rounded up to one part in this many: the suffix's limit then rests."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """Shares of a budget, as in ``config.GenerationConfig``."""

    prefix: float = 0.75
    """Of what the document has, for the text before the cursor."""
    snippets: float = 0.4
    """Of everything, for other files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One snippet as it would stand in the prompt."""

    index: int
    """Its place in the order given, which is the order it keeps."""
    path: str
    relevance: float
    body: bytes
    """The snippet's own text, by which it is compared with others."""
    text: bytes
    """What is encoded: the body with its path, or as comments."""
    extra_tokens: int = 0
    """Sentinels that come with it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which snippets go in, in their own order, and why the others do not."""

    kept: tuple[Block, ...]
    tokens: int
    dropped: tuple[tuple[Block, str], ...]


def choose_blocks(
    blocks: Sequence[Block], limit: int, encode: Encode, seen: Sequence[bytes] = ()
) -> Choice:
    """Return the most relevant of ``blocks`` that fit into ``limit`` tokens, each whole.

    Relevance decides only what is dropped (``budget``), never the order. What is already in one of
    ``seen`` (the windows of the document) or in a block that is kept is dropped as ``duplicate``.
    """
    kept: dict[int, tuple[Block, int]] = {}
    dropped: dict[int, tuple[Block, str]] = {}
    for block in sorted(blocks, key=lambda b: (-b.relevance, b.index)):
        core = block.body.strip()
        held = [other.body for other, _ in kept.values()]
        if not core or any(core in text for text in (*seen, *held)):
            dropped[block.index] = (block, "duplicate" if core else "empty")
            continue
        inside = [i for i, (other, _) in kept.items() if other.body.strip() in block.body]
        free = limit - sum(tokens for i, (_, tokens) in kept.items() if i not in inside)
        size = block.extra_tokens
        if len(block.text) <= max(free, 0) * BYTES_PER_TOKEN:
            size += len(encode(block.text))
        else:
            size = free + 1
        if size > free:
            dropped[block.index] = (block, "budget")
            continue
        for i in inside:
            dropped[i] = (kept.pop(i)[0], "duplicate")
        kept[block.index] = (block, size)
    order = sorted(kept)
    return Choice(
        tuple(kept[i][0] for i in order),
        sum(kept[i][1] for i in order),
        tuple(dropped[i] for i in sorted(dropped)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """The two windows of the document."""

    prefix: Window
    suffix: Window
    suffix_firm: bool
    """Whether the next keystroke leaves the suffix's end where it is."""


def choose_windows(
    prefix: bytes,
    suffix: bytes,
    limit: int,
    share: float,
    encode: Encode,
    vocabulary: Vocabulary,
    *,
    prefix_truncated: bool = False,
    suffix_truncated: bool = False,
) -> Windows:
    """Share ``limit`` tokens between the text before the cursor and the text after it."""
    least = max(0, limit - int(limit * share))

    def after(tokens: int) -> Window:
        return suffix_window(suffix, tokens, encode, vocabulary, truncated=suffix_truncated)

    guaranteed = after(least)
    # a suffix that is cut uses what it was given; one that fits leaves the rest to the prefix
    reserved = guaranteed.tokens if guaranteed.whole else least
    before = prefix_window(prefix, limit - reserved, encode, vocabulary, truncated=prefix_truncated)
    if guaranteed.whole:
        return Windows(prefix=before, suffix=guaranteed, suffix_firm=True)
    quantum = max(1, limit // QUANTA)

    def left(tokens: int) -> int:
        taken = min(limit - reserved, -(-tokens // quantum) * quantum)
        return limit - taken

    rest = after(left(before.tokens))
    firm = all(left(before.tokens + change) == left(before.tokens) for change in (-SLACK, SLACK))
    return Windows(prefix=before, suffix=rest, suffix_firm=firm and before.firm)
