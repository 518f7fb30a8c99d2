"""Certificates, looked at before gRPC has them: it says nothing of wrong ones, and connects to nobody."""

from __future__ import annotations

import ssl
from pathlib import Path

from completion.errors import UsageError
from completion.wire.private_file import private_bytes, public_bytes


def chain(cert: Path, key: Path, option: str) -> tuple[bytes, bytes]:
    """Return a certificate chain and its key, both in PEM; ``option`` is the section they are set in.

    Raises:
        UsageError: one cannot be read, they do not belong together, or others may read the key.
    """
    texts = (
        public_bytes(cert, f"{option}.tls_cert"),
        private_bytes(key, f"{option}.tls_key"),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert.expanduser(), key.expanduser(), password=_no_password)
    except (ssl.SSLError, ValueError, OSError) as error:
        reason = getattr(error, "reason", "") or str(error)
        raise UsageError(
            f"{option}.tls_cert {cert} and {option}.tls_key {key} are no certificate and its key in "
            f"PEM, without a password ({reason})"
        ) from None
    return texts


def authorities(path: Path, what: str) -> bytes:
    """Return certificates of authorities in PEM.

    Raises:
        UsageError: the file cannot be read, or holds none.
    """
    data = public_bytes(path, what)
    try:
        ssl.create_default_context(cadata=data.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise UsageError(f"{what} {path} holds no certificate in PEM") from None
    return data


def _no_password() -> str:
    raise ValueError("the key has a password")
