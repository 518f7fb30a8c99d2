"""Who makes a call: a name that was proven, or anybody on this machine.

What is kept for one caller (cached prefixes, workspaces, limits) is kept under its key.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller."""

    kind: str
    """``token`` or ``certificate``: what proved the name; ``local``: nothing did."""
    name: str

    @property
    def is_named(self) -> bool:
        """Whether it is told apart from others."""
        return self.kind != "local"

    @property
    def salt(self) -> str:
        """What its cached prefixes are kept under, 32 hexadecimal digits; empty where nobody is told
        apart: on a server of one user nothing has to be hidden from anybody."""
        if not self.is_named:
            return ""
        return blake2b(f"{self.kind}\0{self.name}".encode(), digest_size=16).hexdigest()

    def own(self, workspace_id: str) -> str:
        """Return the id under which a workspace that the caller names is held: no other's is."""
        return f"{self.salt}:{workspace_id}" if workspace_id and self.is_named else workspace_id


LOCAL = Caller("local", "local")
CALLER: ContextVar[Caller] = ContextVar("caller", default=LOCAL)
"""Who makes the call that is being answered."""
