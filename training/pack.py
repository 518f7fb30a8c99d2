"""A run as one folder for a machine without a network: code, recipe, tokenizer, corpus.

There ``python run.py`` trains with nothing but torch, transformers, tokenizers and numpy, goes on
after an interruption, and leaves weights in parts that ``caret export`` joins. Lives here: what
goes into the folder and how it stays within its size.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from completion.errors import CaretError, UsageError
from training.corpus.linking import make_links
from training.corpus.shards import (
    Document,
    read_documents,
    read_manifest,
    write_manifest,
    write_shards,
)
from training.recipe import Recipe, recipe_table
from training.run.session import TOKENIZER_FILES
from training.tokenizer import load_tokenizer, sentinels_of

PACK_BYTES = 60 * 2**20
"""The most that a pack may weigh."""
LINKS_SHARE = 0.45
"""The share of corpus and links that the links take: 0.38 was measured."""
_ROOT = Path(__file__).parents[1]
_COMPLETION = ("errors.py", "prompt/snippets.py", "syntax")
"""The files and folders of ``completion`` that training imports."""
_RUN = '''"""Train what this folder holds: python run.py [--out DIR] [--device auto|cpu|cuda]."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "code"))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

if __name__ == "__main__":
    from training.run.session import main

    sys.exit(main(ROOT))
'''
_README = """# A packed training run

    python run.py --out DIR

needs torch, transformers, tokenizers and numpy, and no network. Interrupt it (SIGTERM, Ctrl-C) and
run it again: it goes on from its last checkpoint. Several devices: torchrun --nproc-per-node N
run.py --out DIR. Copy `weights.json`, `weights.part-*`, `metrics.jsonl`, `corpus.json` and
`tokenizer/` back from DIR and give their folder to `caret export`.
"""


def pack(
    recipe: Recipe, corpus: Path, tokenizer: Path, out: Path, *, limit: int = PACK_BYTES
) -> dict[str, Any]:
    """Write the pack and return its size, its documents and how many were left out.

    A corpus that is too large is thinned evenly by a hash of each document's name.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"--pack {out}: is not empty; give another folder")
    if sentinels_of(load_tokenizer(tokenizer)) and not read_manifest(corpus)["parts"]["train"]:
        raise UsageError(f"corpus {corpus}: it has no documents")
    out.mkdir(parents=True, exist_ok=True)
    _copy_code(out / "code")
    (out / "run.py").write_text(_RUN, encoding="utf-8")
    (out / "README.md").write_text(_README, encoding="utf-8")
    table = json.dumps(recipe_table(recipe), indent=1) + "\n"
    (out / "recipe.json").write_text(table, encoding="utf-8")
    (out / "tokenizer").mkdir()
    for name in TOKENIZER_FILES:
        shutil.copyfile(tokenizer / name, out / "tokenizer" / name)
    room = limit - size_of(out)
    with_links = recipe.data.definitions_rate > 0
    kept, total = _fit_corpus(corpus, out / "corpus", int(room * (1 - LINKS_SHARE * with_links)))
    if with_links:  # made anew: there may be fewer documents, and the other machine has no grammars
        make_links(out / "corpus", os.cpu_count() or 1, lambda done, total: None)
    size = size_of(out)
    if size > limit:
        raise CaretError(f"--pack {out}: {size} bytes, above {limit}; the corpus cannot be thinned")
    return {"bytes": size, "documents": kept, "left_out": total - kept}


def size_of(folder: Path) -> int:
    """Return the bytes of all files below ``folder``."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def _copy_code(out: Path) -> None:
    for path in sorted((_ROOT / "training").rglob("*")):
        if path.suffix in {".py", ".toml"} and "__pycache__" not in path.parts:
            _copy(path, out)
    for name in _COMPLETION:
        path = _ROOT / "completion" / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            _copy(file, out)
    for package in ("completion", "completion/prompt"):  # theirs would bring in the service
        (out / package / "__init__.py").write_text('"""A part of Caret."""\n', encoding="utf-8")


def _copy(path: Path, out: Path) -> None:
    target = out / path.relative_to(_ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _fit_corpus(corpus: Path, out: Path, room: int) -> tuple[int, int]:
    """Copy the corpus into ``room`` bytes, thinned as often as needed; return kept and total."""
    manifest = read_manifest(corpus)
    total = sum(e["documents"] for e in manifest["parts"]["train"])
    names = [e["file"] for part in manifest["parts"].values() for e in part]
    size = sum((corpus / n).stat().st_size for n in [*names, "manifest.json"])
    if size <= room:
        out.mkdir()
        for name in [*names, "manifest.json"]:
            shutil.copyfile(corpus / name, out / name)
        return total, total
    share = 0.97 * room / size
    while share > 0.001:
        chosen = [d for d in read_documents(corpus) if _lot(d) < share]
        held = [d for d in read_documents(corpus, "held_out") if _lot(d) < share]
        parts = {"train": write_shards(chosen, out, "train", preset=6)}
        parts["held_out"] = write_shards(held, out, "held", preset=6)
        write_manifest(out, {**manifest, "parts": parts, "thinned_to": share})
        if size_of(out) <= room and chosen:
            return len(chosen), total
        shutil.rmtree(out)
        share *= 0.9
    raise CaretError(f"corpus {corpus}: does not fit a pack of {room} bytes")


def _lot(document: Document) -> float:
    name = f"{document.package}/{document.path}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big") / 2**64
