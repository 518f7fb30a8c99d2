"""What may come along of other files: nothing, snippets in the prompt, the workspace model, or both."""

from __future__ import annotations

from enum import StrEnum


class Arm(StrEnum):
    """One of them, as ``--other-files`` calls it."""

    NONE = "none"
    SNIPPETS = "snippets"
    WORKSPACE = "workspace"
    BOTH = "both"

    @property
    def snippets(self) -> bool:
        """Whether what items bring of other files goes into the prompt."""
        return self in (Arm.SNIPPETS, Arm.BOTH)

    @property
    def workspace(self) -> bool:
        """Whether the server holds the workspace and mixes it in."""
        return self in (Arm.WORKSPACE, Arm.BOTH)
