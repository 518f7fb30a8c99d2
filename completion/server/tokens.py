"""Who may ask, by bearer token: a file of tokens, taken in again whenever it changes.

One ``name token`` or ``token`` a line; ``#`` begins a comment, and one name may have several tokens,
so that one can be replaced without anybody being shut out. What is kept of a token is a digest.
"""

from __future__ import annotations

import hmac
import logging
import re
from hashlib import sha256
from pathlib import Path

from completion.errors import CaretError, UsageError
from completion.server.logs import event
from completion.wire.private_file import private_bytes

LEAST_TOKEN_CHARS = 16
"""A shorter one could be guessed over the network."""
MOST_TOKEN_CHARS = 512
MOST_TOKENS = 10_000

_NAME = re.compile(r"[\w.@+-]{1,64}")
_TOKEN = re.compile(rf"[!-~]{{{LEAST_TOKEN_CHARS},{MOST_TOKEN_CHARS}}}")
_WHAT = "server.token_file"


class TokenFile:
    """The tokens of one file.

    Raises:
        UsageError: the file cannot be read, is open to others, or a line of it is wrong.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser()
        self._stamp = self._stat()
        self._names = _parsed(private_bytes(self._path, _WHAT), self._path)

    def name_of(self, token: str) -> str:
        """Return the name that ``token`` has, empty where it is none of the file's.

        Compared with each in a time that does not depend on how much of any agrees.
        """
        self._refresh()
        given, found = _digest(token), ""
        for digest, name in self._names:
            if hmac.compare_digest(digest, given):
                found = name
        return found

    def _refresh(self) -> None:
        """Read the file again where it is another one; while it cannot be read, nobody may ask."""
        stamp = self._stat()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._names = _parsed(private_bytes(self._path, _WHAT), self._path)
        except CaretError as error:
            self._names = []
            event(logging.ERROR, f"nobody is let in: {error.message}")
        else:
            event(logging.INFO, "tokens taken in", count=len(self._names))

    def _stat(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _parsed(data: bytes, path: Path) -> list[tuple[bytes, str]]:
    found: list[tuple[bytes, str]] = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        *names, token = words
        if len(names) > 1 or not all(map(_NAME.fullmatch, names)):
            raise UsageError(f"{_WHAT} {path}, line {number}: write `name token` or `token`")
        if not _TOKEN.fullmatch(token):
            raise UsageError(
                f"{_WHAT} {path}, line {number}: a token has {LEAST_TOKEN_CHARS} to "
                f"{MOST_TOKEN_CHARS} printable ASCII characters; make one: openssl rand -hex 32"
            )
        digest = _digest(token)
        found.append((digest, names[0] if names else f"token-{digest.hex()[:8]}"))
    if not found:
        raise UsageError(f"{_WHAT} {path} holds no token; make one: openssl rand -hex 32")
    if len(found) > MOST_TOKENS:
        raise UsageError(f"{_WHAT} {path} holds more than {MOST_TOKENS} tokens")
    if len({digest for digest, _ in found}) < len(found):
        raise UsageError(f"{_WHAT} {path} has one token twice: each is one caller's")
    return found


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
