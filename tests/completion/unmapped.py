"""Tokenizers with FIM sentinels that cannot be mapped to bytes, one of each kind, made on the spot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from completion.healing.spelling import byte_alphabet
from tests.completion.families import BY_NAME, LINES, tokenizer_json, unigram


def _without_a_byte() -> Tokenizer:
    """Byte-level BPE that has never seen the last byte of é (0xA9), nor any piece with it."""
    tree = json.loads(tokenizer_json("qwen"))
    char = byte_alphabet()[0xA9]
    model = tree["model"]
    model["merges"] = [pair for pair in model["merges"] if char not in "".join(pair)]
    model["vocab"] = _numbered(piece for piece in model["vocab"] if char not in piece)
    tree["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(tree))


def _without_fallback() -> Tokenizer:
    """SentencePiece's BPE with characters for pieces and no bytes behind them."""
    tree = json.loads(tokenizer_json("codestral"))
    tree["model"]["byte_fallback"] = False
    pieces = [piece for piece in tree["model"]["vocab"] if not piece.startswith("<0x")]
    tree["model"]["vocab"] = _numbered([*pieces, "?"])
    tree["added_tokens"], tree["post_processor"] = [], None
    return Tokenizer.from_str(json.dumps(tree))


def _numbered(pieces: Iterable[str]) -> dict[str, int]:
    return {piece: at for at, piece in enumerate(pieces)}


def _unigram_without_fallback() -> Tokenizer:
    return unigram(["<unk>", "<s>", "</s>"])


def _lower_case() -> Tokenizer:
    tokenizer = Tokenizer.from_str(tokenizer_json("qwen"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    return tokenizer


def _one_line() -> Tokenizer:
    """As T5's: every run of blanks is one space, line ends too."""
    tokenizer = unigram(["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))])
    tokenizer.normalizer = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    return tokenizer


def _word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    trainer = trainers.WordPieceTrainer(
        vocab_size=400, special_tokens=["[UNK]"], show_progress=False
    )
    tokenizer.train_from_iterator(LINES * 3, trainer)
    return tokenizer


def _words() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator([*LINES, "? <|fim_middle|>"], trainer)
    return tokenizer


def _word_ends() -> Tokenizer:
    """BPE that marks where a word ends, without bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(LINES * 3, trainer)
    return tokenizer


_MAKERS: dict[str, tuple[Callable[[], Tokenizer], str]] = {
    "without-a-byte": (_without_a_byte, "has no token for byte 0xA9"),
    "without-fallback": (_without_fallback, "has no token for byte 0x00"),
    "unigram-without-fallback": (_unigram_without_fallback, "has no token for byte 0x00"),
    "lower-case": (_lower_case, "changes text before it encodes it (Lowercase)"),
    "one-line": (_one_line, "drops what stands between words (WhitespaceSplit)"),
    "word-piece": (_word_piece, "drops what stands between words (BertPreTokenizer)"),
    "words": (_words, "drops what stands between words (WhitespaceSplit)"),
    "word-ends": (_word_ends, "drops what stands between words (WhitespaceSplit)"),
}
WHY = {name: f"its tokenizer {why}" for name, (_, why) in _MAKERS.items()}
"""By the kind's name: what is said of it."""
LOSING = ("lower-case", "one-line", "word-piece", "words", "word-ends")
"""Those that lose text which they do know every character of."""


@cache
def unmapped_json(name: str) -> str:
    """Return the ``tokenizer.json`` of one kind, with the sentinels of Qwen's family."""
    tokenizer = _MAKERS[name][0]()
    qwen = BY_NAME["qwen"]
    for sentinel in (*qwen.special, *qwen.plain):
        tokenizer.add_special_tokens([AddedToken(sentinel, special=True, normalized=False)])
    return tokenizer.to_str()
