"""The workspace's folders: what may be read of each, and where its names are defined."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from completion.config import ContextConfig
from lsp.context.ignore import IGNORE_FILES, Rules
from lsp.context.index import Index, Place, Stats
from lsp.paths import root_of


class Folders:
    """Rules and indexes, one of each for a workspace folder; :meth:`close` it at the end.

    Safe to ask from several threads; folders are set from one.
    """

    def __init__(
        self,
        config: ContextConfig,
        *,
        say: Callable[[str], None] = lambda text: None,
        cache: Path | None = None,
    ) -> None:
        """Take the configuration, whom to tell one line for the user (from any thread), and where
        stores lie, if not in the user's cache folder."""
        self.config = config
        self._say = say
        self._cache = cache
        self._rules: dict[str, Rules] = {}
        self._indexes: dict[str, Index] = {}

    def set_roots(self, roots: Sequence[str]) -> None:
        """Have these folders, and begin or end what they need."""
        wanted = [os.path.normpath(root) for root in roots]
        before = self._indexes  # never changed in place: others may be reading it
        self._indexes = {root: index for root, index in before.items() if root in wanted}
        for root in before.keys() - self._indexes.keys():
            before[root].close()
            self._rules.pop(root, None)
        for root in wanted:
            if root not in self._indexes:
                index = Index(Path(root), self.config, folder=self._cache, say=self._say)
                self._indexes = {**self._indexes, root: index}
                index.start()

    def set_config(self, config: ContextConfig) -> None:
        """Take another configuration; what does not depend on it goes on."""
        if _reads(config) == _reads(self.config):
            self.config = config
            return
        roots = list(self._indexes)
        self.close()
        self.config = config
        self.set_roots(roots)

    @property
    def roots(self) -> list[str]:
        """The folders."""
        return list(self._indexes)

    def rules_of(self, root: str) -> Rules:
        """Return the rules of the folder ``root``."""
        root = os.path.normpath(root)
        rules = self._rules.get(root)
        if rules is None:
            rules = self._rules[root] = Rules.of(Path(root), self.config)
        return rules

    def rules_for(self, path: str) -> Rules | None:
        """Return the rules of the folder that ``path`` is in, or None where it is in none."""
        root = root_of(path, self.roots)
        return self.rules_of(root) if root else None

    def definitions(self, name: bytes, limit: int = 8, near: str = "") -> list[Place]:
        """Return places that define ``name``, at most ``limit``: the folder of the path ``near``,
        which is absolute, comes first, and in it what lies near to it."""
        home = root_of(near, self.roots) if near else ""
        places: list[Place] = []
        for root, index in sorted(self._indexes.items(), key=lambda item: item[0] != home):
            rest = Path(near).relative_to(root).as_posix() if root == home else ""
            places += index.definitions(name, limit - len(places), rest)
            if len(places) >= limit:
                break
        return places

    def changed(self, paths: Iterable[str]) -> None:
        """Take notice of files that were made, written or removed; ``paths`` are absolute."""
        by_root: dict[str, list[str]] = {}
        for path in paths:
            if root := root_of(path, self.roots):
                by_root.setdefault(root, []).append(Path(path).relative_to(root).as_posix())
        for root, inside in by_root.items():
            if root in self._rules and any(
                one.rpartition("/")[2] in IGNORE_FILES for one in inside
            ):
                self._rules[root].forget()
            self._indexes[root].changed(inside)

    def stats(self) -> dict[str, Stats]:
        """Return how far each folder's index is."""
        return {root: index.stats for root, index in self._indexes.items()}

    def wait(self, timeout_s: float) -> bool:
        """Return whether all indexes are complete, as soon as they are."""
        return all(index.wait(timeout_s) for index in list(self._indexes.values()))

    def close(self) -> None:
        """End what runs."""
        before, self._indexes = self._indexes, {}
        self._rules.clear()
        for index in before.values():
            index.close()


def _reads(config: ContextConfig) -> tuple[object, ...]:
    """Return the options that rules and indexes depend on."""
    return (
        config.excluded_globs, config.max_file_bytes, config.index, config.index_files,
        config.index_memory_mb, config.index_cpu_share,
    )  # fmt: skip
