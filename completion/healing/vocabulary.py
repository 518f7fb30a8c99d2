"""The bytes of every token id, read from a fast tokenizer's JSON.

Two spellings of bytes are known: GPT-2's byte-level alphabet (StarCoder, Qwen, Llama 3, Tekken,
DeepSeek) and SentencePiece's pieces with ``▁`` for a space and ``<0x0A>`` for a byte (Llama 2,
Gemma, Codestral). It knows the standard ``json`` module and nothing of the library that encodes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, cast

from completion.errors import CaretError

SPACE_MARK = "▁"
"""U+2581, SentencePiece's spelling of a space."""
NEVER_IN_UTF8 = frozenset({0xC0, 0xC1, *range(0xF5, 0x100)})
"""Bytes that no UTF-8 text holds, not even one that is cut: a vocabulary may do without them."""

_HEX_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_HTML = (
    "table caption thead tbody tfoot tr th td h1 h2 h3 h4 h5 h6 blockquote "
    "strong em b i u s sub sup code"
)
TEXT_TAGS = frozenset(f"<{slash}{tag}>" for tag in _HTML.split() for slash in ("", "/"))
"""Gemma's added tokens that are ordinary text, where the tokenizer says ``special: false``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """What each token id stands for.

    Ids without text (special tokens, sentinels, holes in the numbering) have the bytes ``b""``.
    """

    token_bytes: tuple[bytes, ...] = field(repr=False)
    """Bytes of each id, V of them."""
    special: Mapping[str, int] = field(repr=False)
    """Name to id of every token that no text may ever become."""
    special_ids: frozenset[int] = field(repr=False)
    byte_ids: tuple[int, ...] = field(repr=False)
    """The single-byte token of each of 256 bytes; -1 for some of :data:`NEVER_IN_UTF8` at most."""
    spelling: Literal["byte_level", "sentencepiece"]
    dummy_prefix: bool
    """Whether the tokenizer, left to itself, puts a space before the first token of a text."""
    text_tokens: Mapping[str, int]
    """Added tokens that are ordinary text: runs of blanks, and Gemma's HTML tags."""

    def __len__(self) -> int:
        """Return V, the number of ids; the model's embedding may be padded to more."""
        return len(self.token_bytes)

    def is_special(self, token_id: int) -> bool:
        """Return whether ``token_id`` stands for no text, as holes and ids past the end do."""
        return not (0 <= token_id < len(self.token_bytes) and self.token_bytes[token_id])

    def bytes_of(self, token_ids: Iterable[int]) -> bytes:
        """Return the concatenated bytes of ``token_ids``; ids without text add nothing."""
        table, size = self.token_bytes, len(self.token_bytes)
        return b"".join([table[i] for i in token_ids if 0 <= i < size])

    def length_of(self, token_ids: Iterable[int]) -> int:
        """Return how many bytes ``token_ids``, all of them in the vocabulary, spell."""
        return sum(map(len, map(self.token_bytes.__getitem__, token_ids)))

    @classmethod
    def from_json(cls, tokenizer_json: str) -> Vocabulary:
        """Read ``tokenizer.json``.

        Raises:
            CaretError: it is no BPE of a known spelling, or a byte of UTF-8 has no token.
        """
        tree = _object(tokenizer_json)
        model: dict[str, Any] = tree.get("model") or {}
        vocab: Any = model.get("vocab")
        if not isinstance(vocab, dict) or model.get("type", "BPE") != "BPE":
            kind = model.get("type", "no model")
            raise CaretError(
                f"tokenizer.json holds {kind}: only BPE (byte-level or SentencePiece) is known"
            )
        pieces = cast("dict[str, int]", vocab)
        added: list[dict[str, Any]] = tree.get("added_tokens") or []
        spelling = _spelling(tree, model)
        size = 1 + max([*pieces.values(), *(int(token["id"]) for token in added)], default=-1)
        table: list[bytes] = [b""] * size
        for piece, token_id in pieces.items():
            table[token_id] = piece_bytes(piece, spelling)
        special: dict[str, int] = {}
        text_tokens: dict[str, int] = {}
        for token in added:
            name, token_id = str(token["content"]), int(token["id"])
            if _stands_for_a_byte(name, token, spelling, pieces):
                table[token_id] = _from_alphabet()[name].to_bytes()
            elif is_text(name, special=bool(token.get("special"))):
                text_tokens[name] = token_id
                table[token_id] = name.replace(SPACE_MARK, " ").encode()
            else:
                special[name] = token_id
                table[token_id] = b""
        unknown = model.get("unk_token")
        if isinstance(unknown, str) and unknown in pieces:
            special[unknown] = pieces[unknown]
            table[pieces[unknown]] = b""
        return cls(
            token_bytes=tuple(table),
            special=special,
            special_ids=frozenset(special.values()),
            byte_ids=_byte_ids(pieces, table, spelling),
            spelling=spelling,
            dummy_prefix=_dummy_prefix(tree),
            text_tokens=text_tokens,
        )


def is_text(name: str, *, special: bool) -> bool:
    """Return whether the added token ``name`` is ordinary text rather than a sentinel.

    Only runs of blanks (indentation tokens) and known HTML tags are: Qwen's FIM sentinels are
    added tokens that say ``special: false``, so that flag alone decides nothing.
    """
    if special or not name:
        return False
    return not name.replace(SPACE_MARK, " ").strip() or name in TEXT_TAGS


def piece_bytes(piece: str, spelling: str) -> bytes:
    """Return the bytes that a vocabulary entry spells."""
    if spelling == "sentencepiece":
        if match := _HEX_BYTE.fullmatch(piece):
            return bytes([int(match[1], 16)])
        return piece.replace(SPACE_MARK, " ").encode()
    alphabet = _from_alphabet()
    try:
        return bytes([alphabet[char] for char in piece])
    except KeyError:  # not spelled in the alphabet: an added token that is in the vocabulary too
        return piece.encode()


@cache
def byte_alphabet() -> tuple[str, ...]:
    """Return GPT-2's 256 characters: printable Latin-1 as it is, the others from U+0100 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in plain else next(others)) for byte in range(256))


@cache
def _from_alphabet() -> dict[str, int]:
    return {char: byte for byte, char in enumerate(byte_alphabet())}


def _object(text: str) -> dict[str, Any]:
    try:
        tree: Any = json.loads(text)
    except ValueError as error:
        raise CaretError(f"tokenizer.json is not JSON ({error}); fetch the model again") from None
    if not isinstance(tree, dict):
        raise CaretError("tokenizer.json holds no object; fetch the model again")
    return cast("dict[str, Any]", tree)


def _spelling(
    tree: Mapping[str, Any], model: Mapping[str, Any]
) -> Literal["byte_level", "sentencepiece"]:
    steps = [*parts(tree.get("pre_tokenizer")), *parts(tree.get("decoder"))]
    kinds = {step.get("type") for step in steps}
    if "ByteLevel" in kinds:
        return "byte_level"
    if "Metaspace" in kinds or model.get("byte_fallback"):
        return "sentencepiece"
    raise CaretError(
        "tokenizer.json is neither byte-level nor SentencePiece with byte fallback: "
        "convert the tokenizer to one of these"
    )


def parts(step: Any) -> list[dict[str, Any]]:
    """Return the steps of a normaliser, pre-tokenizer or decoder, sequences laid flat."""
    if not isinstance(step, dict):
        return []
    node = cast("dict[str, Any]", step)
    for name in ("pretokenizers", "normalizers", "decoders"):
        if node.get("type") == "Sequence" and name in node:
            return [leaf for child in node[name] for leaf in parts(child)]
    return [node]


def _dummy_prefix(tree: Mapping[str, Any]) -> bool:
    for step in [*parts(tree.get("normalizer")), *parts(tree.get("pre_tokenizer"))]:
        if step.get("type") == "Prepend" or step.get("add_prefix_space"):
            return True
        if step.get("type") == "Metaspace" and step.get("prepend_scheme", "always") != "never":
            return True
    return False


def _stands_for_a_byte(
    name: str, token: Mapping[str, Any], spelling: str, pieces: Mapping[str, int]
) -> bool:
    """DeepSeek-Coder adds the bytes that UTF-8 never holds as tokens in the byte alphabet."""
    if spelling != "byte_level" or token.get("special") or name in pieces:
        return False
    return _from_alphabet().get(name, -1) in NEVER_IN_UTF8


def _byte_ids(pieces: Mapping[str, int], table: list[bytes], spelling: str) -> tuple[int, ...]:
    single = {text[0]: token_id for token_id, text in enumerate(table) if len(text) == 1}
    found: list[int] = []
    for byte, char in enumerate(byte_alphabet()):
        name = char if spelling == "byte_level" else f"<0x{byte:02X}>"
        token_id = pieces.get(name, single.get(byte, -1))
        if token_id < 0 and byte not in NEVER_IN_UTF8:
            raise CaretError(
                f"the tokenizer has no token for byte 0x{byte:02X}: it cannot spell every text"
            )
        found.append(token_id)
    return tuple(found)
