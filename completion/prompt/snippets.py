"""The frozen format in which other files stand before the cursor's file.

The server writes prompts in it and ``training`` writes examples in it, so a change here is a
change of the model's input: :data:`FORMAT_VERSION` is stored with every exported model.
This module knows bytes only: sentinels are named by the template and become ids there.
"""

from __future__ import annotations

FORMAT_VERSION = 1
"""Version of the layout below; a model trained on another version is refused its snippets."""


def file_block(path: str, text: bytes) -> bytes:
    """Return the text that follows a file separator: the path's line, then the file.

    The block always ends in a line end, so that the next separator starts a line.
    """
    body = text if not text or text.endswith(b"\n") else text + b"\n"
    return header_line(path) + body


def header_line(path: str) -> bytes:
    """Return ``path`` on a line of its own; it also opens the file with the cursor in it."""
    return path.replace("\\", "/").replace("\n", " ").encode() + b"\n"


def repository_line(name: str) -> bytes:
    """Return the line that follows a repository sentinel."""
    return name.replace("\n", " ").encode() + b"\n"


def comment_block(path: str, text: bytes, *, comment: bytes = b"#") -> bytes:
    """Return a snippet as line comments, for models that were not trained on file separators.

    ``# Path: pkg/mod.py`` and then each line of the snippet behind the same marker. For a model
    without separators comments were better than bare text: EM 27.0 against 25.2 on CrossCodeEval.
    """
    lines = [comment + b" Path: " + header_line(path).rstrip(b"\n")]
    lines += [(comment + b" " + line).rstrip() for line in text.splitlines()]
    return b"\n".join(lines) + b"\n"
