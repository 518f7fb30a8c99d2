"""What the columns of a corpus depend on beside its text: grammars, and the Python that parses."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

from completion.syntax.node_queries import GRAMMARS


def tools() -> dict[str, str]:
    """Return the versions of what is installed, by name; columns are good while they are these."""
    modules = ("tree_sitter", *(grammar.module for grammar in GRAMMARS))
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for module in modules:
        name = module.replace("_", "-")
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
