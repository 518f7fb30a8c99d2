"""How the pieces of a vocabulary spell bytes, and which splitters lose what stands between words.

A tokenizer's JSON in, plain values out; it knows nothing of the library that encodes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast

SPACE_MARK = "▁"
"""U+2581, SentencePiece's spelling of a space."""
Kind = Literal["byte_level", "sentencepiece", "plain", "words"]

_HEX_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_DROPPING = ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "CharDelimiterSplit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spelling:
    """One tokenizer's way to write bytes down."""

    kind: Kind
    """``byte_level``: GPT-2's alphabet (StarCoder, Qwen, Llama 3, Tekken, DeepSeek).
    ``sentencepiece``: ``▁`` for a space, ``<0x0A>`` for a byte (Llama 2, Gemma, Codestral).
    ``plain``: the text itself. ``words``: words without what stands between them (BERT)."""
    inside: str = ""
    """What marks a piece that goes on inside a word: WordPiece's ``##``."""
    ends_word: str = ""
    """What marks a piece that ends a word: ``</w>``."""

    def bytes_of(self, piece: str) -> bytes:
        """Return what ``piece`` spells; of ``words`` with the space that its decoder puts there."""
        if self.kind == "byte_level":
            alphabet = from_alphabet()
            try:
                return bytes([alphabet[char] for char in piece])
            except KeyError:  # not in the alphabet: an added token that is in the vocabulary too
                return piece.encode()
        if match := _HEX_BYTE.fullmatch(piece):
            return bytes([int(match[1], 16)])
        if self.kind == "sentencepiece":
            return piece.replace(SPACE_MARK, " ").encode()
        whole = piece.removesuffix(self.ends_word) if self.ends_word else piece
        after = " " if self.kind == "words" and whole != piece else ""
        inner = whole.removeprefix(self.inside) if self.inside else whole
        starts = self.kind == "words" and not self.ends_word and inner == whole
        return ((" " if starts else "") + inner + after).encode()

    def name_of(self, byte: int) -> str:
        """Return the piece that a single byte has where the vocabulary has one for it."""
        return byte_alphabet()[byte] if self.kind == "byte_level" else f"<0x{byte:02X}>"


def spelling_of(tree: Mapping[str, Any], model: Mapping[str, Any]) -> Spelling:
    """Return the spelling of ``tokenizer.json`` and its model."""
    before = parts(tree.get("pre_tokenizer"))
    steps = [*parts(tree.get("normalizer")), *before, *parts(tree.get("decoder"))]
    kinds = {step.get("type") for step in steps}
    inside = str(model.get("continuing_subword_prefix") or "")
    if model.get("type") == "WordPiece":
        inside = inside or "##"
    ends_word = str(model.get("end_of_word_suffix") or "")
    kind: Kind = "words" if dropping(before) else "plain"
    if "ByteLevel" in kinds:
        kind = "byte_level"
    elif "Metaspace" in kinds or model.get("byte_fallback") or any(map(_marks_spaces, steps)):
        kind = "sentencepiece"
    return Spelling(kind=kind, inside=inside, ends_word=ends_word)


def dropping(splitters: list[dict[str, Any]]) -> str:
    """Return the name of the first splitter that drops what stands between words, or nothing."""
    for step in splitters:
        name = str(step.get("type"))
        if name in _DROPPING or step.get("behavior") == "Removed":
            return name
    return ""


def puts_space_first(tree: Mapping[str, Any]) -> bool:
    """Return whether the tokenizer, left to itself, puts a space before a text."""
    for step in [*parts(tree.get("normalizer")), *parts(tree.get("pre_tokenizer"))]:
        if step.get("type") == "Prepend" or step.get("add_prefix_space"):
            return True
        if step.get("type") == "Metaspace" and step.get("prepend_scheme", "always") != "never":
            return True
    return False


def parts(step: Any) -> list[dict[str, Any]]:
    """Return the steps of a normaliser, pre-tokenizer or decoder, sequences laid flat."""
    if not isinstance(step, dict):
        return []
    node = cast("dict[str, Any]", step)
    for name in ("pretokenizers", "normalizers", "decoders"):
        if node.get("type") == "Sequence" and name in node:
            return [leaf for child in node[name] for leaf in parts(child)]
    return [node]


@cache
def byte_alphabet() -> tuple[str, ...]:
    """Return GPT-2's 256 characters: printable Latin-1 as it is, the others from U+0100 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in plain else next(others)) for byte in range(256))


@cache
def from_alphabet() -> dict[str, int]:
    """Return the byte of each character of :func:`byte_alphabet`."""
    return {char: byte for byte, char in enumerate(byte_alphabet())}


def _marks_spaces(step: Mapping[str, Any]) -> bool:
    """Return whether a ``Replace`` writes ``▁`` for a space, or takes it back."""
    if step.get("type") != "Replace":
        return False
    pattern = cast("dict[str, Any]", step.get("pattern") or {})
    return SPACE_MARK in (step.get("content"), pattern.get("String"))
