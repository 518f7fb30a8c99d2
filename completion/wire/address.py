"""Addresses of a service, as flags and configuration spell them: ``HOST:PORT`` or ``unix:PATH``."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from completion.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens: a unix socket's ``path``, or ``host`` and ``port``."""

    path: str = ""
    host: str = ""
    port: int = 0

    @property
    def target(self) -> str:
        """The address as gRPC spells it."""
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether nothing but this machine can reach it: a socket file or a loopback address."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return self.target


def parse_address(text: str) -> Address:
    """Return the address that ``text`` spells.

    Raises:
        UsageError: when it is neither ``HOST:PORT`` nor ``unix:PATH``.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if not path:
            raise UsageError(f"address {text!r} has no path; write unix:/run/user/1000/caret.sock")
        if len(path.encode()) > 107:  # sun_path of Linux, less its final NUL
            raise UsageError(f"socket path is longer than 107 bytes: {path}")
        return Address(path=path)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise UsageError(f"address {text!r} is neither HOST:PORT nor unix:PATH")
    return Address(host=host, port=int(port))
