"""How much more a name weighs that the document itself declares, the nearer the more.

CodeFill (Izadi, Gismondi and Gousios, ICSE 2022, arXiv 2202.06689), section 3.3 and table 1: the
probability of a name is multiplied by a weight of its kind and of the scope that declares it. Their
weights were chosen on their own data and are taken as published.
"""

from __future__ import annotations

import math

from lsp.popup.names import Name

WEIGHTS = {
    "attribute": {"function": 1.625, "class": 1.250, "file": 1.125},
    "variable": {"function": 1.625, "class": 1.125, "file": 1.500},
    "function": {"function": 1.125, "class": 1.625, "file": 1.500},
}
"""By leaf type and scope. A name that the document does not declare has weight 1."""

_CALLED = ("function", "class")


def log_weight(name: Name, *, is_member: bool) -> float:
    """Return the natural logarithm of the weight of ``name``; ``is_member``: it follows a dot."""
    leaf = "attribute" if is_member else "function" if name.kind in _CALLED else "variable"
    return math.log(WEIGHTS[leaf].get(name.scope, 1.0))
