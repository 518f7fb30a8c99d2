"""Folders that generated code writes in: made, and removed whatever is in them; text that goes there.

Standard library only, because the fork server imports it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def encoded(text: str) -> bytes:
    """Return any text as bytes; never an error.

    Bytes that were no UTF-8 come back as they were. Other half surrogate pairs become what no
    compiler takes for UTF-8.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def make(parent: str | None = None) -> str:
    """Return a new, empty folder that only this user may enter."""
    return tempfile.mkdtemp(prefix="caret-run-", dir=parent)


def remove(folder: str) -> None:
    """Remove the folder and what is in it, following no link; nothing happens if it is gone.

    A program may have left folders without permissions, or thousands inside one another.
    """
    try:
        Path(folder).rmdir()
        return
    except FileNotFoundError:
        return
    except OSError:
        pass
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    if os.path.lexists(folder):
        for command in (("chmod", "-R", "u+rwX"), ("rm", "-rf")):
            subprocess.run([*command, "--", folder], check=False, capture_output=True)
