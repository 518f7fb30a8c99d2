"""A data set's files from the Hugging Face hub, for ``--data hf:OWNER/NAME``.

Only reached when a user says so: nothing is fetched by itself.
"""

from __future__ import annotations

import fnmatch
import socket
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import getproxies

from completion.errors import UsageError
from eval.data.reading import READ

SCHEME = "hf:"
HOW = "hf:OWNER/NAME, or hf:OWNER/NAME/PATH of one file in it"


def fetch(given: str, patterns: Sequence[str]) -> list[tuple[str, Path]]:
    """Return the wanted files of a data set on the hub, each with the name it is reported under.

    ``patterns`` are the published names, the usual ones first; a data set with one readable file
    needs none of them. Files come out of the hub's own cache when they are there.

    Raises:
        UsageError: ``given`` is no address, there is no network, no such data set or no such file.
    """
    parts = given.removeprefix(SCHEME).strip("/").split("/")
    if len(parts) < 2 or not all(parts):
        raise UsageError(f"--data {given}: write it {HOW}")
    repository, name = "/".join(parts[:2]), "/".join(parts[2:])
    try:
        import huggingface_hub
        from huggingface_hub.utils import logging
    except ImportError as error:
        raise UsageError(
            f"--data {given}: the hub takes huggingface_hub (pip install huggingface_hub): {error}"
        ) from None
    logging.set_verbosity_error()  # of its retries; what came of them is said below
    # Without a network its retries take half a minute to say so.
    offline = not _resolves(huggingface_hub.constants.ENDPOINT)
    try:
        if name:
            names = [name]
        elif offline:
            raise OSError("its host cannot be found")
        else:
            listed = huggingface_hub.HfApi().list_repo_files(repository, repo_type="dataset")
            names = _wanted(listed, patterns, given)
        return [
            (
                f"{SCHEME}{repository}/{name}",
                Path(
                    huggingface_hub.hf_hub_download(
                        repository, name, repo_type="dataset", local_files_only=offline
                    )
                ),
            )
            for name in names
        ]
    except UsageError:
        raise
    except Exception as error:  # of whichever HTTP library this version of the hub's stands on
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UsageError(
            f"--data {given}: not to be had from the hub ({reason}); with no network, get the file "
            "elsewhere and pass its path"
        ) from None


def _resolves(endpoint: str) -> bool:
    if getproxies():
        return True  # the proxy resolves the name
    try:
        socket.getaddrinfo(urlsplit(endpoint).hostname, None)
    except OSError:
        return False
    return True


def _wanted(names: Sequence[str], patterns: Sequence[str], given: str) -> list[str]:
    """Return the files that bear a published name; else the only one that can be read."""
    for by_folder in (True, False):
        found = [
            name
            for name in names
            if any(_bears(PurePosixPath(name), pattern, by_folder) for pattern in patterns)
        ]
        if found:
            return sorted(found)
    readable = [name for name in names if name.removesuffix(".gz").endswith(READ)]
    if len(readable) == 1:
        return readable
    shown = ", ".join(readable[:8]) or "none that is read here"
    raise UsageError(f"--data {given}: which file of it? Name one, {HOW}; there are: {shown}")


def _bears(name: PurePosixPath, pattern: str, by_folder: bool) -> bool:
    wanted = PurePosixPath(pattern)
    length = len(wanted.parts) if by_folder else 1
    own, other = "/".join(name.parts[-length:]), "/".join(wanted.parts[-length:])
    return fnmatch.fnmatchcase(own.removesuffix(".gz"), other.removesuffix(".gz"))
