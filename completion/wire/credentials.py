"""What a client shows to a server, and what it asks of it: files that are named, not yet read.

The secrets themselves are read when a channel is opened (:mod:`completion.wire.channel`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from completion.errors import UsageError
from completion.wire.certificates import authorities, chain
from completion.wire.private_file import private_bytes

SYSTEM = "system"
"""For ``tls_ca``: the authorities that gRPC comes with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Names of files; empty ones are not used."""

    token_file: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    @property
    def is_encrypted(self) -> bool:
        """Whether a channel to ``HOST:PORT`` has TLS."""
        return bool(self.tls_ca)

    def token(self) -> str:
        """Return the token, empty where none is set.

        The file has one line: the token, or a name and the token as in a server's file.

        Raises:
            UsageError: the file cannot be read, is open to others, or holds no token; as for all files,
                it must be named by its full path.
        """
        if not self.token_file:
            return ""
        data = private_bytes(_full(self.token_file, "token_file"), "client.token_file")
        lines = [line.split() for line in data.decode("utf-8", "replace").splitlines()]
        words = next((line for line in lines if line and not line[0].startswith("#")), [])
        if not 1 <= len(words) <= 2 or not _is_token(words[-1]):
            raise UsageError(
                f"client.token_file {self.token_file} holds no token in its first line"
            )
        return words[-1]

    def tls(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Return authorities, key and certificate chain in PEM; None: gRPC's own, or none.

        Raises:
            UsageError: a file cannot be read or is wrong, or one of certificate and key is missing.
        """
        if bool(self.tls_cert) != bool(self.tls_key):
            raise UsageError("client.tls_cert and client.tls_key go together; set both")
        ca = key = cert = None
        if self.tls_ca != SYSTEM:
            ca = authorities(_full(self.tls_ca, "tls_ca"), "client.tls_ca")
        if self.tls_cert:
            files = _full(self.tls_cert, "tls_cert"), _full(self.tls_key, "tls_key")
            cert, key = chain(*files, "client")
        return ca, key, cert


NOBODY = Credentials()
"""For servers of one's own, on a socket that nobody else can reach."""


def _full(name: str, option: str) -> Path:
    """Return the path called ``name``.

    The folder that a command runs in may be a workspace, which has no say in whom one trusts.

    Raises:
        UsageError: it depends on that folder.
    """
    path = Path(name).expanduser()
    if not path.is_absolute():
        raise UsageError(f"client.{option} must be a full path, not {name}")
    return path


def _is_token(word: str) -> bool:
    return word.isascii() and word.isprintable()
