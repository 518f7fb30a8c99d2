"""The last filter, which needs a tokenizer that itself needs a corpus: characters a token.

Lives here: rewriting a corpus without its dense files. Everything else of it stays as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from training.corpus.account import checksum, totals
from training.corpus.filters import reject_tokens
from training.corpus.languages import language_of
from training.corpus.shards import (
    Document,
    read_documents,
    read_manifest,
    write_manifest,
    write_shards,
)
from training.tokenizer import load_text_encoder

_BATCH = 256


def refine(
    corpus: Path, tokenizer: Path, out: Path, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Write ``corpus`` to ``out`` without dense files and return its manifest.

    ``progress`` gets the files done and their total.
    """
    if corpus.resolve() == out.resolve():
        raise UsageError("--refine: --out must be another folder than the corpus")
    manifest, encoder = read_manifest(corpus), load_text_encoder(tokenizer)
    packages = manifest["packages"]
    total = sum(p["files"] for p in packages.values() if p["part"] == "train")
    tokens: Counter[str] = Counter()

    def kept() -> Iterator[Document]:
        documents, done = read_documents(corpus), 0
        while batch := list(islice(documents, _BATCH)):
            encodings = encoder.encode_batch_fast([d.text for d in batch])
            for document, encoding in zip(batch, encodings, strict=True):
                entry = packages[document.package]
                reason = reject_tokens(len(document.text), len(encoding.ids))
                if reason:
                    size = len(document.text.encode("utf-8"))
                    entry["files"] -= 1
                    entry["bytes"] -= size
                    languages, language = entry.get("languages", {}), language_of(document.path)
                    if language in languages:
                        languages[language] -= size
                    entry["dropped"][reason] = entry["dropped"].get(reason, 0) + 1
                    continue
                tokens[document.package] += len(encoding.ids)
                yield document
            done += len(batch)
            progress(done, total)

    entries = write_shards(kept(), out, "train")
    held = write_shards(read_documents(corpus, "held_out"), out, "held")
    for name, count in tokens.items():
        packages[name]["tokens"] = count
    manifest["parts"] = {"train": entries, "held_out": held}
    manifest["checksum"] = checksum(entries)
    manifest["totals"] = totals(packages)
    manifest["totals"]["train"]["tokens"] = tokens.total()
    manifest["settings"]["density_filter"] = True
    write_manifest(out, manifest)
    return manifest
