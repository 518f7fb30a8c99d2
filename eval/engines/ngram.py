"""The baseline that counts: the most frequent continuation in the file and the related snippets.

A token n-gram with back-off: the longest context that occurred decides, the most frequent token
behind it is taken, of equals the most recent; so on, token by token, to the line's or block's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from eval.engines.base import Engine, Identity
from eval.engines.code_tokens import Token, tokens_of
from eval.engines.guessing import (
    KEPT,
    MOST_LINES,
    as_line,
    guess,
    rest_of_line,
    wants_block,
    without_rest,
)
from eval.item import Answer, Ask, Item

ORDER = 6
"""Tokens of the longest context."""
RANKED = 10
"""Next tokens that are named at most."""
COUNTED = 5_000
"""Most recent places of a context that are counted; a table of numbers has the same few over and
over, and every token written would walk them all."""
_INDEXED = 3
"""Tokens of the contexts that are looked up at once; longer ones are compared from there."""
_BREAK = Token(b"", b"")
"""Between two texts; continues nothing."""


class NGram(Engine):
    """Continues with what most often followed the same tokens."""

    name = "ngram"

    async def start(self) -> Identity:
        """Return who this is; there is nothing to load."""
        return Identity(name=self.name, version=f"1 (order {ORDER})")

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Answer with the continuation; ``ranked`` has the best next tokens."""
        return await asyncio.to_thread(_answer, item, ask)


def _answer(item: Item, ask: Ask) -> Answer:
    cursor = Cursor(item)
    ranked = cursor.ranked(min(RANKED, ask.candidates)) if ask.candidates > 1 else []
    rest = rest_of_line(item)
    block = wants_block(item, ask) and not rest.strip()
    text = cursor.write(most_tokens=ask.max_tokens, most_lines=MOST_LINES if block else 1)
    return guess(as_line(without_rest(_few_lines(text), rest), item), ranked)


class Counts:
    """What followed what in a list of tokens; the later a token, the more recent."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._texts = texts = [token.text for token in tokens]
        self._behind_one: dict[bytes, list[int]] = {}
        self._behind: dict[tuple[bytes, ...], list[int]] = {}
        for at in range(1, len(texts)):
            self._behind_one.setdefault(texts[at - 1], []).append(at)
        for at in range(_INDEXED, len(texts)):
            self._behind.setdefault(tuple(texts[at - _INDEXED : at]), []).append(at)

    def following(
        self, context: Sequence[bytes], allowed: Callable[[Token], bool]
    ) -> Iterator[Token]:
        """Yield what may come behind ``context``, the best first, each text once.

        A longer context goes before all shorter ones; within one frequency, then recency.
        """
        given = {_BREAK.text}
        for places in self._places(context[-ORDER:]):
            count: dict[bytes, int] = {}
            last: dict[bytes, int] = {}
            for at in places:
                text = self._texts[at]
                if text not in given and (text in count or allowed(self._tokens[at])):
                    count[text] = count.get(text, 0) + 1
                    last[text] = at
            for text in sorted(count, key=lambda text: (-count[text], -last[text])):
                given.add(text)
                yield self._tokens[last[text]]

    def _places(self, context: Sequence[bytes]) -> Iterator[Sequence[int]]:
        """Yield the places behind all of ``context``, then behind one token less of it, …"""
        if len(context) >= _INDEXED:
            found = self._behind.get(tuple(context[-_INDEXED:]), [])[-COUNTED:]
            by_length = {length: [] for length in range(len(context), _INDEXED - 1, -1)}
            for at in found:
                length = _INDEXED
                while length < min(len(context), at) and (
                    self._texts[at - length - 1] == context[-length - 1]
                ):
                    length += 1
                by_length[length].append(at)
            reached: list[int] = []
            for places in by_length.values():
                reached = sorted(reached + places)
                yield reached
        if context:
            behind = self._behind_one.get(context[-1], [])[-COUNTED:]
            if len(context) > 1:
                yield [at for at in behind if at > 1 and self._texts[at - 2] == context[-2]]
            yield behind
        yield range(len(self._texts))


class Cursor:
    """The cursor of an item: what has been counted around it and what stands before it."""

    def __init__(self, item: Item) -> None:
        prefix, suffix = item.prefix[-KEPT:], item.suffix[:KEPT]
        head = prefix[prefix.rfind(b"\n") + 1 :]
        self._eol = item.eol.encode() or b"\n"
        self._indent = _blanks(head)
        self._at_line_start = not head.strip()
        self._spaced = self._at_line_start or head[-1:] in b" \t"
        """Whether the blanks before the next token are there already."""
        self._partial = b""
        """What is typed of the next token."""
        self._begun = b""
        """Indentation that is written before anything else."""
        known: list[Token] = []
        for related in sorted(item.related, key=lambda related: related.relevance):
            known += [_START, *tokens_of(related.text[:KEPT]), _BREAK]
        known += [_START, *tokens_of(suffix.partition(b"\n")[2]), _BREAK]
        typed = [_START, *tokens_of(prefix)]
        word = typed.pop() if typed[-1].is_word and not self._spaced else None
        new_line = typed.pop() if typed[-1].is_line_end and len(typed) > 1 else None
        self._counts = Counts(known + typed)
        self._context = [token.text for token in typed]
        if new_line is not None and self._at_line_start:
            new_line = self._begin_line(new_line, prefix, suffix)
        if new_line is not None:
            self._context.append(new_line.text)
        if word is not None:
            self._begin_word(word)

    def _begin_line(self, typed: Token, prefix: bytes, suffix: bytes) -> Token:
        """Return the line end before the cursor, with the likeliest indentation behind it.

        It is as it is typed where the file has that indentation elsewhere.
        """
        head = self._indent
        if head and head in _indents(prefix, suffix):
            return typed
        above = _blanks(prefix.rstrip().rpartition(b"\n")[2])

        def fits(token: Token) -> bool:
            return token.is_line_end and token.indentation(above).startswith(head)

        found = next(self._counts.following(self._context, fits), typed)
        self._indent = max(found.indentation(above), head, key=len)
        self._begun = self._indent[len(head) :]
        return found

    def _begin_word(self, word: Token) -> None:
        """Take the word before the cursor as whole, or as the beginning of a likelier one."""

        def begins_so(token: Token) -> bool:
            return token.text.startswith(word.text)

        if next(self._counts.following(self._context, begins_so), word).text == word.text:
            self._context.append(word.text)
        else:
            self._partial = word.text

    def ranked(self, most: int) -> list[bytes]:
        """Return the best next tokens, or ends of the word at the cursor, as they would stand."""
        found = (self._text(token, token.indentation(self._indent)) for token in self._next())
        return list(islice((self._begun + text for text in dict.fromkeys(found)), most))

    def write(self, *, most_tokens: int, most_lines: int) -> bytes:
        """Return the text up to the end of the line or, for several lines, of the block."""
        out, lines, open_brackets = [self._begun], 1, 0
        indent = self._indent
        # From a line's start the block is what is indented as far, else what is deeper.
        floor = len(indent) + (not self._at_line_start)
        for _ in range(most_tokens):
            token = next(self._next(), None)
            if token is None:
                break
            if token.is_line_end:
                indent = token.indentation(indent)
                lines += 1
                if lines > most_lines or (len(indent) < floor and open_brackets <= 0):
                    break
            out.append(self._text(token, indent))
            open_brackets += (token.text in _OPEN) - (token.text in _CLOSE)
            self._context.append(token.text)
            self._partial, self._spaced = b"", token.is_line_end
        text = b"".join(out).rstrip()
        return text if len(out) > 1 else b""

    def _next(self) -> Iterator[Token]:
        partial = self._partial

        def goes_on(token: Token) -> bool:
            return token.text.startswith(partial) and token.text != partial

        return self._counts.following(self._context, goes_on)

    def _text(self, token: Token, indent: bytes) -> bytes:
        """Return what is written for the next token; ``indent``: behind it, if it ends a line."""
        if self._partial:
            return token.text[len(self._partial) :]
        lead = b"" if self._spaced else token.lead
        return lead + token.written(indent, self._eol)


_START = Token(b"", b"\n")
"""Before each text: its first line begins as other lines do."""
_OPEN = frozenset((b"(", b"[", b"{"))
_CLOSE = frozenset((b")", b"]", b"}"))


def _blanks(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _indents(*texts: bytes) -> set[bytes]:
    return {_blanks(line) for text in texts for line in text.split(b"\n") if line.strip()}


def _few_lines(text: bytes) -> bytes:
    """Return at most :data:`MOST_LINES` lines, blank ones counted."""
    return b"\n".join(text.split(b"\n")[:MOST_LINES])
