"""The command and the notifications by which an editor tells what became of a suggestion."""

from __future__ import annotations

import logging
from typing import Any

from pygls.lsp.server import LanguageServer

from lsp.feedback import messages
from lsp.feedback.feedback import Feedback

log = logging.getLogger("caret.lsp")


def register(server: LanguageServer, feedback: Feedback) -> None:
    """Have ``server`` answer them."""

    @server.command(messages.COMMAND)
    def accepted(*arguments: Any) -> None:
        if (key := messages.accepted(arguments)) is not None:
            feedback.accepted(key)
        else:
            _malformed(messages.COMMAND)

    @server.feature(messages.SHOWN)
    def shown(params: Any) -> None:
        if (note := messages.shown(params)) is not None:
            feedback.shown(note)
        else:
            _malformed(messages.SHOWN)

    @server.feature(messages.PARTLY_ACCEPTED)
    def partly_accepted(params: Any) -> None:
        if (note := messages.partly_accepted(params)) is not None:
            feedback.partly_accepted(note)
        else:
            _malformed(messages.PARTLY_ACCEPTED)

    @server.feature(messages.DISMISSED)
    def dismissed(params: Any) -> None:
        if (note := messages.dismissed(params)) is not None:
            feedback.dismissed(note)
        else:
            _malformed(messages.DISMISSED)


def _malformed(method: str) -> None:
    log.warning("%s: the parameters are wrong", method)
