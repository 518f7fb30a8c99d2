"""Switched off: for everything, until asked, for a language, for some files."""

from __future__ import annotations

from completion import globs
from completion.config import ClientConfig
from lsp.gates.moment import Moment


def disabled(moment: Moment, config: ClientConfig) -> str:
    """Off for everything, also when asked: the switch for those who want nothing to be sent."""
    return "" if config.enabled else "disabled"


def on_demand(moment: Moment, config: ClientConfig) -> str:
    """Only when asked."""
    return "" if config.automatic else "on_demand"


def language(moment: Moment, config: ClientConfig) -> str:
    """Off in the document's language."""
    return "language" if moment.language_id in config.disabled_languages else ""


def files(moment: Moment, config: ClientConfig) -> str:
    """Off in files of this name."""
    return "glob" if globs.matches(config.disabled_globs, moment.path) else ""
