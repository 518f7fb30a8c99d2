"""The bytes of every token id, read from a fast tokenizer's JSON.

One that has a token for every byte can spell every text; of another the pieces are known and
:attr:`Vocabulary.missing_byte` says what is not. It knows the standard ``json`` module and nothing
of the library that encodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from completion.errors import CaretError
from completion.healing.spelling import (
    SPACE_MARK,
    Kind,
    Spelling,
    byte_alphabet,
    from_alphabet,
    puts_space_first,
    spelling_of,
)

__all__ = ["NEVER_IN_UTF8", "SPACE_MARK", "TEXT_TAGS", "Vocabulary", "byte_alphabet", "is_text"]

NEVER_IN_UTF8 = frozenset({0xC0, 0xC1, *range(0xF5, 0x100)})
"""Bytes that no UTF-8 text holds, not even one that is cut: a vocabulary may do without them."""
MOST_IDS = 1 << 24
"""More than any vocabulary has; a larger id is a broken file."""

_MODELS = ("BPE", "Unigram", "WordPiece", "WordLevel")
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
    """The single-byte token of each of 256 bytes; -1 where there is none."""
    spelling: Kind
    dummy_prefix: bool
    """Whether the tokenizer, left to itself, puts a space before the first token of a text."""
    text_tokens: Mapping[str, int]
    """Added tokens that are ordinary text: runs of blanks, and Gemma's HTML tags."""

    @property
    def missing_byte(self) -> int | None:
        """The first byte that some text holds and no token spells alone; ``None``: there is none."""
        ids = enumerate(self.byte_ids)
        return next((b for b, i in ids if i < 0 and b not in NEVER_IN_UTF8), None)

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
            CaretError: it holds no vocabulary that can be read.
        """
        tree = _object(tokenizer_json)
        model: dict[str, Any] = tree.get("model") or {}
        try:
            return cls._read(tree, model, _pieces(model))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise CaretError(
                f"tokenizer.json is not as the tokenizers library writes it ({error!r}); "
                "fetch the model again"
            ) from None

    @classmethod
    def _read(
        cls, tree: Mapping[str, Any], model: Mapping[str, Any], pieces: list[tuple[str, int]]
    ) -> Vocabulary:
        named = dict(pieces)
        added: list[dict[str, Any]] = tree.get("added_tokens") or []
        spelling = spelling_of(tree, model)
        ids = [*(i for _, i in pieces), *(int(token["id"]) for token in added)]
        if not 0 <= min(ids) <= max(ids) < MOST_IDS:
            raise ValueError("an id out of range")
        table: list[bytes] = [b""] * (1 + max(ids))
        for piece, token_id in pieces:
            table[token_id] = spelling.bytes_of(piece)
        special: dict[str, int] = {}
        text_tokens: dict[str, int] = {}
        for token in added:
            name, token_id = str(token["content"]), int(token["id"])
            if _stands_for_a_byte(name, token, spelling, named):
                table[token_id] = from_alphabet()[name].to_bytes()
            elif is_text(name, special=bool(token.get("special"))):
                text_tokens[name] = token_id
                table[token_id] = name.replace(SPACE_MARK, " ").encode()
            else:
                special[name] = token_id
                table[token_id] = b""
        unknown = _unknown(model, pieces)
        if unknown in named:
            special[unknown] = named[unknown]
            table[named[unknown]] = b""
        return cls(
            token_bytes=tuple(table),
            special=special,
            special_ids=frozenset(special.values()),
            byte_ids=_byte_ids(named, table, spelling),
            spelling=spelling.kind,
            dummy_prefix=puts_space_first(tree),
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


def _object(text: str) -> dict[str, Any]:
    try:
        tree: Any = json.loads(text)
    except ValueError as error:
        raise CaretError(f"tokenizer.json is not JSON ({error}); fetch the model again") from None
    if not isinstance(tree, dict):
        raise CaretError("tokenizer.json holds no object; fetch the model again")
    return cast("dict[str, Any]", tree)


def _pieces(model: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the model's pieces with their ids; Unigram's list may hold a piece twice."""
    vocab: Any = model.get("vocab")
    kind = model.get("type") or ("Unigram" if isinstance(vocab, list) else "BPE")
    shape = list if kind == "Unigram" else dict
    if kind not in _MODELS or not isinstance(vocab, shape) or not vocab:
        found = kind if model else "no model"
        known = f"{', '.join(_MODELS[:-1])} or {_MODELS[-1]}"
        raise CaretError(f"tokenizer.json holds {found}; a vocabulary of {known} is needed")
    if kind == "Unigram":
        scored = cast("list[tuple[str, float]]", vocab)
        return [(str(piece), at) for at, (piece, _) in enumerate(scored)]
    return [(piece, int(at)) for piece, at in cast("dict[str, int]", vocab).items()]


def _unknown(model: Mapping[str, Any], pieces: list[tuple[str, int]]) -> str:
    """Return the name of what stands for unknown text, or nothing."""
    at = model.get("unk_id")
    return pieces[at][0] if isinstance(at, int) else str(model.get("unk_token") or "")


def _stands_for_a_byte(
    name: str, token: Mapping[str, Any], spelling: Spelling, pieces: Mapping[str, int]
) -> bool:
    """DeepSeek-Coder adds the bytes that UTF-8 never holds as tokens in the byte alphabet."""
    if spelling.kind != "byte_level" or token.get("special") or name in pieces:
        return False
    return from_alphabet().get(name, -1) in NEVER_IN_UTF8


def _byte_ids(pieces: Mapping[str, int], table: list[bytes], spelling: Spelling) -> tuple[int, ...]:
    single = {text[0]: token_id for token_id, text in enumerate(table) if len(text) == 1}
    return tuple(pieces.get(spelling.name_of(b), single.get(b, -1)) for b in range(256))
