"""Snippets for one place, waited for: as the language server would send them with that file open.

For commands and for the harness. The same sources in the same order, with time to finish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from completion.config import ContextConfig
from completion.errors import UsageError
from completion.syntax.languages import language_for
from completion.wire import completion_pb2 as pb
from lsp.context.collect import Gathered
from lsp.context.definitions import Lookup, Target
from lsp.context.found import Spot
from lsp.context.ignore import Rules
from lsp.context.index import Index
from lsp.context.texts import Kept, OpenText, Texts, one_line_end
from lsp.context.workspace import Seen, WorkspaceContext

INDEX_S = 20.0
"""How long a folder that is indexed for the first time is waited for, in seconds. The index is
polite: on a busy machine it may take longer, and then what there is of it is used."""
SOURCE_MS = 10_000.0
"""Least time that a source has: nobody types meanwhile."""

MARKS = (".git", ".caret.toml", ".hg", ".svn")
"""What makes a folder the workspace, wherever it is above a file; the nearest."""
PROJECT_FILES = (
    "pyproject.toml", "setup.py", "package.json", "go.mod", "Cargo.toml", "pom.xml",
    "build.gradle", "CMakeLists.txt", "Gemfile", "composer.json",
)  # fmt: skip
"""What makes it that where there is none of those."""


def workspace_of(path: Path) -> Path | None:
    """Return the workspace folder that ``path`` is in, by what lies in the folders above it."""
    folders = path.absolute().parents
    for marks in (MARKS, PROJECT_FILES):
        for folder in folders:
            if any((folder / mark).exists() for mark in marks):
                return folder
    return None


class Gathering:
    """One workspace folder, to gather in many times. ``with`` it; not for several threads."""

    def __init__(
        self, root: Path, config: ContextConfig | None = None, *, index_folder: Path | None = None,
        index_s: float = INDEX_S,
    ) -> None:  # fmt: skip
        """Take the folder; ``index_folder`` is where its index is kept, else the user's cache.

        ``index_s`` is how long the index is waited for.
        """
        self.root = root.absolute()
        patient = config or ContextConfig()
        self.config = replace(
            patient,
            definitions_ms=_patient(patient.definitions_ms),
            imports_ms=_patient(patient.imports_ms),
            windows_ms=_patient(patient.windows_ms),
            index_cpu_share=1.0,
        )
        self._index_s = index_s
        self._lacking: dict[str, str] = {}
        self._rules = Rules.of(self.root, self.config)
        self._index = Index(self.root, self.config, folder=index_folder)
        self._context = WorkspaceContext(self.root, self._rules, lookup_of(self._index))

    def __enter__(self) -> Gathering:
        """Index the folder, as far as there is time for it."""
        if self.config.enabled and self.config.definitions and self.config.index:
            self._index.start()
            if not self._index.wait(self._index_s):
                stats = self._index.stats
                self._lacking = {"index": f"{stats.state}, {stats.read} files so far"}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what runs."""
        self._context.close()
        self._index.close()

    def forget(self) -> None:
        """Let what was gathered so far not count: what comes next is of other states of files."""
        self._context.forget()

    def at(
        self, path: str, text: bytes, offset: int, *, language_id: str = "",
        cells: Sequence[pb.Snippet] = (),
    ) -> Gathered:  # fmt: skip
        """Return what goes along with ``text`` and a cursor at byte ``offset`` of it.

        ``path`` is relative to the folder, with slashes. Of the file itself ``text`` counts and
        not what lies on disk.
        """
        if not self.config.enabled:
            return Gathered()
        language = language_for(language_id, path)
        head, tail = one_line_end(text[:offset]), one_line_end(text[offset:])
        spot = Spot(path=path, language=language, text=head + tail, offset=len(head))
        lines = tuple(spot.text.decode("utf-8", "replace").splitlines(keepends=True))
        opened = OpenText(language=language, lines=lines, epoch=0, kept=Kept())
        found = self._context.collector.collect(
            spot,
            self._context.sources(self.config, Seen(opened=(path,))),
            Texts(self._context.disk, {path: opened}),
            max_bytes=self.config.max_bytes,
            cells=cells if self.config.sibling_cells else (),
        )
        return replace(found, failed={**self._lacking, **found.failed})


def gather_now(
    root: Path,
    path: Path,
    text: bytes,
    offset: int,
    config: ContextConfig | None = None,
    *,
    language_id: str = "",
    index_folder: Path | None = None,
) -> Gathered:
    """Return what the language server would send along for a cursor in ``path``, inside ``root``.

    Raises:
        UsageError: the file is not inside of the folder.
    """
    try:
        place = path.absolute().relative_to(root.absolute()).as_posix()
    except ValueError:
        raise UsageError(
            f"{path} is not inside the workspace {root}; give a folder above it with --root"
        ) from None
    with Gathering(root, config, index_folder=index_folder) as gathering:
        return gathering.at(place, text, offset, language_id=language_id)


def lookup_of(index: Index) -> Lookup:
    """Return the index as sources ask it."""

    def lookup(name: bytes, limit: int, near: str) -> Sequence[Target]:
        places = index.definitions(name, limit, near)
        return [Target(place.path, at=place.at, member=place.member) for place in places]

    return lookup


def _patient(milliseconds: float) -> float:
    return max(milliseconds, SOURCE_MS) if milliseconds else 0.0
