"""Bytes to token ids, losslessly, fast enough for every keystroke, and never to a sentinel.

It knows no template and no budget. Text is encoded in pieces between *safe cuts*, places where
the model's tokenizer always has a token boundary whatever follows, and the pieces are remembered:
a keystroke encodes the last piece only.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby

from completion.healing.spelling import SPACE_MARK
from completion.healing.vocabulary import Vocabulary
from completion.prompt.text_tokenizer import EncodeText, load_text_tokenizer

PIECE_CHARS = 768
"""Pieces are at least this long: short enough to encode in a fraction of a millisecond."""
CACHE_PIECES = 1024
"""Pieces remembered, in memory only: about a megabyte of text, as digests and token ids."""

_STRAY = re.compile(r"([\udc80-\udcff]+)")
_STRAY_OR_MARK = re.compile(rf"([\udc80-\udcff{SPACE_MARK}]+)")
_FIRM = r"[^\s\udc80-\udcff]"  # neither blank nor part of a character that may yet become blank
_TOP_LEVEL_CUT = re.compile(rf"{_FIRM}\n(?={_FIRM})")
_BEFORE_LAST_BLANK_CUT = re.compile(rf"{_FIRM}\n(?:(?={_FIRM})|[ \t]*(?=[ \t](?!\d){_FIRM}))")
_LINE_CUT = re.compile(rf"{_FIRM}\n(?=[ \t]*{_FIRM})")
_LINES = re.compile(r"(?<=\n)")
_REPLACEMENT = "?"


class TextEncoder:
    """Encodes the text of documents for one tokenizer.

    ``vocabulary.bytes_of(encode(data)) == data`` for every ``data``, and no id of
    ``vocabulary.special_ids`` is ever produced. No BOS, no EOS, no normalisation. (A byte that no
    UTF-8 text can hold and for which the vocabulary has no token becomes ``?``.)

    Where the tokenizer cannot do that, :attr:`unmapped` says why. What no token spells then becomes
    ``?`` too; a tokenizer that ``loses`` text is taken at its word.
    """

    def __init__(self, vocabulary: Vocabulary, encode_text: EncodeText, *, loses: str = "") -> None:
        """Take the vocabulary, the encoder of the same tokenizer, and what that loses of a text."""
        self.vocabulary = vocabulary
        self.unmapped = _why_unmapped(vocabulary, loses)
        """Why text does not come back from its tokens, in a few words; empty: it always does."""
        self._encode_text = encode_text
        self._loses = bool(loses)
        self._special = vocabulary.special_ids
        marks_are_lossy = vocabulary.spelling == "sentencepiece" and not loses
        self._stray = _STRAY_OR_MARK if marks_are_lossy else _STRAY
        self._instead = [i for i in encode_text(_REPLACEMENT) if i not in self._special]
        self._known = lru_cache(maxsize=4096)(self._is_known)
        self._pieces: OrderedDict[bytes, tuple[int, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self._cut = self._probe_cuts()

    @classmethod
    def from_json(cls, tokenizer_json: str) -> TextEncoder:
        """Return the encoder of a ``tokenizer.json``; raises CaretError as the vocabulary does."""
        vocabulary = Vocabulary.from_json(tokenizer_json)
        text = load_text_tokenizer(tokenizer_json, vocabulary)
        return cls(vocabulary, text.encode, loses=text.loses)

    def encode(
        self, data: bytes, *, dummy_prefix: bool = False, remember: bool = True
    ) -> list[int]:
        """Return the token ids of ``data``; ``remember`` false: what passes only once.

        ``dummy_prefix`` puts the space before it that SentencePiece puts before a text's first
        token; without it a continuation stays a continuation. Byte-level tokenizers ignore it.
        """
        if dummy_prefix and self.vocabulary.spelling == "sentencepiece" and not self._loses:
            data = b" " + data
        ids: list[int] = []
        for piece in self._split(data.decode("utf-8", "surrogateescape")):
            ids += self._piece(piece) if remember else self._encode(piece)
        return ids

    def stable_bytes(self, data: bytes) -> int:
        """Return how many leading bytes have tokens that no text appended to ``data`` changes.

        A lower bound: the start of the last line, or of the one before while that line is blank.
        """
        if self._cut is None:
            return 0
        for size in (PIECE_CHARS, 16 * PIECE_CHARS, len(data)):
            start = max(0, len(data) - size)
            tail = data[start:].decode("utf-8", "surrogateescape")
            cuts = [cut.end() for cut in self._cut.finditer(tail)]
            if cuts:
                return start + len(tail[: cuts[-1]].encode("utf-8", "surrogateescape"))
        return 0

    def first_cut(self, data: bytes) -> int | None:
        """Return the first place in ``data`` where tokens end, whatever comes before or behind it.

        ``None`` where there is none; an upper bound, as :meth:`stable_bytes` is a lower one.
        """
        if self._cut is None:
            return None
        for size in (PIECE_CHARS, 16 * PIECE_CHARS, len(data)):
            head = data[:size].decode("utf-8", "surrogateescape")
            cut = self._cut.search(head)
            if cut is not None:
                return len(head[: cut.end()].encode("utf-8", "surrogateescape"))
        return None

    def _split(self, text: str) -> list[str]:
        if self._cut is None or len(text) < 2 * PIECE_CHARS:
            return [text] if text else []
        pieces: list[str] = []
        start = 0
        while (cut := self._cut.search(text, start + PIECE_CHARS)) is not None:
            pieces.append(text[start : cut.end()])
            start = cut.end()
        return [*pieces, text[start:]]

    def _piece(self, piece: str) -> tuple[int, ...]:
        key = blake2b(piece.encode("utf-8", "surrogateescape"), digest_size=16).digest()
        with self._lock:
            found = self._pieces.get(key)
            if found is not None:
                self._pieces.move_to_end(key)
                return found
        ids = tuple(self._encode(piece))
        with self._lock:
            self._pieces[key] = ids
            if len(self._pieces) > CACHE_PIECES:
                self._pieces.popitem(last=False)
        return ids

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for run in self._stray.split(text):
            if self._stray.match(run):
                ids += self._bytewise(run)
            elif run:
                ids += self._run(run)
        return ids

    def _run(self, text: str) -> list[int]:
        """Encode valid text, and prove that the tokens spell it."""
        ids = self._encode_text(text)
        if self._spells(ids, text.encode()):
            return ids
        if self._loses:
            return [one for i in ids for one in ([i] if i not in self._special else self._instead)]
        ids = list[int]()
        for known, characters in groupby(text, self._known):
            if known:
                ids += self._by_lines("".join(characters))
            else:
                ids += self._bytewise("".join(characters))
        return ids

    def _by_lines(self, text: str) -> list[int]:
        """Encode known characters; a line that does not come back goes one by one.

        Something in it is normalised, or is part of a sentinel.
        """
        ids: list[int] = []
        for line in _LINES.split(text):
            whole = self._encode_text(line)
            if not self._spells(whole, line.encode()):
                whole = [i for char in line for i in self._encode_text(char)]
            ids += whole
        return ids

    def _is_known(self, char: str) -> bool:
        return self._spells(self._encode_text(char), char.encode())

    def _spells(self, ids: list[int], data: bytes) -> bool:
        return self.vocabulary.bytes_of(ids) == data and self._special.isdisjoint(ids)

    def _bytewise(self, text: str) -> list[int]:
        """Return the tokens of single bytes; what stands for a character that has not all of them."""
        table = self.vocabulary.byte_ids
        ids: list[int] = []
        for char in text:
            spelled = [table[byte] for byte in char.encode("utf-8", "surrogateescape")]
            ids += spelled if min(spelled) >= 0 else self._instead
        return ids

    def _probe_cuts(self) -> re.Pattern[str] | None:
        """Return where this tokenizer always cuts, each a match's end, found by trying it.

        1. After a line end before text, indented or not: splits that keep line ends apart from
           indentation (Qwen, Llama 3, Tekken, SentencePiece).
        2. Before the last blank of the indentation: GPT-2's split leaves that to the word. (Not
           before a digit: StarCoder splits digits off first.)
        3. After a line end before text that is not indented. 4. Nowhere that is known.
        """
        heads = ("x", ")", "():", "1;", '"a",', "é")
        tails = ("y", "(", "1", "_", "#", '"', "'s", "é", "世")
        blanks = ("", " ", "  ", "   ", "    ", "        ", " " * 12, "\t", "\t\t", "\t ", " \t")
        texts = [f"{head}\n{blank}{tail}" for head in heads for blank in blanks for tail in tails]
        whole = {text: self._encode(text) for text in texts}
        for pattern in (_LINE_CUT, _BEFORE_LAST_BLANK_CUT, _TOP_LEVEL_CUT):
            cuts = [(text, cut.end()) for text in texts for cut in pattern.finditer(text)]
            if all(self._encode(t[:at]) + self._encode(t[at:]) == whole[t] for t, at in cuts):
                return pattern
        return None


def _why_unmapped(vocabulary: Vocabulary, loses: str) -> str:
    if loses:
        return f"its tokenizer {loses}"
    byte = vocabulary.missing_byte
    return "" if byte is None else f"its tokenizer has no token for byte 0x{byte:02X}"
