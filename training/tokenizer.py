"""Byte-level BPE for code, and its two faces: text to ids, and what other programs load.

Lives here: the split into words, training, the sentinels, reading and writing. It knows nothing
of FIM. Text never becomes a sentinel: :func:`load_text_encoder` encodes them as ordinary text,
and whoever wants one takes its id from :class:`Sentinels`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from completion.errors import UsageError

END = "<|endoftext|>"
FIM_PREFIX = "<|fim_prefix|>"
FIM_SUFFIX = "<|fim_suffix|>"
FIM_MIDDLE = "<|fim_middle|>"
FIM_PAD = "<|fim_pad|>"
REPO_NAME = "<|repo_name|>"
FILE_SEP = "<|file_sep|>"
SENTINELS = (END, FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE, FIM_PAD, REPO_NAME, FILE_SEP)
"""Qwen2.5-Coder's names, which every client knows; they take the first ids."""

SPLIT = (
    r"\r\n|\r|\n"
    r"| ?[\p{L}\p{M}_]+"
    r"| ?\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}_]+"
    r"|[^\S\r\n]+(?!\S)"
    r"|[^\S\r\n]+"
)
"""A line end stands alone, so no token spans one; digits are single; an indentation is a run whose
last space goes to the word behind it, so that ``self`` has one spelling after any blank."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentinels:
    """The ids of the sentinels."""

    end: int
    fim_prefix: int
    fim_suffix: int
    fim_middle: int
    fim_pad: int
    repo_name: int
    file_sep: int


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """Train on ``texts``; ``vocabulary`` counts the sentinels and the 256 bytes."""
    if vocabulary < 256 + len(SENTINELS):
        raise UsageError(f"--vocabulary {vocabulary}: at least {256 + len(SENTINELS)} are needed")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(s, special=True, normalized=False) for s in SENTINELS],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() > vocabulary:
        raise UsageError(f"--vocabulary {vocabulary}: too small")
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, *, context: int = 2048) -> None:
    """Write the two files that ``AutoTokenizer`` loads, without remote code."""
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "bos_token": END,
        "eos_token": END,
        "pad_token": FIM_PAD,
        "additional_special_tokens": [s for s in SENTINELS if s not in {END, FIM_PAD}],
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
    }
    tokenizer.save(str(folder / "tokenizer.json"))
    text = json.dumps(config, indent=1) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load the tokenizer in which sentinels are sentinels."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise UsageError(f"tokenizer {folder}: no tokenizer.json; train one with caret tokenizer")
    return Tokenizer.from_file(str(path))


def load_text_encoder(folder: Path) -> Tokenizer:
    """Load the tokenizer for text of files: a sentinel's name in it is encoded as its letters."""
    tokenizer = load_tokenizer(folder)
    tokenizer.encode_special_tokens = True
    return tokenizer


def sentinels_of(tokenizer: Tokenizer) -> Sentinels:
    """Return the ids of the sentinels; a tokenizer that lacks one is a :class:`UsageError`."""
    ids: list[int] = []
    for sentinel in SENTINELS:
        found = tokenizer.token_to_id(sentinel)
        if found is None:
            raise UsageError(f"tokenizer: {sentinel} is missing; train one with caret tokenizer")
        ids.append(found)
    names = ("end", "fim_prefix", "fim_suffix", "fim_middle", "fim_pad", "repo_name", "file_sep")
    return Sentinels(**dict(zip(names, ids, strict=True)))


class Spelled(Protocol):
    """An encoder of another family, which knows its own spelling."""

    token_bytes: Sequence[bytes]


def token_bytes(tokenizer: Tokenizer | Spelled) -> list[bytes]:
    """Return the bytes of every id; a sentinel has none."""
    if not isinstance(tokenizer, Tokenizer):
        return list(tokenizer.token_bytes)
    table = _byte_of_character()
    special = set(SENTINELS)
    out: list[bytes] = []
    for i in range(tokenizer.get_vocab_size()):
        token = tokenizer.id_to_token(i) or ""
        out.append(b"" if token in special else bytes(table[c] for c in token))
    return out


def _byte_of_character() -> dict[str, int]:
    """GPT-2's table of printable characters for bytes, inverted."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in printable}
    others = [b for b in range(256) if b not in set(printable)]
    return table | {chr(256 + n): b for n, b in enumerate(others)}
