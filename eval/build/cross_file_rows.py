"""Cross-file items as rows of CrossCodeEval's published format, with what is sent of other files.

The gathering is the language server's own (:mod:`eval.build.gathering`), for the text as it is before
the reference is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from completion.config import ContextConfig
from completion.syntax.definitions import Definition, definitions, shown_bytes
from completion.syntax.languages import language_for
from eval.build.cross_file import CrossFile
from eval.build.gathering import Cursor, gather, inside_package
from eval.build.spread import top_folder
from eval.build.tree import Tree

CONTEXTS = ("none", "gathered", "definition")
"""Nothing; what the language server gathers; the definition of the reference's first name from
another file, which no gathering can know: an upper bound."""


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
    cursors = [
        Cursor(path=one.path, text=one.text[: one.start] + one.text[one.end :], at=one.start)
        for one in items
    ]
    for item, (found, took) in zip(items, gather(cursors, texts, package, config), strict=True):
        chunks = [_chunk(s.path, s.text, s.kind, round(s.relevance, 4)) for s in found.snippets]
        yield _built(item, texts, chunks, took, found.failed)


def _definition(item: CrossFile, texts: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return the definition as gathering would show it."""
    meant = _meant(item, texts)
    if meant is None:
        return []
    shown = shown_bytes(texts[item.defined_in], meant.pieces)
    return [_chunk(inside_package(item.defined_in), shown, "definition", 1.0)]


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
        if chunk["filename"] == inside_package(item.defined_in)
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
            "file": inside_package(item.path),
            "context_start_lineno": 0,
            "groundtruth_start_lineno": item.text.count(b"\n", 0, item.start),
            "name": item.name,
            "defined_in": item.defined_in,
        },
    }
    if chunks:
        row["crossfile_context"] = {"text": "", "list": chunks}
    return row
