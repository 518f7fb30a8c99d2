"""What the language server would send of other files at cursors of a tree, in a copy that tells no ends.

It is done in a copy of the cursor's package, made from what was read of the tree, in which the
cursor's file does not have the hidden text either. So nothing that reads the disk (a source of
context, static analysis) can find it there; a history of versions, and what a user opened, edited or
looked at, are not in the copy at all. The index is of the package as it is, but keeps places only:
what a snippet shows is read from the file again. What static analysis has said of one cursor is
forgotten before the next. Other files are as they are.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from completion.config import ContextConfig
from eval.build.spread import top_folder
from eval.build.tree import Tree
from eval.item import Item, Related

if TYPE_CHECKING:
    from lsp.context.collect import Gathered

INDEX_S = 600.0
"""How long the index of one package is waited for, in seconds: it has to be complete."""
SOURCE_MS = 60_000.0
"""What each source has: items must not depend on how busy the machine is. An editor's gathering has
less, but goes on in the background and remembers what was found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A place in a file of the tree."""

    path: str
    """From the tree's root."""
    text: bytes
    """Of the file, without what is hidden."""
    at: int
    """Bytes of it before the cursor."""


def gather(
    cursors: Sequence[Cursor], texts: Mapping[str, bytes], package: str, config: ContextConfig
) -> Iterator[tuple[Gathered, float]]:
    """Yield what would be sent at each cursor of ``package``, and the seconds that took.

    ``texts``: the files of the tree, by path.
    """
    # Late: it starts processes, and most of a build does without.
    from lsp.context.gather_now import Gathering

    patient = replace(
        config,
        definitions_ms=SOURCE_MS, imports_ms=SOURCE_MS, windows_ms=SOURCE_MS,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="caret-gathering-") as scratch:
        root = Path(scratch) / (package or "tree")
        _copy(texts, package, root)
        index = Path(scratch) / "index"
        with Gathering(root, patient, index_folder=index, index_s=INDEX_S) as gathering:
            for cursor in cursors:
                inside = inside_package(cursor.path)
                (root / inside).write_bytes(cursor.text)
                gathering.forget()  # at an earlier cursor this one's hidden text was there
                began = time.monotonic()
                found = gathering.at(inside, cursor.text, cursor.at, language_id="python")
                took = time.monotonic() - began
                (root / inside).write_bytes(texts[cursor.path])
                yield found, took


def with_gathered(items: Sequence[Item], tree: Tree, config: ContextConfig) -> Iterator[Item]:
    """Yield the items with what would be sent of other files, by package; ``related`` in front stays.

    Those that bring something themselves, a notebook's cells, or whose file is not in the tree under
    their path, are left as they are.
    """
    texts = {file.path: file.text for file in tree.files}
    packages: dict[str, list[Item]] = {}
    for item in items:
        if item.related or item.path not in texts:
            yield item
        else:
            packages.setdefault(top_folder(item.path), []).append(item)
    for package, inside in packages.items():
        cursors = [
            Cursor(path=item.path, text=item.prefix + item.suffix, at=len(item.prefix))
            for item in inside
        ]
        for item, (found, _) in zip(inside, gather(cursors, texts, package, config), strict=True):
            related = tuple(
                Related(path=s.path, text=s.text, kind=s.kind, relevance=round(s.relevance, 4))
                for s in found.snippets
            )
            yield replace(item, related=related)


def inside_package(path: str) -> str:
    """Return a path of the tree as its package has it."""
    return path.split("/", 1)[-1]


def _copy(texts: Mapping[str, bytes], package: str, root: Path) -> None:
    """Write the files of ``package`` that were read of the tree below ``root``."""
    for path, text in texts.items():
        if top_folder(path) == package:
            place = root / inside_package(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)
