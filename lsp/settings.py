"""An editor's settings over the configuration. Pure; says what it refused.

Editors read settings from the workspace they open, so what comes this way may set only what a
workspace may: never where code is sent, never a command.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from completion.config import Config
from completion.config_sources import Loaded, merge

SECTION = "caret"
"""The section asked for, and the key under which settings may be nested."""

SECTIONS = ("context", "workspace_model", "feedback", "popup")
"""The keys under which an editor nests the settings of those sections."""

SOURCE = "editor settings"


def client_settings(received: Any) -> dict[str, Any] | None:
    """Return the client's keys in ``received``, nested under ``caret`` or flat; None: no table.

    A key that is null is not set: that is how editors send an unset setting.
    """
    if isinstance(received, Mapping) and SECTION in received:
        received = received[SECTION]
    if not isinstance(received, Mapping):
        return None
    return {str(key): value for key, value in received.items() if value is not None}


def apply(config: Config, received: Any) -> Loaded:
    """Return ``config`` with an editor's settings over it, and a line for each that was refused."""
    settings = client_settings(received)
    if settings is None:
        wrong = () if received is None else (f"{SOURCE}: a table of settings was expected",)
        return Loaded(config, wrong)
    nested = {
        name: settings.pop(name) for name in SECTIONS if isinstance(settings.get(name), Mapping)
    }
    tree = {"client": settings, **nested}
    return merge(config, tree, source=SOURCE, trusted=False)
