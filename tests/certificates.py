"""Certificates for tests, made with the commands that the README has."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make(folder: Path) -> Path:
    """Fill ``folder`` with authorities and what they vouch for, each ``NAME.pem`` and ``NAME.key``.

    ``ca`` vouches for ``server``, which is 127.0.0.1, and for the clients ``alice`` and ``nobody``
    (without a common name); ``other`` is an authority that nobody knows.
    """
    _authority(folder, "ca")
    _authority(folder, "other")
    _vouched(
        folder, "server", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"
    )
    _vouched(folder, "alice", "/CN=alice")
    _vouched(folder, "nobody", "/O=without a name")
    for key in folder.glob("*.key"):
        key.chmod(0o600)
    return folder


def _authority(folder: Path, name: str) -> None:
    _openssl(
        folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem",
    )  # fmt: skip


def _vouched(folder: Path, name: str, subject: str, *more: str) -> None:
    _openssl(
        folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, *more,
        "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )  # fmt: skip
    _openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", f"{name}.pem",
    )  # fmt: skip


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
