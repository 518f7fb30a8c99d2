"""Fill-in-the-middle: a document's window as prefix, suffix and middle, in two orders.

Pure. Bavarian et al., arXiv 2207.14255: PSM and SPM jointly, cuts at characters, the loss on all
tokens, the end always trained. In PSM the three parts are encoded apart. In SPM prefix and middle
are encoded as ONE string, their "SPM variant 2": the seam carries no trace in the tokens, which is
what exact healing stands on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from completion.prompt.snippets import file_block, header_line, repository_line
from training.tokenizer import Sentinels

Encode = Callable[[str], list[int]]
"""Text of a file to ids; never a sentinel's."""

FRAME = 4
"""Tokens that a FIM example has beside its text: three sentinels and the end."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ids that are text of the window in one piece: ``first`` to ``last``, the latter excluded.

    ``anchor`` is a character of prefix, middle and suffix put together: where the text of the
    stretch ends if ``anchored_end``, since a trimmed prefix has lost its start; else where it
    begins.
    """

    first: int
    last: int
    anchor: int
    anchored_end: bool


@dataclass(frozen=True, slots=True)
class Laid:
    """One example in either order: its ids, the last of which is the end, and their text."""

    ids: list[int]
    stretches: tuple[Stretch, ...]


def psm(prefix: str, middle: str, suffix: str, encode: Encode, ids: Sentinels) -> list[int]:
    """``<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>M<|endoftext|>``, parts encoded apart."""
    head = [ids.fim_prefix, *encode(prefix), ids.fim_suffix, *encode(suffix), ids.fim_middle]
    return [*head, *encode(middle), ids.end]


def spm(prefix: str, middle: str, suffix: str, encode: Encode, ids: Sentinels) -> list[int]:
    """``<|fim_prefix|><|fim_suffix|>S<|fim_middle|>PM<|endoftext|>``, P and M one string."""
    head = [ids.fim_prefix, ids.fim_suffix, *encode(suffix), ids.fim_middle]
    return [*head, *encode(prefix + middle), ids.end]


def psm_within(
    prefix: str, middle: str, suffix: str, encode: Encode, ids: Sentinels, *, limit: int
) -> Laid | None:
    """:func:`psm` in at most ``limit`` tokens, or ``None`` where the middle leaves too little room.

    As in an editor, the prefix loses its beginning and the suffix its end, never the middle.
    """
    p, m, s = encode(prefix), encode(middle), encode(suffix)
    room = limit - FRAME - len(m)
    if room < 0 or (len(p) + len(s) > room and room < limit // 2):
        return None
    p, s = share_room(p, s, room)
    out = [ids.fim_prefix, *p, ids.fim_suffix, *s, ids.fim_middle, *m, ids.end]
    cut, seam = len(prefix), len(prefix) + len(middle)
    behind_p, behind_s = 1 + len(p), 2 + len(p) + len(s)
    return Laid(
        out,
        (
            Stretch(1, behind_p, cut, True),
            Stretch(behind_p + 1, behind_s, seam, False),
            Stretch(behind_s + 1, len(out) - 1, seam, True),
        ),
    )


def spm_within(
    prefix: str, middle: str, suffix: str, encode: Encode, ids: Sentinels, *, limit: int
) -> Laid | None:
    """:func:`spm` in at most ``limit`` tokens, or ``None`` where the middle leaves too little room."""
    pm, s = encode(prefix + middle), encode(suffix)
    room = limit - FRAME
    if len(pm) + len(s) > room:
        if len(encode(middle)) > room // 2:
            return None
        pm, s = share_room(pm, s, room)
    out = [ids.fim_prefix, ids.fim_suffix, *s, ids.fim_middle, *pm, ids.end]
    seam, behind_s = len(prefix) + len(middle), 2 + len(s)
    return Laid(
        out,
        (Stretch(2, behind_s, seam, False), Stretch(behind_s + 1, len(out) - 1, seam, True)),
    )


def share_room(left: list[int], right: list[int], room: int) -> tuple[list[int], list[int]]:
    """Trim ``left`` from its start and ``right`` from its end until both fit ``room``."""
    over = len(left) + len(right) - room
    if over <= 0:
        return left, right
    cut = min(over, max(0, len(right) - room // 4))
    right = right[: len(right) - cut]
    over -= cut
    cut = min(over, len(left))
    return left[cut:], right[: len(right) - (over - cut)]


def front(
    repository: str,
    path: str,
    files: Sequence[tuple[str, str]],
    encode: Encode,
    ids: Sentinels,
) -> list[int]:
    """What stands before an example: other files, then the path of the one with the cursor.

    The layout is :mod:`completion.prompt.snippets`', which the server writes prompts in.
    """
    out = [ids.repo_name, *encode(repository_line(repository).decode())]
    for name, text in files:
        out += [ids.file_sep, *encode(file_block(name, text.encode()).decode())]
    return [*out, ids.file_sep, *encode(header_line(path).decode())]


def split_at(text: str, window: tuple[int, int], middle: tuple[int, int]) -> tuple[str, str, str]:
    """Return prefix, middle and suffix of ``window`` around ``middle``."""
    (start, end), (a, b) = window, middle
    return text[start:a], text[a:b], text[b:end]
