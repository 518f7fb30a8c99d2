"""Secrets by content and by file name; what was found is a kind and a place, never kept, never said.

Content is searched with detect-secrets' patterns and those of :mod:`lsp.context.secret_kinds`. Each
is tried only around a text that all its secrets have in common, so a search costs what finding
those costs. What is found is masked by a filler of the same length: places in the text stay true,
and a false alarm costs a few characters and not a file.

Measured before it was chosen: detect-secrets' entropy plugins take every checksum for a secret, so
a random-looking text counts only where a name beside it says what it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass

FILLER = b"*"
"""What stands for each byte of a secret. No key has it, so what is masked is found no more."""

KEPT = 4096
"""How many texts' answers are remembered, by a keyed hash of the text."""

_SECRET_NAMES = re.compile(
    r"\.env(?:rc|\..+)?|.+\.env|env\.(?:local|production)"
    r"|\.netrc|_netrc|\.pgpass|\.my\.cnf|\.pypirc|\.npmrc|\.yarnrc|\.git-credentials"
    r"|\.dockercfg|\.dockerconfigjson|\.htpasswd|htpasswd|shadow|\.vault_pass(?:\..+)?|\.vault-token"
    r"|.*\.(?:pem|key|p12|pfx|jks|keystore|ppk|asc|gpg|kdbx?|ovpn|pkcs12|p8|cer\.key|agekey|tfstate"
    r"|tfstate\.backup|tfvars|mobileprovision)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?:[._-].*)?(?<!\.pub)|ssh_host_.*_key"
    r"|(?:client_)?secrets?(?:\..*)?\.(?:json|ya?ml|toml|ini|env|txt|properties)"
    r"|credentials(?:\.(?:json|ya?ml|toml|ini|txt|csv|xml|enc))?|service[_-]?account.*\.json"
    r"|\.s3cfg|\.boto|kubeconfig|.+\.kubeconfig|master\.key|token\.(?:json|txt)|\.terraformrc",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r".*[._-](?:example|sample|template|dist|tmpl)", re.IGNORECASE)
"""A file that shows what a secret one would look like; its content is searched as any other's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """One secret of a text; ``start`` and ``end`` are bytes."""

    kind: str
    start: int
    end: int


def secret_name(path: str) -> bool:
    """Tell whether a file of this name holds secrets, whatever is in it."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return bool(_SECRET_NAMES.fullmatch(name)) and not _EXAMPLE.fullmatch(name)


def secret_in(text: bytes, path: str = "") -> str:
    """Return the kind of the first secret in ``text``, or an empty text."""
    found = secrets_in(text, path)
    return found[0].kind if found else ""


def secrets_in(text: bytes, path: str = "") -> tuple[Secret, ...]:
    """Return the secrets of ``text`` in order, none within another.

    A file that is secret by its name is one secret from start to end.
    """
    if path and secret_name(path):
        return (Secret(kind="secret file", start=0, end=len(text)),) if text else ()
    return _remembered(text)


def masked(text: bytes, path: str = "") -> bytes:
    """Return ``text`` with each secret's bytes replaced, line ends kept; its length stays."""
    return mask(text, secrets_in(text, path))


def mask(text: bytes, found: tuple[Secret, ...]) -> bytes:
    """Return ``text`` with the bytes of ``found`` replaced, line ends kept; its length stays."""
    if not found:
        return text
    out = bytearray(text)
    for one in found:
        out[one.start : one.end] = re.sub(rb"[^\r\n]", FILLER, text[one.start : one.end])
    return bytes(out)


_SALT = os.urandom(32)
_memory: OrderedDict[bytes, tuple[Secret, ...]] = OrderedDict()
_lock = threading.Lock()


def _remembered(text: bytes) -> tuple[Secret, ...]:
    key = hashlib.blake2b(text, digest_size=16, key=_SALT).digest()
    with _lock:
        if key in _memory:
            _memory.move_to_end(key)
            return _memory[key]
    # Here and not above: detect-secrets takes 0.3 s to import.
    from lsp.context.secret_search import search

    found = tuple(Secret(kind=kind, start=start, end=end) for kind, start, end in search(text))
    with _lock:
        _memory[key] = found
        while len(_memory) > KEPT:
            _memory.popitem(last=False)
    return found
