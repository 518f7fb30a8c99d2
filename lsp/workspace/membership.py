"""What a request says of the workspace its document is in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """A document's workspace and its path there, both as the server has them."""

    workspace_id: str
    path: str
    """As it is synchronised: a link's target, so that the server leaves that file's copy out."""
