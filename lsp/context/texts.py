"""The texts that a snippet may be made of: as the editor has them, else as the disk does.

Everything here has passed the rules, and secrets in it are masked. What was refused is kept with
its reason, for those who ask; what has vanished or cannot be read is nothing, and no error.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from completion.syntax.languages import Language, language_for
from lsp.context import reading, secrets
from lsp.context.found import Text

if TYPE_CHECKING:
    from lsp.context.ignore import Rules
    from lsp.trees import Parsed

CACHE_BYTES = 8 << 20
"""Most text of closed files that is kept in memory, so that a keystroke's gathering reads little."""
MAX_NAMES = 200
"""Most names of a folder that are given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenText:
    """An open document at one moment."""

    language: Language | None
    lines: tuple[str, ...]
    epoch: int
    kept: Kept
    """What was made of it the last time, shared by all moments of one document."""
    parsed: Parsed | None = None
    """The tree that was kept while it was edited, where it is of this moment."""


@dataclass(kw_only=True, slots=True)
class Kept:
    """The last text made of an open document."""

    epoch: int = -1
    text: Text | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Of several threads that want it at once, one searches it for secrets."""


class Disk:
    """Texts of closed files of one workspace folder, kept while they stay the same."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._kept: OrderedDict[str, tuple[tuple[int, int, int], Text]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def read(self, path: str) -> Text:
        """Return the text of ``path``, relative to the folder.

        Raises:
            Refused: by the rules, or because it is no text.
            OSError: it is not there, or cannot be read.
        """
        # first the rules, by name alone: of what lies outside not even the size is asked for
        if reason := self.rules.allows(Path(path)):
            raise reading.Refused(reason)
        whole = self.rules.root / path
        known = whole.stat()
        stamp = (known.st_mtime_ns, known.st_size, known.st_ino)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(path)
                return kept[1]
        data = one_line_end(reading.read(self.rules, whole))
        text = Text(path=path, data=data, language=language_for("", path))
        with self._lock:
            before = self._kept.pop(path, None)
            self._size += len(data) - (len(before[1].data) if before else 0)
            self._kept[path] = (stamp, text)
            while self._size > CACHE_BYTES:
                _, (_, gone) = self._kept.popitem(last=False)
                self._size -= len(gone.data)
        return text


class Texts:
    """The texts of one gathering. :meth:`read` may be called from several threads."""

    def __init__(self, disk: Disk | None, opened: Mapping[str, OpenText]) -> None:
        """Take what reads closed files (None: there is no workspace), and open ones by path."""
        self._disk, self.opened = disk, opened
        self.refused: dict[str, str] = {}
        """Why a path was refused, for those that were."""

    def read(self, path: str) -> Text | None:
        """Return the text of ``path``, relative to the workspace folder, or None."""
        if path in self.refused or _leads_out(path):
            return None
        try:
            found = self.opened.get(path)
            if found is not None:
                return self._open(path, found)
            return self._disk.read(path) if self._disk is not None else None
        except reading.Refused as error:
            self.refused[path] = error.reason
        except (OSError, ValueError):
            pass  # not there any more, or a name that no file can have
        return None

    def names(self, folder: str, ending: str) -> list[str]:
        """Return the names of the files right in ``folder`` that end in ``ending``, in order."""
        opened = {path.rpartition("/") for path in self.opened}
        found = {name for place, _, name in opened if place == folder and name.endswith(ending)}
        # the rules refuse what is in a folder that lies elsewhere, asked by any name in it
        if self._disk is not None and not _leads_out(f"{folder}/x" if folder else "x"):
            probe = Path(folder) / f"x{ending}"
            if not self._disk.rules.allows(probe):
                try:
                    listed = [one.name for one in (self._disk.rules.root / folder).iterdir()]
                except (OSError, ValueError):
                    listed = []
                found.update(name for name in listed if name.endswith(ending))
        return sorted(found)[:MAX_NAMES]

    def _open(self, path: str, found: OpenText) -> Text | None:
        with found.kept.lock:
            return self._made(path, found)

    def _made(self, path: str, found: OpenText) -> Text | None:
        kept = found.kept
        if kept.text is not None and kept.epoch == found.epoch and kept.text.path == path:
            return kept.text
        if self._disk is not None and (reason := self._disk.rules.allows(Path(path))):
            raise reading.Refused(reason)
        if self._disk is None and secrets.secret_name(path):
            raise reading.Refused("secret")
        text = "".join(found.lines)
        if "\0" in text:
            raise reading.Refused("binary")
        data = one_line_end(text.encode("utf-8", "replace"))
        data = secrets.masked(data, path)
        # of a text in which something is masked, or other line ends, there is no tree
        parsed = found.parsed
        tree = parsed.tree if parsed is not None and parsed.source == data else None
        made = Text(path=path, data=data, language=found.language, is_open=True, tree=tree)
        kept.epoch, kept.text = found.epoch, made
        return made


def one_line_end(data: bytes) -> bytes:
    r"""Return valid UTF-8 with ``\n`` as its only line end; what was none is U+FFFD."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = data.decode("utf-8", "replace").encode("utf-8")
    return data


def _leads_out(path: str) -> bool:
    return not path or path.startswith("/") or ".." in PurePosixPath(path).parts or "\\" in path
