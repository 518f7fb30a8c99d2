"""Tiny checkpoints of every family of models, made on the spot: real token names, random weights.

``tokenizer_json(case)`` needs only the tokenizers library; ``make_checkpoint`` writes a folder
through transformers, as a published model would be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

LINES = [
    "def parse(self, text):",
    "    return self.items[0]  # the first one",
    "        for name in sorted(values):",
    "class Reader(Base):",
    "\tif x == 10 and y != 25:",
    "import os, sys, json",
    "print(f'{key}: {value!r}')",
    "    # ein Wörterbuch, naïve café 世界 → 🙂",
    "def f(x): return x",
    "print(f(1))",
]
VOCABULARY = 640
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Qwen2's split, with one digit a token; Llama 3's differs in its digits only."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of tokenizer that is met in the wild."""

    name: str
    family: str
    split: str
    """``gpt2``, ``qwen``, ``deepseek`` (byte-level); ``llama``, ``metaspace``, ``gemma``; and
    ``unigram``, which is SentencePiece's other model."""
    special: tuple[str, ...]
    """Added tokens that say ``special: true``."""
    plain: tuple[str, ...] = ()
    """Added tokens that say ``special: false``."""
    bos: str = ""
    """What the tokenizer itself puts before a text."""
    eos: str = ""
    caret: dict[str, Any] = field(default_factory=dict)
    """``caret.json``."""


_QWEN_FIM = (
    "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>",
    "<|file_sep|>",
)  # fmt: skip
_STAR_FIM = ("<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>")

CASES = (
    Case(name="qwen", family="qwen", split="qwen", eos="<|endoftext|>",
         special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
         plain=(*_QWEN_FIM, "<tool_call>", "</tool_call>")),
    Case(name="caret", family="qwen", split="qwen", eos="<|endoftext|>",
         special=("<|endoftext|>", *_QWEN_FIM),
         caret={"format": 1, "family": "qwen", "arms": ["spm", "psm"], "default_arm": "spm",
                "snippet_format": 1, "context_tokens": 256, "name": "caret-test", "version": "0.1",
                "languages": ["python"]}),
    Case(name="starcoder2", family="starcoder", split="gpt2", eos="<|endoftext|>",
         special=("<|endoftext|>", *_STAR_FIM, "<repo_name>", "<file_sep>", "<gh_stars>")),
    Case(name="starcoder1", family="starcoder", split="gpt2", eos="<|endoftext|>",
         special=("<|endoftext|>", *_STAR_FIM, "<filename>", "<gh_stars>", "<reponame>"),
         plain=("    ", "        ")),
    Case(name="santacoder", family="santacoder", split="gpt2", eos="<|endoftext|>",
         special=("<|endoftext|>", "<fim-prefix>", "<fim-middle>", "<fim-suffix>", "<fim-pad>")),
    Case(name="deepseek", family="deepseek", split="deepseek",
         bos="<｜begin▁of▁sentence｜>", eos="<｜end▁of▁sentence｜>",
         special=("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
         plain=("õ", "÷", "Á", "ý", "À", "ÿ", "ø", "ú", "þ", "ü", "ù", "ö", "û",
                "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>", "<|EOT|>")),
    Case(name="codellama", family="codellama", split="llama", bos="<s>", eos="</s>",
         special=("<unk>", "<s>", "</s>", "▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>")),
    Case(name="codestral", family="codestral", split="metaspace", bos="<s>", eos="</s>",
         special=("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]")),
    Case(name="codegemma", family="codegemma", split="gemma", bos="<bos>", eos="<eos>",
         special=("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>",
                  "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_separator|>"),
         plain=("<unused0>", "\n", "\n\n", "\n\n\n", "▁▁", "▁▁▁▁", "\t\t", "<table>", "</s>")),
    Case(name="granite4", family="codegemma", split="qwen", eos="<|end_of_text|>",
         special=("<|end_of_text|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>",
                  "<|fim_pad|>", "<|filename|>", "<|reponame|>", "<|start_of_role|>")),
    Case(name="seedcoder", family="seedcoder", split="qwen",
         bos="<[begin▁of▁sentence]>", eos="<[end▁of▁sentence]>",
         special=("<[begin▁of▁sentence]>", "<[end▁of▁sentence]>", "<[fim-suffix]>",
                  "<[fim-prefix]>", "<[fim-middle]>")),
    Case(name="codegeex4", family="codegeex4", split="qwen", eos="<|endoftext|>",
         special=("<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>",
                  "<|observation|>", "<|code_prefix|>", "<|code_middle|>", "<|code_suffix|>")),
    Case(name="unigram", family="qwen", split="unigram", eos="</s>",
         special=("<unk>", "<s>", "</s>", *_QWEN_FIM)),
)  # fmt: skip
BY_NAME = {case.name: case for case in CASES}


@cache
def tokenizer_json(name: str) -> str:
    """Return the ``tokenizer.json`` of the case called ``name``."""
    case = BY_NAME[name]
    if case.split == "unigram":
        tokenizer = unigram(["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))])
    else:
        tokenizer = _byte_level(case) if case.split in _BYTE_SPLITS else _sentencepiece(case)
    for token in case.special:
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)])
    for token in case.plain:
        tokenizer.add_tokens([AddedToken(token, special=False, normalized=False)])
    if case.bos:
        bos_id = tokenizer.token_to_id(case.bos)
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{case.bos} $A", pair=f"{case.bos} $A $B", special_tokens=[(case.bos, bos_id)]
        )
    return tokenizer.to_str()


def _gpt2() -> Any:
    digits = pre_tokenizers.Digits(individual_digits=True)
    return pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])


def _qwen() -> Any:
    split = pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated")
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([split, last])


def _deepseek() -> Any:
    splits = [
        pre_tokenizers.Split(Regex(pattern), "isolated")
        for pattern in (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+")
    ]
    digits = pre_tokenizers.Digits(individual_digits=True)
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([*splits, digits, last])


_BYTE_SPLITS = {"gpt2": _gpt2, "qwen": _qwen, "deepseek": _deepseek}
_NOT_UTF8 = {chr(byte) for byte in (0xC0, 0xC1, *range(0xF5, 0x100))}


def _byte_level(case: Case) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if case.split == "qwen":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _BYTE_SPLITS[case.split]()
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = set(pre_tokenizers.ByteLevel.alphabet())
    if case.split == "deepseek":  # it has those as added tokens
        alphabet -= _NOT_UTF8
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(["\n".join(LINES) + "\n"] * 3, trainer)
    return tokenizer


def _sentencepiece(case: Case) -> Tokenizer:
    """BPE over ``▁`` for spaces, each byte a piece as well, no line end inside a piece."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - 260, show_progress=False)
    rare = str.maketrans("", "", "世界→🙂")  # these stay bytes
    learner.train_from_iterator([line.translate(rare) for line in LINES] * 3, trainer)
    learned = json.loads(learner.to_str())["model"]
    controls = [
        name for name in case.special if name in ("<unk>", "<s>", "</s>", "<pad>", "<eos>", "<bos>")
    ]
    pieces = [*controls, *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += sorted(set(learned["vocab"]) - set(pieces), key=learned["vocab"].__getitem__)
    tokenizer = Tokenizer(
        models.BPE(
            vocab={piece: at for at, piece in enumerate(pieces)},
            merges=[tuple(pair) for pair in learned["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    space = normalizers.Replace(" ", "▁")
    undo = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    if case.split == "llama":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), space])
        undo.append(decoders.Strip(" ", 1, 0))
    elif case.split == "metaspace":
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        undo.append(decoders.Strip(" ", 1, 0))
    else:
        tokenizer.normalizer = space
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(undo)
    return tokenizer


def unigram(first: list[str]) -> Tokenizer:
    """Return SentencePiece's Unigram, which has learned from the lines; ``first`` come first.

    With ``<0x00>`` and so on among them what has no piece falls back to bytes.
    """
    learner = Tokenizer(models.Unigram())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    trainer = trainers.UnigramTrainer(
        vocab_size=200, show_progress=False, unk_token="<unk>", special_tokens=["<unk>"]
    )
    rare = str.maketrans("", "", "世界→🙂")
    learner.train_from_iterator([line.translate(rare) for line in [*LINES, "a ? b"]] * 3, trainer)
    learned = json.loads(learner.to_str())["model"]["vocab"]
    pieces = [(piece, 0.0) for piece in first]
    pieces += [(piece, score) for piece, score in learned if piece not in first]
    fallback = "<0x00>" in first
    tokenizer = Tokenizer(
        models.Unigram(pieces, unk_id=first.index("<unk>"), byte_fallback=fallback)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    undo = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(undo)
    return tokenizer


def make_checkpoint(name: str, folder: Path, own: str = "") -> Path:
    """Write the case called ``name`` as a model folder, weights included, and return the folder.

    ``own``: a ``tokenizer.json`` in place of the case's own.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    case = BY_NAME[name]
    write_tokenizer(name, folder)
    if own:
        (folder / "tokenizer.json").write_text(own, encoding="utf-8")
    tokenizer = Tokenizer.from_str(own or tokenizer_json(name))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=-(-tokenizer.get_vocab_size() // 64) * 64,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=512,
        bos_token_id=tokenizer.token_to_id(case.bos) if case.bos else None,
        eos_token_id=tokenizer.token_to_id(case.eos),
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def write_tokenizer(name: str, folder: Path) -> None:
    """Write ``tokenizer.json`` and, where the case has one, ``caret.json``."""
    case = BY_NAME[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer_json(name), encoding="utf-8")
    settings = {"eos_token": case.eos, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    if case.caret:
        (folder / "caret.json").write_text(json.dumps(case.caret), encoding="utf-8")
