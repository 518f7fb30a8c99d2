"""Files of a run that are whole or not there, through a kill, a power cut and a full disk.

Lives here: how a file is replaced. What is in it is its caller's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from completion.errors import CaretError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` once it is whole and on the disk.

    Whatever goes wrong, ``path`` is as it was. What the system refuses, as when the disk is full,
    is a :class:`CaretError`.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        with writing(path):
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
    except BaseException:
        # Half a checkpoint must not go on filling a full disk.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a :class:`CaretError` that names ``path``."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # torch.save says of a full disk only that a position is not the expected one.
        refused = error if isinstance(error, OSError) else error.__context__
        if not isinstance(refused, OSError):
            raise
        why = refused.strerror or str(refused)
        raise CaretError(
            f"run {path.parent}: cannot write {path.name}: {why}; what was saved before is whole: "
            "make room and give the same command again"
        ) from error


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to the disk; where a system cannot, it does so by itself."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
