"""How far an unfinished build has come, so that an interrupted one goes on to the same bytes.

The finished shards are the work done. Whenever one is closed, the journal says which shards there
are, how many documents they hold, and behind which file of which package the next one begins. It is
replaced in one step: a kill at any moment leaves the last one, and costs the text of one open shard.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from completion.errors import CaretError
from training.corpus.marks import RECORD_BYTES
from training.corpus.shards import shard_is_whole

_FORMAT = 1
"""Of the journal and of the rules that the documents behind it passed."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a build stands behind a closed shard."""

    package: int = 0
    """Index of the package that is being taken."""
    tally: dict[str, Any] | None = None
    """Its tally so far; ``None``: it has not begun."""
    accounts: dict[str, Any] = field(default_factory=dict[str, Any])
    """Of the packages before it."""
    shards: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    documents: int = 0
    """In ``shards``."""


class Journal:
    """The journal in ``folder``; ``key`` stands for all that decides what the corpus will hold."""

    def __init__(self, folder: Path, key: str) -> None:
        self._out = folder
        self._folder = folder / "unfinished"
        self._path = self._folder / "journal.json"
        self._key = hashlib.sha256(f"{_FORMAT} {key}".encode("utf-8", "replace")).hexdigest()

    @property
    def marks(self) -> Path:
        """Where the marks of the documents are kept."""
        return self._folder / "marks.bin"

    def load(self) -> Position:
        """Return where the build stands: at its beginning, unless all that the journal says is there."""
        try:
            table = json.loads(self._path.read_text(encoding="utf-8"))
            if table.pop("key") == self._key:
                position = Position(**table)
                marked = self.marks.stat().st_size >= position.documents * RECORD_BYTES
                if marked and all(shard_is_whole(self._out, entry) for entry in position.shards):
                    return position
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # no journal of ours
            pass
        return Position()

    def save(self, position: Position) -> None:
        """Replace the journal."""
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".part")
        temporary.write_text(json.dumps({"key": self._key, **asdict(position)}), encoding="utf-8")
        temporary.replace(self._path)

    def clear(self) -> None:
        """Drop everything: the corpus is whole."""
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a failure to write, such as a full disk, into one line that says how to go on."""
    try:
        yield
    except OSError as error:
        raise CaretError(
            f"--out {folder}: {error.strerror or error}; mend that and give the same command "
            "again: it goes on from the last whole shard"
        ) from error
