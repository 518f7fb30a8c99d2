"""How other files stand before the document, in each family's way.

Which of them go in is decided in ``budget``; the bytes are ``snippets``' frozen format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from completion.prompt import snippets as frozen
from completion.prompt.budget import Block
from completion.prompt.encoder import TextEncoder
from completion.prompt.templates import Files, Template
from completion.prompt.views import Piece, SnippetView

JOIN_TOKENS = 4
"""Tokens that text may grow by where two parts are encoded as one."""


class Lead(NamedTuple):
    """What stands before the document's own text."""

    pieces: tuple[Piece, ...] = ()
    """At the template's place for files."""
    ids: tuple[list[int], ...] = ()
    """Token ids of each piece."""
    header: bytes = b""
    """The path of the document, at the template's place for it."""
    opening: bytes = b""
    """What opens the prefix itself, for families without separators."""


NOTHING = Lead()


class RelatedFiles:
    """Lays out snippets for one template."""

    def __init__(self, template: Template, encoder: TextEncoder) -> None:
        """Take a template fitted to the encoder's tokenizer."""
        self._template = template
        self._encoder = encoder

    def blocks(self, snippets: Sequence[SnippetView], comment: bytes) -> list[Block]:
        """Return each snippet as it would stand in the prompt, line ends ``\\n``."""
        bodies = [snippet.text.replace(b"\r\n", b"\n") for snippet in snippets]
        return [
            Block(
                index=index,
                path=snippet.path,
                relevance=snippet.relevance,
                body=body,
                text=self._text(snippet.path, body, comment),
                extra_tokens=int(self._template.files is Files.SEPARATORS),
            )
            for index, (snippet, body) in enumerate(zip(snippets, bodies, strict=True))
        ]

    def lead(self, blocks: Sequence[Block], path: str, repo_name: str) -> Lead:
        """Return what goes before the document at ``path`` when ``blocks`` are shown.

        A repository without a name has no line.
        """
        template = self._template
        texts = [block.text for block in blocks]
        match template.files:
            case Files.COMMENTS:
                return Lead(opening=b"".join(texts))
            case Files.PLAIN:
                own = template.path_mark + frozen.header_line(path)
                return Lead(opening=b"".join([*texts, own]))
            case Files.REFERENCES:
                return self._encoded([("snippet", text) for text in texts])
            case Files.SEPARATORS:
                return self._separated(texts, repo_name)._replace(header=frozen.header_line(path))

    def tokens(self, lead: Lead) -> int:
        """Return how many tokens ``lead`` takes at most."""
        count = sum(len(ids) for ids in lead.ids)
        for text in (lead.header, lead.opening):
            count += len(self._encoder.encode(text)) + JOIN_TOKENS if text else 0
        return count

    def _text(self, path: str, body: bytes, comment: bytes) -> bytes:
        match self._template.files:
            case Files.COMMENTS:
                return frozen.comment_block(path, body, comment=comment)
            case Files.PLAIN:
                return self._template.path_mark + frozen.file_block(path, body)
            case Files.REFERENCES:
                return b"###REFERENCE:\n###PATH:" + frozen.file_block(path, body)
            case Files.SEPARATORS:
                return frozen.file_block(path, body)

    def _separated(self, texts: Sequence[bytes], repo_name: str) -> Lead:
        template = self._template
        separator = ("special", (template.separator or "").encode())
        pieces: list[tuple[str, bytes]] = []
        if template.repository and repo_name:
            line = frozen.repository_line(repo_name)
            pieces.append(("special", template.repository.encode()))
            pieces.append(("repository", line if template.repository_line else line.rstrip(b"\n")))
        for text in texts:
            pieces += [separator, ("snippet", text)]
        return self._encoded([*pieces, separator])

    def _encoded(self, pieces: Sequence[tuple[str, bytes]]) -> Lead:
        special = self._encoder.vocabulary.special
        ids = [
            [special[text.decode()]] if kind == "special" else self._encoder.encode(text)
            for kind, text in pieces
        ]
        shown = [Piece(kind, text, len(i)) for (kind, text), i in zip(pieces, ids, strict=True)]
        return Lead(pieces=tuple(shown), ids=tuple(ids))
