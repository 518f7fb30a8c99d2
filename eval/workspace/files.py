"""The files of a workspace as the language server may send them, and the nearest of them to a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from completion.config import ContextConfig
from completion.errors import UsageError
from eval.build.tree import checksum


@dataclass(frozen=True)
class Files:
    """Files by path, line ends ``\\n``; secrets masked."""

    texts: Mapping[str, bytes]
    """By path from the workspace folder, with slashes."""

    @cached_property
    def sha256(self) -> str:
        """Of paths and contents."""
        return checksum(self.texts.items())

    def nearest(self, folder: str, count: int) -> Files:
        """Return the ``count`` files nearest to ``folder``, the farthest first; 0: all of them.

        Nearest is the same folder, then the fewest steps up and down the tree; then by path. The
        farthest come first, so that the nearest stay where a store has no room for all.
        """
        ranked = sorted(self.texts, key=lambda path: (steps(folder, folder_of(path)), path))
        chosen = ranked[:count] if count else ranked
        return Files({path: self.texts[path] for path in reversed(chosen)})


def read_files(root: Path) -> Files:
    """Read what the language server would send of the workspace folder ``root``.

    Raises:
        UsageError: there is nothing.
    """
    # Here and not above: they read the grammars, and a run without a workspace needs none.
    from lsp.context import reading
    from lsp.context.ignore import Rules
    from lsp.context.index.walk import Unreachable, walk
    from lsp.context.texts import one_line_end

    rules = Rules.of(root.absolute(), ContextConfig())
    texts: dict[str, bytes] = {}
    try:
        for seen in walk(rules):
            if not seen.path:
                continue
            try:
                texts[seen.path] = one_line_end(reading.read(rules, root.absolute() / seen.path))
            except (reading.Refused, OSError):
                continue
    except Unreachable:
        raise UsageError(f"--workspace {root}: cannot be read") from None
    if not texts:
        raise UsageError(f"--workspace {root}: no source file in it that may be read")
    return Files(dict(sorted(texts.items())))


def folder_of(path: str) -> str:
    """Return the folder that a file is in; empty: the workspace folder itself."""
    parent = PurePosixPath(path).parent.as_posix()
    return "" if parent == "." else parent


def steps(one: str, other: str) -> int:
    """Return how many steps up and down the tree lead from folder to folder."""
    ours, theirs = PurePosixPath(one).parts, PurePosixPath(other).parts
    shared = 0
    for a, b in zip(ours, theirs, strict=False):
        if a != b:
            break
        shared += 1
    return len(ours) + len(theirs) - 2 * shared


def has_copy(passage: bytes, files: Iterable[tuple[str, bytes]], own: str) -> bool:
    """Return whether a file other than ``own`` has ``passage``."""
    return any(passage in text for path, text in files if path != own)
