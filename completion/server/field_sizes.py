"""How large each field of a request may be, whatever the message as a whole may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from completion.wire import completion_pb2 as pb

MAX_DOCUMENT_BYTES = 2 << 20
"""Before the cursor, and after it: some hundred times what any model here reads."""
MAX_SNIPPET_BYTES = 256 << 10
MAX_SNIPPETS = 256
MAX_SELECTED_BYTES = 64 << 10
MAX_PATH_BYTES = 4096
MAX_WORD_BYTES = 256
"""Of ids and names."""


def oversized(
    document: pb.Document, snippets: Sequence[pb.Snippet], **words: str
) -> Iterator[tuple[str, str]]:
    """Yield the fields that are too large, each with its limit; ``words`` are further short ones."""
    for side in ("prefix", "suffix"):
        yield from _over(f"document.{side}", getattr(document, side), MAX_DOCUMENT_BYTES)
    yield from _over("document.path", document.path, MAX_PATH_BYTES)
    yield from _over("document.language_id", document.language_id, MAX_WORD_BYTES)
    if len(snippets) > MAX_SNIPPETS:
        yield "snippets", f"must be at most {MAX_SNIPPETS} snippets"
        return
    for index, snippet in enumerate(snippets):
        yield from _over(f"snippets[{index}].text", snippet.text, MAX_SNIPPET_BYTES)
        yield from _over(f"snippets[{index}].path", snippet.path, MAX_PATH_BYTES)
        yield from _over(f"snippets[{index}].kind", snippet.kind, MAX_WORD_BYTES)
    for name, word in words.items():
        yield from _over(name, word, MAX_WORD_BYTES)


def selected_oversized(text: bytes) -> Iterator[tuple[str, str]]:
    """Yield the popup's item, where it is too large."""
    yield from _over("selected_completion.text", text, MAX_SELECTED_BYTES)


def _over(field: str, value: str | bytes, most: int) -> Iterator[tuple[str, str]]:
    # A character has at least a byte, so that mostly nothing has to be encoded.
    size = len(value) if isinstance(value, bytes) else len(value.encode()) if value else 0
    if size > most:
        yield field, f"must be at most {most} bytes"
