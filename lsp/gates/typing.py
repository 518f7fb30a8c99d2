"""What was typed last: a deletion, or too little."""

from __future__ import annotations

from completion.config import ClientConfig
from lsp.gates.moment import Moment


def after_deletion(moment: Moment, config: ClientConfig) -> str:
    """Right after a backspace: who takes text away does not want other text put there."""
    return "deletion" if moment.deleted and not config.after_deletion else ""


def line(moment: Moment, config: ClientConfig) -> str:
    """Fewer characters on the line than wanted, blanks not counted."""
    if config.min_line_chars == 0:
        return ""
    typed = len("".join(moment.head.split()))
    return "line_chars" if typed < config.min_line_chars else ""


def word(moment: Moment, config: ClientConfig) -> str:
    """A word begun, with fewer characters than wanted; between words there is none to wait for."""
    return "word_chars" if 0 < len(moment.word) < config.min_word_chars else ""
