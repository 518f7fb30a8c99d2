"""What may not be sent, whoever asks; and what is no text."""

from __future__ import annotations

from completion.config import ClientConfig
from lsp.gates.moment import Moment


def size(moment: Moment, config: ClientConfig) -> str:
    """Documents that are too large to be read at every keystroke."""
    return "size" if moment.size > config.max_file_bytes else ""


def rules(moment: Moment, config: ClientConfig) -> str:
    """Documents that ignore files name, or that hold a secret."""
    return moment.refused()


def binary(moment: Moment, config: ClientConfig) -> str:
    """Documents that are no text."""
    return "binary" if moment.has_nul else ""
