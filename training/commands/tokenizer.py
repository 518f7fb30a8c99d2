"""``caret tokenizer``: train the byte-level BPE on a corpus."""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from completion.errors import UsageError
from training.corpus.shards import Document, read_documents
from training.run.progress import Progress
from training.tokenizer import load_text_encoder, save_tokenizer, train_tokenizer

HELP = "train a byte-level BPE tokenizer on a corpus"
_CHECKED = 200
"""Held-out documents on which the characters a token are measured."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help="a folder of caret corpus")
    add("--out", type=Path, required=True, metavar="DIR", help="where the tokenizer is written")
    add("--vocabulary", type=int, default=8192, metavar="N", help="tokens, sentinels included")
    add("--sample", type=int, default=40_000_000, metavar="N", help="characters to train on")
    add("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Train, write and measure; one that is there already is not trained again."""
    if args.sample <= 0:
        raise UsageError("--sample must be above 0")
    if (args.out / "tokenizer.json").is_file():
        raise UsageError(f"--out {args.out}: holds a tokenizer already; give another folder")
    bar = Progress("tokenizer")
    try:
        bar.show(0.0, "reading")
        documents = list(read_documents(args.corpus))
        tokenizer = train_tokenizer(sample(documents, args.sample), args.vocabulary)
        save_tokenizer(tokenizer, args.out)
        bar.show(0.9, "measuring", force=True)
    finally:
        bar.close()
    held = list(read_documents(args.corpus, "held_out"))[:_CHECKED] or documents[:_CHECKED]
    encoder = load_text_encoder(args.out)
    tokens = sum(len(e.ids) for e in encoder.encode_batch_fast([d.text for d in held]))
    rate = sum(len(d.text) for d in held) / max(1, tokens)
    result = {"vocabulary": tokenizer.get_vocab_size(), "characters_per_token": round(rate, 3)}
    text = f"{result['vocabulary']} tokens, {rate:.2f} characters a token on held-out text"
    print(json.dumps(result) if args.json else text)
    return 0


def sample(documents: list[Document], characters: int, *, seed: int = 0) -> Iterator[str]:
    """Yield texts in an order drawn by ``seed`` until ``characters`` are reached."""
    order = list(documents)
    random.Random(seed).shuffle(order)
    size = 0
    for document in order:
        if size >= characters:
            return
        size += len(document.text)
        yield document.text
