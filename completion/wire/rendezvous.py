"""Which of several servers a key belongs to: rendezvous hashing (Thaler & Ravishankar 1998).

Each client comes to the same answer without asking anyone. Where a server goes, only its keys move,
to the others evenly; where one comes back, only its own keys return.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def ranked(key: str, servers: Sequence[str]) -> list[int]:
    """Return the indices of ``servers``, the one that ``key`` belongs to first, then the next best."""
    return sorted(range(len(servers)), key=lambda n: _weight(key, servers[n]), reverse=True)


def _weight(key: str, server: str) -> bytes:
    text = f"{server}\0{key}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).digest()
