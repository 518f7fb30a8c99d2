"""What the cursor stands in: comments, strings and docstrings can each be kept quiet."""

from __future__ import annotations

from completion.config import ClientConfig
from completion.scope_rules import rule
from lsp.gates.moment import Moment


def scope(moment: Moment, config: ClientConfig) -> str:
    """A scope that is off here; the scope is found out only where a rule asks for it."""
    if not config.disabled_scopes:
        return ""
    found = moment.scope()
    rules = (rule(text) for text in config.disabled_scopes)
    if any(one.holds(found, moment.language_id, moment.path) for one in rules):
        return found
    return ""
