"""Bytes to token ids, losslessly, fast enough for every keystroke, and never to a sentinel.

It knows no template and no budget. Text is encoded in pieces between *safe cuts*, places where
the model's tokenizer always has a token boundary whatever follows, and the pieces are remembered:
a keystroke encodes the last piece only.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from hashlib import blake2b

from completion.healing.vocabulary import SPACE_MARK, Vocabulary
from completion.prompt.text_tokenizer import EncodeText, load_text_tokenizer

PIECE_CHARS = 768
"""Pieces are at least this long: short enough to encode in a fraction of a millisecond."""
CACHE_PIECES = 1024
"""Pieces remembered, in memory only: about a megabyte of text, as digests and token ids."""

_STRAY = re.compile(r"([\udc80-\udcff]+)")
_STRAY_OR_MARK = re.compile(rf"([\udc80-\udcff{SPACE_MARK}]+)")
_FIRM = r"[^\s\udc80-\udcff]"  # neither blank nor part of a character that may yet become blank
_TOP_LEVEL_CUT = re.compile(rf"(?<={_FIRM}\n)(?={_FIRM})")
_ANY_LINE_CUT = re.compile(rf"(?<={_FIRM}\n)(?=[ \t]*{_FIRM})")
_REPLACEMENT = ord("?")


class TextEncoder:
    """Encodes the text of documents for one tokenizer.

    ``vocabulary.bytes_of(encode(data)) == data`` for every ``data``, and no id of
    ``vocabulary.special_ids`` is ever produced. No BOS, no EOS, no normalisation. (A byte that no
    UTF-8 text can hold and for which the vocabulary has no token becomes ``?``.)
    """

    def __init__(self, vocabulary: Vocabulary, encode_text: EncodeText) -> None:
        """Take the vocabulary and the encoder of the same tokenizer."""
        self.vocabulary = vocabulary
        self._encode_text = encode_text
        self._special = vocabulary.special_ids
        marks_are_lossy = vocabulary.spelling == "sentencepiece"
        self._stray = _STRAY_OR_MARK if marks_are_lossy else _STRAY
        self._pieces: OrderedDict[bytes, tuple[int, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self._cut = self._probe_cuts()

    @classmethod
    def from_json(cls, tokenizer_json: str) -> TextEncoder:
        """Return the encoder of a ``tokenizer.json``; raises CaretError as the vocabulary does."""
        vocabulary = Vocabulary.from_json(tokenizer_json)
        return cls(vocabulary, load_text_tokenizer(tokenizer_json, vocabulary))

    def encode(self, data: bytes, *, dummy_prefix: bool = False) -> list[int]:
        """Return the token ids of ``data``.

        ``dummy_prefix`` puts the space before it that SentencePiece puts before a text's first
        token; without it a continuation stays a continuation. Byte-level tokenizers ignore it.
        """
        if dummy_prefix and self.vocabulary.spelling == "sentencepiece":
            data = b" " + data
        ids: list[int] = []
        for piece in self._split(data.decode("utf-8", "surrogateescape")):
            ids += self._piece(piece)
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
            cuts = [cut.start() for cut in self._cut.finditer(tail)]
            if cuts:
                return start + len(tail[: cuts[-1]].encode("utf-8", "surrogateescape"))
        return 0

    def _split(self, text: str) -> list[str]:
        if self._cut is None or len(text) < 2 * PIECE_CHARS:
            return [text] if text else []
        pieces: list[str] = []
        start = 0
        while (cut := self._cut.search(text, start + PIECE_CHARS)) is not None:
            pieces.append(text[start : cut.start()])
            start = cut.start()
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
                ids += self._bytewise(run.encode("utf-8", "surrogateescape"))
            elif run:
                ids += self._run(run)
        return ids

    def _run(self, text: str) -> list[int]:
        """Encode valid text, and prove that the tokens spell it; what they do not goes bytewise."""
        ids = self._encode_text(text)
        if self._spells(ids, text.encode()):
            return ids
        ids = list[int]()
        for char in text:  # some character is unknown, normalised, or part of a sentinel
            single = self._encode_text(char)
            data = char.encode()
            ids += single if self._spells(single, data) else self._bytewise(data)
        return ids

    def _spells(self, ids: list[int], data: bytes) -> bool:
        return self.vocabulary.bytes_of(ids) == data and self._special.isdisjoint(ids)

    def _bytewise(self, data: bytes) -> list[int]:
        table = self.vocabulary.byte_ids
        return [table[byte] if table[byte] >= 0 else table[_REPLACEMENT] for byte in data]

    def _probe_cuts(self) -> re.Pattern[str] | None:
        """Return where this tokenizer always cuts, found by trying it on short texts.

        After a line end between two non-blank characters for every split known (GPT-2, Qwen,
        Llama 3, Tekken, SentencePiece); before an indented line where the split keeps line ends
        apart from indentation (GPT-2's does not).
        """
        heads = ("x", ")", "():", "1;", '"a",', "é")
        tails = ("y", "(", "1", "_", "#", '"', "'s", "é", "世")
        blanks = ("", " ", "  ", "   ", "    ", "        ", " " * 12, "\t", "\t\t", "\t ")

        def exact(blank: str) -> bool:
            return all(
                self._encode(f"{head}\n{blank}{tail}")
                == self._encode(f"{head}\n") + self._encode(f"{blank}{tail}")
                for head in heads
                for tail in tails
            )

        if not exact(blanks[0]):
            return None
        return _ANY_LINE_CUT if all(exact(blank) for blank in blanks[1:]) else _TOP_LEVEL_CUT
