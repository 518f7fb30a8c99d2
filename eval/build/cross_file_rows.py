"""Cross-file items as rows of CrossCodeEval's published format, with what was gathered for each.

The gathering is the language server's own, in the item's package, for the text as it is before the
reference is written: of the item's file what lies on disk does not count. The index is of the disk,
so a snippet of that file itself is dropped where it shows the line of the reference.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from completion.config import ContextConfig
from eval.build.cross_file import CrossFile
from eval.build.spread import top_folder

CONTEXTS = ("none", "gathered", "definition")
"""Nothing; what the language server gathers; the definition of the reference's first name from
another file, which no gathering can know: an upper bound."""


def rows(
    items: Sequence[CrossFile], folder: Path, context: str, config: ContextConfig | None = None
) -> Iterator[dict[str, Any]]:
    """Yield one row for each item, by package and path; ``folder`` is where the tree lies."""
    ordered = sorted(items, key=lambda item: (top_folder(item.path), item.path, item.start))
    for package, group in groupby(ordered, key=lambda item: top_folder(item.path)):
        if context == "gathered":
            yield from _gathered(list(group), folder / package, package, config)
        else:
            for item in group:
                yield _row(item, _definition(item) if context == "definition" else [])


def _gathered(
    items: list[CrossFile], root: Path, package: str, config: ContextConfig | None
) -> Iterator[dict[str, Any]]:
    # Late: it reads grammars, and two contexts of three do without.
    from lsp.context.gather_now import Gathering

    with (
        tempfile.TemporaryDirectory(prefix="caret-index-") as index,
        Gathering(root, config, index_folder=Path(index)) as gathering,
    ):
        for item in items:
            inside = item.path.removeprefix(package + "/") if package else item.path
            text = item.text[: item.start] + item.text[item.end :]
            found = gathering.at(inside, text, item.start, language_id="python")
            yield _row(
                item,
                [
                    {
                        "retrieved_chunk": snippet.text.decode("utf-8", "replace"),
                        "filename": snippet.path,
                        "score": round(snippet.relevance, 4),
                    }
                    for snippet in found.snippets
                    if snippet.path != inside or item.reference not in snippet.text
                ],
            )


def _definition(item: CrossFile) -> list[dict[str, Any]]:
    name = item.defined_in.split("/", 1)[-1]
    return [{"retrieved_chunk": item.definition + "\n", "filename": name, "score": 1.0}]


def _row(item: CrossFile, chunks: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "prompt": item.text[: item.start].decode("utf-8"),
        "right_context": item.text[item.end :].decode("utf-8"),
        "groundtruth": item.reference.decode("utf-8"),
        "metadata": {
            "task_id": item.id,
            "repository": top_folder(item.path),
            "file": item.path.split("/", 1)[-1],
            "context_start_lineno": 0,
            "groundtruth_start_lineno": item.text.count(b"\n", 0, item.start),
            "name": item.name,
            "defined_in": item.defined_in,
        },
    }
    if chunks:
        row["crossfile_context"] = {"text": "", "list": chunks}
    return row
