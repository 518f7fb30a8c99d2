"""From a document, snippets and a budget to the token ids of a prompt.

The parts are chosen and cut by ``budget`` before a sentinel is placed; text becomes ids through
``encoder`` alone, so that no text can become a sentinel; sentinels come from the template alone.
It does not run a model and does not know the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from completion.errors import UsageError
from completion.healing.vocabulary import Vocabulary
from completion.prompt import snippets as wire_format
from completion.prompt.budget import Block, Choice, Shares, Windows, choose_blocks, choose_windows
from completion.prompt.encoder import TextEncoder
from completion.prompt.related import NOTHING, Lead, RelatedFiles
from completion.prompt.templates import Layout, Part, Template
from completion.prompt.views import DocumentView, Dropped, Piece, Prompt, SnippetView

LEAST_TOKENS = 16
"""With less room than this for text there is no prompt worth sending."""
_LANGUAGE_NAMES = {
    "cpp": "C++", "csharp": "C#", "css": "CSS", "html": "HTML", "javascript": "JavaScript",
    "json": "JSON", "php": "PHP", "sql": "SQL", "typescript": "TypeScript", "xml": "XML",
}  # fmt: skip


class NoRoom(UsageError):
    """What is to be generated leaves too little of the context for a prompt."""

    def __init__(self, message: str, most: int) -> None:
        """Take the message, and how many tokens can be generated ``most``."""
        super().__init__(message)
        self.most = most


class _Chosen(NamedTuple):
    choice: Choice
    lead: Lead
    windows: Windows


class PromptBuilder:
    """Builds the prompts of one model in one arm. Thread-safe: nothing but caches changes.

    Equal documents, snippets and limits give equal prompts, and a typed character changes the
    prompt only behind ``stable_tokens`` (unless it makes a snippet a duplicate of the window).
    """

    def __init__(
        self,
        *,
        encoder: TextEncoder,
        template: Template,
        vocabulary: Vocabulary,
        context_tokens: int,
        arm: str = "",
        shares: Shares | None = None,
        snippets: bool = True,
    ) -> None:
        """Take a checkpoint's parts; ``snippets`` false: other files are dropped as ``format``.

        Raises:
            UsageError: the family has no such arm, or a sentinel is missing in the vocabulary.
        """
        self.encoder = encoder
        self.template = template
        self.vocabulary = vocabulary
        self.context_tokens = context_tokens
        self.arm = arm or template.arms[0]
        self.shares = shares or Shares()
        self._snippets = snippets
        self._related = RelatedFiles(template, encoder)
        if self.arm not in template.layouts:
            raise UsageError(
                f"the {template.family} family has no arm {self.arm!r}; "
                f"set model.arm to one of {', '.join(template.layouts)}"
            )
        self._layout: Layout = template.layouts[self.arm]
        names = {n for n in self._layout if isinstance(n, str)}
        missing = sorted(names - vocabulary.special.keys())
        if missing:
            raise UsageError(
                f"the tokenizer has no token {missing[0]}; use a {template.models} model"
            )

    def build(
        self,
        document: DocumentView,
        snippets: Sequence[SnippetView] = (),
        repo_name: str = "",
        max_tokens: int = 128,
    ) -> Prompt:
        """Return the prompt whose tokens and ``max_tokens`` more fit the context.

        Raises:
            NoRoom: ``max_tokens`` leaves fewer than :data:`LEAST_TOKENS` for text.
        """
        document = one_line_end(document)
        fixed = self._fixed_tokens(document)
        limit = self.context_tokens - max_tokens - fixed
        if limit < LEAST_TOKENS:
            most = max(0, self.context_tokens - fixed - LEAST_TOKENS)
            raise NoRoom(
                f"max_tokens {max_tokens} leaves no room for a prompt in a context of "
                f"{self.context_tokens} tokens; ask for at most {most}",
                most,
            )
        blocks = self._related.blocks(snippets, document.comment) if self._snippets else []
        chosen = self._choose(document, blocks, repo_name, limit)
        seen = (chosen.windows.prefix.text, chosen.windows.suffix.text)
        if any(block.body.strip() in text for block in chosen.choice.kept for text in seen):
            # only now is it known what the windows show: once more without what they repeat
            chosen = self._choose(document, blocks, repo_name, limit, seen)
        dropped = [Dropped(block.path, reason) for block, reason in chosen.choice.dropped]
        if not self._snippets:
            dropped = [Dropped(snippet.path, "format") for snippet in snippets]
        used = tuple(snippets[block.index] for block in chosen.choice.kept)
        return self._assemble(document, chosen, used, tuple(dropped))

    def plain(self, text: bytes, *, max_tokens: int) -> list[int]:
        """Return ``text`` alone as a prompt, its end where it is too long: no template, no suffix.

        Raises:
            NoRoom: ``max_tokens`` leaves fewer than :data:`LEAST_TOKENS` for text.
        """
        bos = self.template.bos
        start = [] if bos is None else [self.vocabulary.special[bos]]
        room = self.context_tokens - max_tokens - len(start)
        if room < LEAST_TOKENS:
            raise NoRoom(
                f"{max_tokens} tokens behind it leave no room for a prompt in a context of "
                f"{self.context_tokens} tokens",
                max(0, room + max_tokens - LEAST_TOKENS),
            )
        ids = self.encoder.encode(text, dummy_prefix=self.template.dummy_prefix)
        if not start and not ids:  # an engine wants something to read: what stands between texts
            start = [self.vocabulary.special[self.template.stop_names[0]]]
        return [*start, *ids[-room:]]

    def _choose(
        self,
        document: DocumentView,
        blocks: Sequence[Block],
        repo_name: str,
        limit: int,
        seen: Sequence[bytes] = (),
    ) -> _Chosen:
        related = self._related
        around = related.tokens(related.lead((), document.path, repo_name)) if blocks else 0
        reserve = int(limit * self.shares.snippets) - around
        choice = choose_blocks(blocks, reserve, self.encoder.encode, seen)
        lead = related.lead(choice.kept, document.path, repo_name) if choice.kept else NOTHING
        windows = choose_windows(
            document.prefix,
            document.suffix,
            limit - related.tokens(lead),
            self.shares.prefix,
            self.encoder.encode,
            self.vocabulary,
            prefix_truncated=document.prefix_truncated,
            suffix_truncated=document.suffix_truncated,
        )
        return _Chosen(choice, lead, windows)

    def _fixed_tokens(self, document: DocumentView) -> int:
        count = int(self.template.bos is not None) + int(self.template.dummy_prefix)
        for item in self._layout:
            if isinstance(item, str):
                count += 1
            elif item in (Part.TASK, Part.NEWLINE):
                count += len(self.encoder.encode(task_text(item, document)))
        return count

    def _assemble(
        self,
        document: DocumentView,
        chosen: _Chosen,
        used: tuple[SnippetView, ...],
        dropped: tuple[Dropped, ...],
    ) -> Prompt:
        lead, windows = chosen.lead, chosen.windows
        ids: list[int] = []
        pieces: list[Piece] = []
        lead_text = lead.opening
        prefix_text, prefix_start, prefix_tokens = b"", 0, 0
        suffix_start, suffix_tokens = 0, 0

        def add(kind: str, text: bytes, more: list[int]) -> None:
            if more:
                ids.extend(more)
                pieces.append(Piece(kind, text, len(more)))

        if self.template.bos is not None:
            add("special", self.template.bos.encode(), [self.vocabulary.special[self.template.bos]])
        for at, item in enumerate(self._layout):
            match item:
                case str():
                    add("special", item.encode(), [self.vocabulary.special[item]])
                case Part.FILES:
                    for piece, more in zip(lead.pieces, lead.ids, strict=True):
                        add(piece.kind, piece.text, more)
                case Part.HEADER if self._layout[at + 1] is Part.PREFIX:
                    lead_text += lead.header  # no sentinel between: one string with the prefix
                case Part.HEADER:
                    add("header", lead.header, self.encoder.encode(lead.header))
                case Part.TASK | Part.NEWLINE:
                    text = task_text(item, document)
                    add("task", text, self.encoder.encode(text))
                case Part.PREFIX:
                    prefix_text, prefix_start = lead_text + windows.prefix.text, len(ids)
                    more = self.encoder.encode(prefix_text, dummy_prefix=self.template.dummy_prefix)
                    prefix_tokens = len(more)
                    add("prefix", prefix_text, more)
                case Part.SUFFIX:
                    suffix_start = len(ids)
                    more = self.encoder.encode(windows.suffix.text)
                    suffix_tokens = len(more)
                    add("suffix", windows.suffix.text, more)
        stable = prefix_start
        if windows.prefix.firm:
            stable += self._stable(prefix_text)
        if not windows.suffix_firm:
            stable = min(stable, suffix_start)
        return Prompt(
            token_ids=ids,
            pieces=tuple(pieces),
            used=used,
            dropped=dropped,
            stable_tokens=stable,
            arm=f"naive_{self.arm}",
            prefix_text=prefix_text,
            prefix_start=prefix_start,
            prefix_tokens=prefix_tokens,
            prefix_bytes=len(windows.prefix.text),
            suffix_text=windows.suffix.text,
            suffix_start=suffix_start,
            suffix_tokens=suffix_tokens,
            joined=self.arm in self.template.joined,
        )

    def _stable(self, prefix_text: bytes) -> int:
        """Return how many tokens of the prefix no typed character can change."""
        settled = prefix_text[: self.encoder.stable_bytes(prefix_text)]
        if not settled:
            return 0
        return len(self.encoder.encode(settled, dummy_prefix=self.template.dummy_prefix))


def one_line_end(document: DocumentView) -> DocumentView:
    """Return it in ``\\n``; a cursor inside a ``\\r\\n`` stands before it."""
    prefix, suffix = document.prefix, document.suffix
    if prefix.endswith(b"\r") and suffix.startswith(b"\n"):
        prefix = prefix[:-1]
    return replace(
        document, prefix=prefix.replace(b"\r\n", b"\n"), suffix=suffix.replace(b"\r\n", b"\n")
    )


def task_text(part: Part, document: DocumentView) -> bytes:
    """Return the text of :attr:`Part.TASK` or :attr:`Part.NEWLINE`."""
    if part is Part.NEWLINE:
        return b"\n"
    language = _LANGUAGE_NAMES.get(document.language_id, document.language_id.capitalize())
    path = wire_format.header_line(document.path)
    return b"###PATH:" + path + b"###LANGUAGE:" + language.encode() + b"\n###MODE:BLOCK\n"
