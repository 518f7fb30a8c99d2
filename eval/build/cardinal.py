"""Cardinal points of a tree: the cursors at which people want a completion.

After CodeFill (Izadi, Gismondi and Gousios, ICSE 2022, arXiv 2202.06689), the evaluation at
cardinal points. A point is the place right behind one of :data:`CARDINAL` or a binary operator,
as a token of code, with a next token on the same line of text. Left out are:

- pairs of a cardinal token and a next token where more than 95 % of the points of that cardinal
  token in the tree have that next token (``else`` and its colon): nobody needs them completed;
- next tokens that are new names: an identifier that has not stood in the file before the point and
  is no builtin. Nothing but luck could complete it.

What is asked for are the next :data:`ASKED` tokens of the logical line, or what there is of them.
The whole rest of the logical line is taken out of the file: a person who types has not written
it yet, and behind ``f(`` the arguments that follow would give the answer away. So

    prefix + reference + data["rest"] + suffix == file

The prefix ends right behind the token. Behind a keyword it keeps one blank if there is one,
because the keyword is only finished when the blank is typed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from eval.build.code import LogicalLine, Token, TokenKind, logical_lines
from eval.build.spread import draw, spread, top_folder
from eval.build.tree import SourceFile, Tree
from eval.item import Item, to_text

VERSION = "1"
ASKED = 4
"""Tokens, as in CodeFill's figures for several tokens."""
DETERMINISTIC = 0.95

CARDINAL = frozenset(
    b". await assert raise del lambda yield return except while for if elif else global in and "
    b"not or is with ; , [ ( { ~".split()
)
BINARY = frozenset(b"+ - * / // % @ ** << >> & | ^ < > <= >= == !=".split())
"""Cardinal where an operand stands before them: not in ``-x``, ``*args`` or ``@decorator``."""
BUILTINS = frozenset(
    b"""
    ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError
    BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError
    ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError
    Ellipsis EncodingWarning EnvironmentError Exception ExceptionGroup False FileExistsError
    FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError
    ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError
    KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError None
    NotADirectoryError NotImplemented NotImplementedError OSError OverflowError
    PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError
    ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError
    SyntaxWarning SystemError SystemExit TabError TimeoutError True TypeError UnboundLocalError
    UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning
    UserWarning ValueError Warning ZeroDivisionError __build_class__ __debug__ __doc__ __file__
    __import__ __loader__ __name__ __package__ __spec__ abs aiter all anext any ascii bin bool
    breakpoint bytearray bytes callable chr classmethod compile complex copyright credits delattr
    dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr
    hash help hex id input int isinstance issubclass iter len license list locals map max
    memoryview min next object oct open ord pow print property quit range repr reversed round set
    setattr slice sorted staticmethod str sum super tuple type vars zip
    """.split()
)
"""Of Python 3.11, written out so that every Python cuts the same items."""


class Point(NamedTuple):
    """One cursor, as offsets in its file. A tuple, because a tree has hundreds of thousands."""

    at: int
    end: int
    """Behind the last token that is asked for."""
    stop: int
    """Where the logical line ends, a comment behind it taken in."""
    cardinal: bytes
    next: bytes
    kind: str
    tokens: int
    """That are asked for."""
    depth: int
    """Brackets that are open at the point."""
    new: bool
    """The next token is a new name."""


def points(text: bytes) -> list[Point] | None:
    """Return all points of a file, those that are left out with them; ``None``: no Python."""
    lines = logical_lines(text)
    if lines is None:
        return None
    seen: set[bytes] = set()
    return [point for line in lines for point in _of_line(text, line, seen)]


def _of_line(text: bytes, line: LogicalLine, seen: set[bytes]) -> Iterator[Point]:
    tokens = line.tokens
    for place, (token, following) in enumerate(pairwise(tokens)):
        if token.kind is TokenKind.NAME:
            seen.add(token.text)
        if not _is_cardinal(tokens, place) or b"\n" in text[token.end : following.start]:
            continue
        at = token.end
        if token.kind is TokenKind.KEYWORD and text[at : at + 1] in (b" ", b"\t"):
            at += 1
        asked = tokens[place + 1 : place + 1 + ASKED]
        name = following.kind is TokenKind.NAME
        yield Point(
            at=at,
            end=asked[-1].end,
            stop=line.stop,
            cardinal=token.text,
            next=following.text,
            kind=class_of(following, token.text),
            tokens=len(asked),
            depth=token.depth,
            new=name and following.text not in seen and following.text not in BUILTINS,
        )
    if tokens[-1].kind is TokenKind.NAME:
        seen.add(tokens[-1].text)


def _is_cardinal(tokens: tuple[Token, ...], place: int) -> bool:
    token = tokens[place]
    if token.kind is TokenKind.STRING:
        return False
    if token.text in CARDINAL:
        return True
    return token.text in BINARY and place > 0 and _is_operand(tokens[place - 1])


def _is_operand(token: Token) -> bool:
    if token.kind is TokenKind.KEYWORD:
        return token.text in (b"None", b"True", b"False")
    if token.kind is TokenKind.BRACKET:
        return token.text in (b")", b"]", b"}")
    return token.kind is not TokenKind.OPERATOR or token.text == b"..."


def class_of(token: Token, before: bytes) -> str:
    """Return the class a next token is reported under."""
    if token.kind is TokenKind.NAME:
        return "attribute" if before == b"." else "name"
    if token.kind in (TokenKind.NUMBER, TokenKind.STRING):
        return "literal"
    return token.kind.value


def deterministic(counts: Counter[tuple[bytes, bytes]]) -> set[tuple[bytes, bytes]]:
    """Return the pairs that make up more than 95 % of the points of their cardinal token."""
    whole: Counter[bytes] = Counter()
    for (cardinal, _), count in counts.items():
        whole[cardinal] += count
    return {pair for pair, count in counts.items() if count > DETERMINISTIC * whole[pair[0]]}


def build(tree: Tree, limit: int, seed: int) -> tuple[list[Item], list[str]]:
    """Return at most ``limit`` items of a tree, every head spread over folders and files.

    Inside a file a hash decides, so classes of tokens come as often as people write them. Also
    returns warnings.
    """
    counts: Counter[tuple[bytes, bytes]] = Counter()
    found: list[tuple[SourceFile, Point]] = []
    unread = 0
    for file in tree.python:
        of_file = points(file.text)
        if of_file is None:
            unread += 1
            continue
        counts.update((point.cardinal, point.next) for point in of_file)
        found += [(file, point) for point in of_file if not point.new]
    left_out = deterministic(counts)
    kept = [pair for pair in found if (pair[1].cardinal, pair[1].next) not in left_out]
    ordered = spread(
        kept,
        (lambda pair: top_folder(pair[0].path), lambda pair: pair[0].path),
        lambda pair: draw(seed, pair[0].path, pair[1].at),
    )
    warnings = [f"left out as no Python that can be read: {unread} of the files"] if unread else []
    return [_item(file, point) for file, point in ordered[:limit]], warnings


def _item(file: SourceFile, point: Point) -> Item:
    text = file.text
    return Item(
        id=f"{file.path}:{point.at}",
        prefix=text[: point.at],
        suffix=text[point.stop :],
        reference=text[point.at : point.end],
        path=file.path,
        eol="\r\n" if b"\r\n" in text else "\n",
        kind=point.kind,
        data={
            "cardinal": to_text(point.cardinal),
            "depth": point.depth,
            "tokens": point.tokens,
            "rest": to_text(text[point.end : point.stop]),
        },
    )
