"""Files that a command writes: refused before any work where they cannot be, never something else.

A name may be a link: what it points to is written, and the link stays.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from completion.errors import UsageError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def output_file(flag: str, word: str | Path, *, hint: str = "", new_folders: bool = True) -> Path:
    """Return the file that ``flag`` names, links followed; it need not exist, nor need its folders
    where ``new_folders`` are to be made.

    Raises:
        UsageError: it is empty, no regular file, or cannot be written.
    """
    if not str(word):
        raise UsageError(f"{flag}: the name is empty; name a file{hint}")
    try:
        path = Path(word).resolve()
        mode = path.stat().st_mode if path.exists() else stat.S_IFREG
        above = next((folder for folder in path.parents if folder.exists()), path)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a ring
        why = error.strerror if isinstance(error, OSError) else "links in a ring"
        raise UsageError(f"{flag} {word}: {why or error}") from None
    if not stat.S_ISREG(mode):
        what = next((name for is_kind, name in _KINDS if is_kind(mode)), "no regular file")
        raise UsageError(f"{flag} {word} is {what}; name a file{hint}")
    if not above.is_dir():
        raise UsageError(f"{flag} {word}: {above} is no folder")
    if above != path.parent and not new_folders:
        raise UsageError(f"{flag} {word}: there is no folder {path.parent}")
    if not os.access(above, os.W_OK | os.X_OK) or not _writable(path):
        raise UsageError(f"{flag} {word} cannot be written: permission denied")
    return path


def write_output(flag: str, path: Path, text: str) -> None:
    """Write ``text`` in one replacing move; folders that are missing are made.

    Raises:
        UsageError: it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{flag} {path}: {error.strerror or error}") from None


def _writable(path: Path) -> bool:
    return not path.exists() or os.access(path, os.W_OK)
