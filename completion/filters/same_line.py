"""Finds where new text meets what is already behind the cursor on its line.

The text behind the cursor may begin inside a word or inside a character, whatever stands before the
cursor: `Not ` in front of `qual(a, b)` wants an `E`. So an overlap may begin inside a word of the
new text, and it may end inside a word of what is there, if it is long enough not to be chance:

==================  ============  ==================================================
generated           behind        shown
==================  ============  ==================================================
``Equal(a, b):``    ``qual(…):``  ``E``: it went into what is there
``Equal``           ``qual(…):``  ``E``: it finished the word that is there
``Equ``             ``qual(…):``  ``E``
``Equal[0]``        ``qual(…):``  ``E``: what follows cannot stand behind that
``Equal or E``      ``qual(…):``  ``Equal or E``: it can
``al``              ``l(x)``      ``al``: one letter is met by chance, unless the document has
                                  the one word and not the other
``E``               ``qual(…):``  ``E``
==================  ============  ==================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable

from completion.filters.cursor import is_word
from completion.syntax.boundaries import CLOSERS, Place
from completion.syntax.lexer import Lexer

_MIN_WORDS = 3
"""Bytes that a text after the cursor that begins with a word has at least, to end a line that
still goes on; shorter ones occur by chance and are only trimmed at the end."""

_MIN_PART = 2
"""Bytes of an overlap that begins or ends inside a word: of 600 middles cut out of words at random
14 ended in the letter that followed by chance, none in the two that did."""

_TELLING = 4
"""Solid bytes of a text after the cursor that cannot be met by chance."""

_LONGEST = 4 << 10
"""Bytes of an overlap; no line that a person reads has more, and a minified one would cost minutes."""

_TRIES = 64
"""Places on one line that are asked whether the brackets agree, each at the cost of the line."""

_WORDS = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_LAST_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+\Z")

MeetingTest = Callable[[bytes, bytes], bool]
"""Tells of a line, up to behind its overlap, and of the overlap whether the brackets agree."""


def meets(
    line: bytes,
    rest: bytes,
    seen: int,
    at: MeetingTest,
    *,
    ended: bool,
    before: bytes,
) -> tuple[int, int] | None:
    """Return the first place where ``line`` goes into the whole of ``rest``, or ``None``.

    The result is the length of the line before it and the length at which that was certain.
    ``at`` tells whether the brackets agree: an own ``)`` of the new text is not the one behind
    the cursor.
    ``seen`` bytes have been looked at before; ``before`` is the byte in front of the line.
    """
    rest = rest.rstrip()
    if not rest or (is_word(rest[:1]) and len(rest) < _MIN_WORDS):
        return None
    alone = len(word_at(rest)) == len(rest)  # it may end another name in a line that goes on
    if ended:
        seen = min(seen, len(line.rstrip()))  # only now is it known where the line's text ends
    pos = line.find(rest, max(0, seen - len(rest)))
    for _ in range(_TRIES):
        if pos < 0:
            break
        end = pos + len(rest)
        certain = end + 1 if is_word(rest[-1:]) else end
        if certain > len(line) and not ended:
            return None
        goes_on = is_word(rest[-1:]) and is_word(line[end : end + 1])
        last = ended and end == len(line.rstrip())
        inside = _begins_inside(line, pos, before)
        chance = goes_on or (inside and (_by_chance(rest) or (alone and not last)))
        if not chance and ((last and _says_more(rest)) or at(line[:end], rest)):
            return pos, min(certain, len(line))
        pos = line.find(rest, pos + 1)
    return None


def overlap(
    line: bytes, rest: bytes, at: MeetingTest, *, head: bytes, known: Callable[[bytes], bool]
) -> int:
    """Return how many bytes at the end of ``line`` are the start of ``rest``; 0: none.

    The longest overlap, byte exact, that no chance explains and where ``at`` holds, as in
    :func:`meets`. ``head`` stands before the line; ``known`` tells whether the document has a word.
    """
    before, tries = head[-1:], 0
    for size in range(min(len(line), len(rest), _LONGEST), 0, -1):
        piece = rest[:size]
        if not line.endswith(piece) or not piece.strip():
            continue
        tries += 1
        if tries > _TRIES:
            break
        ends_inside = is_word(piece[-1:]) and is_word(rest[size : size + 1])
        part = ends_inside or _begins_inside(line, len(line) - size, before)
        whole = size == len(rest.rstrip()) and _says_more(rest)
        if not (part and _by_chance(piece)) and (whole or at(line, piece)):
            return size
    if line and line[-1:] == rest[:1] and is_word(rest[:1]):
        repeated = _LAST_WORD.findall(head + line)[0] + word_at(rest)
        once = _LAST_WORD.findall(head + line[:-1] + word_at(rest))[0]
        return int(known(once) and not known(repeated))
    return 0


def finished_word(line: bytes, rest: bytes, at: MeetingTest) -> int | None:
    """Return where ``line``, behind whose end ``rest`` cannot stand, went into its first word.

    The model finished the word that ``rest`` begins with and then went on in another way. Where
    several words could be it, the one behind which most is as in ``rest``; the first of these.
    """
    word = word_at(rest)
    if _by_chance(word):
        return None
    found: int | None = None
    most = tries = 0
    for match in _WORDS.finditer(line):
        if not match[0].endswith(word):
            continue
        tries += 1
        if tries > _TRIES:
            break
        if not at(line[: match.end()], word):
            continue
        alike = _alike(line[match.end() :], rest[len(word) :])
        if found is None or alike > most:
            found, most = match.end() - len(word), alike
    return found


def _alike(one: bytes, other: bytes) -> int:
    """Return how many bytes at their start are the same."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def word_at(text: bytes) -> bytes:
    """Return the word, or the rest of one, that ``text`` begins with."""
    size = 0
    while is_word(text[size : size + 1]):
        size += 1
    return text[:size]


def _begins_inside(line: bytes, start: int, before: bytes) -> bool:
    """Tell whether a word goes on from before ``line[start]`` to it."""
    left = line[start - 1 : start] if start else before
    return is_word(left) and is_word(line[start : start + 1])


def _says_more(rest: bytes) -> bool:
    """Tell whether there is enough in ``rest`` beside closers for a line that ends in it to be that.

    The line is then whole as the model wrote it, whatever brackets and quotes are open in it.
    """
    return len(rest.strip(CLOSERS + b" \t")) >= _TELLING


def _by_chance(piece: bytes) -> bool:
    """Tell whether a middle may end like ``piece`` without having gone into it: a letter, zeros.

    The rest of a character is never met by chance.
    """
    inside_character = 0x80 <= piece[0] < 0xC0 if piece else False
    return not inside_character and (len(piece) < _MIN_PART or piece.isdigit())


def meeting_test(place: Place, lexer: Lexer, head: bytes, replaced: int = 0) -> MeetingTest:
    """Return the ``at`` of :func:`meets` for a line that ``lexer`` stands at the start of.

    Brackets agree where exactly that is open behind the new text and the overlap which would be
    open behind the overlap without the new text (``replaced`` bytes of closers taken off). A long
    overlap that closes nothing may also stand further out: the new text has closed brackets.
    """
    cursor = place.state

    def shape(state: Lexer) -> list[tuple[bytes, int]]:
        return [
            (frame.text, frame.start if frame.start < cursor.base else -1) for frame in state.stack
        ]

    before = place.head + place.rest[:replaced]
    opened = shape(place.lines.peek(before))
    read: tuple[bytes, Lexer] | None = None

    def agree(line: bytes, piece: bytes) -> bool:
        nonlocal read
        if read is None or read[0] != line:  # every overlap at one end asks about the same line
            read = line, lexer.peek(head + line)
        wanted, found = place.lines.peek(before + piece), read[1]
        if wanted.in_comment != found.in_comment:
            return False
        if shape(wanted) == shape(found):
            return True
        telling = len(piece.strip()) >= _TELLING and shape(wanted) == opened
        return telling and shape(found) == opened[: len(found.stack)]

    return agree
