"""Cross-file items as rows of CrossCodeEval's published format, with what is sent of other files.

The gathering is the language server's own, for the text as it is before the reference is written.
No leak by construction: it is done in a copy of the item's package, made from what was read of the
tree, in which the item's file does not have the reference either. So nothing that reads the disk
(a source of context, static analysis) can find it there; a history of versions, and what a user
opened, edited or looked at, are not in the copy at all. The index is of the package as it is, but
keeps places only: what a snippet shows is read from the file again. What static analysis has said
of one item is forgotten before the next. Other files are as they are.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from completion.config import ContextConfig
from completion.syntax.definitions import Definition, definitions, shown_bytes
from completion.syntax.languages import language_for
from eval.build.cross_file import CrossFile
from eval.build.spread import top_folder
from eval.build.tree import Tree

CONTEXTS = ("none", "gathered", "definition")
"""Nothing; what the language server gathers; the definition of the reference's first name from
another file, which no gathering can know: an upper bound."""
INDEX_S = 600.0
"""How long the index of one package is waited for, in seconds: it has to be complete."""
SOURCE_MS = 60_000.0
"""What each source has: rows must not depend on how busy the machine is. An editor's gathering has
less, but goes on in the background and remembers what was found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """One row, and how its context came about."""

    row: dict[str, Any]
    shows_definition: bool
    """Whether a snippet has the line in which the reference's name is defined."""
    seconds: float = 0.0
    """Spent on gathering."""
    lacking: Mapping[str, str] = field(default_factory=dict[str, str])
    """By source of context what of it is missing, as the gathering says it."""


def build_rows(
    items: Sequence[CrossFile], tree: Tree, context: str, config: ContextConfig | None = None
) -> Iterator[Built]:
    """Yield a row for each item, by package and path: in the same order for every ``context``."""
    texts = {file.path: file.text for file in tree.files}
    ordered = sorted(items, key=lambda item: (top_folder(item.path), item.path, item.start))
    config = config or ContextConfig()
    if context != "gathered" or config.max_bytes == 0:
        for item in ordered:
            yield _built(item, texts, _definition(item, texts) if context == "definition" else [])
        return
    for package, group in groupby(ordered, key=lambda item: top_folder(item.path)):
        yield from _gathered(list(group), texts, package, config)


def _gathered(
    items: list[CrossFile], texts: Mapping[str, bytes], package: str, config: ContextConfig
) -> Iterator[Built]:
    # Late: it starts processes, and two contexts of three do without.
    from lsp.context.gather_now import Gathering

    patient = replace(
        config,
        definitions_ms=SOURCE_MS, imports_ms=SOURCE_MS, windows_ms=SOURCE_MS,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="caret-cross-file-") as scratch:
        root = Path(scratch) / (package or "tree")
        _copy(texts, package, root)
        index = Path(scratch) / "index"
        with Gathering(root, patient, index_folder=index, index_s=INDEX_S) as gathering:
            for item in items:
                inside = _inside(item.path)
                text = item.text[: item.start] + item.text[item.end :]
                (root / inside).write_bytes(text)
                gathering.forget()  # of an earlier item this one's reference was in the text
                began = time.monotonic()
                found = gathering.at(inside, text, item.start, language_id="python")
                took = time.monotonic() - began
                (root / inside).write_bytes(item.text)
                chunks = [
                    _chunk(s.path, s.text, s.kind, round(s.relevance, 4)) for s in found.snippets
                ]
                yield _built(item, texts, chunks, took, found.failed)


def _copy(texts: Mapping[str, bytes], package: str, root: Path) -> None:
    """Write the files of ``package`` that were read of the tree below ``root``."""
    for path, text in texts.items():
        if top_folder(path) == package:
            place = root / _inside(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)


def _definition(item: CrossFile, texts: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return the definition as gathering would show it."""
    meant = _meant(item, texts)
    if meant is None:
        return []
    shown = shown_bytes(texts[item.defined_in], meant.pieces)
    return [_chunk(_inside(item.defined_in), shown, "definition", 1.0)]


def _meant(item: CrossFile, texts: Mapping[str, bytes]) -> Definition | None:
    source, name = texts[item.defined_in], item.name.encode()
    language = language_for("", item.defined_in)
    for one in definitions(language, source) if language is not None else ():
        if one.name == name and source.count(b"\n", 0, one.at) + 1 == item.line:
            return one
    return None


def _shows(
    chunks: Sequence[Mapping[str, Any]], item: CrossFile, texts: Mapping[str, bytes]
) -> bool:
    """Return whether a snippet has the line of the definition, as far as definitions show it."""
    meant = _meant(item, texts) if chunks else None
    if meant is None:
        return False
    piece = next(piece for piece in meant.pieces if piece.start <= meant.at < piece.end)
    source = texts[item.defined_in]
    start = max(piece.start, source.rfind(b"\n", 0, meant.at) + 1)
    line = source[start : piece.end].split(b"\n", 1)[0].decode("utf-8", "replace").rstrip()
    return any(
        shown.startswith(line)
        for chunk in chunks
        if chunk["filename"] == _inside(item.defined_in)
        for shown in chunk["retrieved_chunk"].split("\n")
    )


def _chunk(path: str, text: bytes, kind: str, score: float) -> dict[str, Any]:
    """Return a snippet as the published files have it, and its kind beside."""
    shown = text.decode("utf-8", "replace")
    return {"retrieved_chunk": shown, "filename": path, "score": score, "kind": kind}


def _built(
    item: CrossFile, texts: Mapping[str, bytes], chunks: list[dict[str, Any]],
    seconds: float = 0.0, lacking: Mapping[str, str] | None = None,
) -> Built:  # fmt: skip
    return Built(
        row=_row(item, chunks),
        shows_definition=_shows(chunks, item, texts),
        seconds=seconds,
        lacking=lacking or {},
    )


def _row(item: CrossFile, chunks: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "prompt": item.text[: item.start].decode("utf-8"),
        "right_context": item.text[item.end :].decode("utf-8"),
        "groundtruth": item.reference.decode("utf-8"),
        "metadata": {
            "task_id": item.id,
            "repository": top_folder(item.path),
            "file": _inside(item.path),
            "context_start_lineno": 0,
            "groundtruth_start_lineno": item.text.count(b"\n", 0, item.start),
            "name": item.name,
            "defined_in": item.defined_in,
        },
    }
    if chunks:
        row["crossfile_context"] = {"text": "", "list": chunks}
    return row


def _inside(path: str) -> str:
    """Return a path of the tree as its package has it."""
    return path.split("/", 1)[-1]
