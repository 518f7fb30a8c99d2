"""A checked request: what the completer works on, with every limit already held.

Wire messages in, :class:`Job` out; the errors name the field and the limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from completion.config import GenerationConfig
from completion.filters.cursor import Cursor, Lines
from completion.filters.stop_rule import goal_of
from completion.healing.arms import Heals
from completion.prompt.views import DocumentView, SnippetView
from completion.server.field_sizes import oversized, selected_oversized
from completion.syntax.blocks import Goal
from completion.syntax.languages import Language, language_for
from completion.wire import completion_pb2 as pb

MAX_TEMPERATURE = 2.0
_LEXED_BYTES = 256 << 10
"""Read before the cursor for its syntax: some 40 ms on the event loop, once a request."""
_STRUCTURED_BYTES = 48 << 10
"""The same where braces or words make the blocks: each token counts there, some 1 ms a KiB."""
_PLAIN_BYTES = 4 << 10
"""The same without a grammar, where all that counts is brackets and quotes nearby."""
MAX_TAB_SIZE = 256
"""Columns; indentation is expanded in memory, so a wild number would cost gigabytes."""
_EOLS = ("", "\n", "\r\n", "\r")
_SCOPES = ("", "code", "comment", "string", "docstring")


class InvalidField(ValueError):
    """A field of the request is wrong; the message names it and its limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """The popup's item, whose text every answer starts with."""

    text: bytes = b""
    replace_before: int = 0
    replace_after: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One completion to be made."""

    document: DocumentView
    snippets: tuple[SnippetView, ...]
    repo_name: str
    cursor: Cursor
    max_tokens: int
    temperature: float
    top_p: float
    candidates: int
    seed: int | None
    include_raw: bool
    heals: Heals
    """What becomes of the unfinished text at the cursor."""
    selected: Selected


def job_from(request: pb.CompleteRequest, limits: GenerationConfig) -> Job:
    """Return the job that ``request`` asks for.

    Raises:
        InvalidField: a field is out of range, or a value has no meaning.
    """
    document, options = request.document, request.options
    refuse_oversized(
        document, request.snippets, repo_name=request.repo_name, workspace_id=request.workspace_id
    )
    _check(document.eol in _EOLS, "document.eol", 'must be "\\n", "\\r\\n" or "\\r"')
    _check(document.scope in _SCOPES, "document.scope", f"must be one of {', '.join(_SCOPES[1:])}")
    _check(
        options.candidates <= limits.max_candidates,
        "options.candidates", f"must be at most {limits.max_candidates}",
    )  # fmt: skip
    _check(
        options.max_tokens <= limits.max_tokens * 8,
        "options.max_tokens", f"must be at most {limits.max_tokens * 8}",
    )  # fmt: skip
    temperature = options.temperature
    _check(
        math.isfinite(temperature) and 0 <= temperature <= MAX_TEMPERATURE,
        "options.temperature", f"must be between 0 and {MAX_TEMPERATURE}",
    )  # fmt: skip
    top_p = options.top_p if options.HasField("top_p") else 1.0
    _check(0 < top_p <= 1, "options.top_p", "must be above 0 and at most 1")
    _check(options.lines in pb.GenerationOptions.Lines.values(), "options.lines", "is unknown")
    _check(options.healing in pb.Healing.values(), "options.healing", "is unknown")
    _check(
        document.tab_size <= MAX_TAB_SIZE, "document.tab_size", f"must be at most {MAX_TAB_SIZE}"
    )
    for index, snippet in enumerate(request.snippets):
        _check(
            0 <= snippet.relevance <= 1,  # false for NaN, which has no place in an order
            f"snippets[{index}].relevance", "must be between 0 and 1",
        )  # fmt: skip
    selected = _selected(request)
    prefix = document.prefix[: len(document.prefix) - selected.replace_before] + selected.text
    suffix = document.suffix[selected.replace_after :]
    language = language_for(document.language_id, document.path)
    cursor = Cursor(
        prefix=_near(prefix, _lexed_bytes(language)),
        suffix=suffix,
        language=language,
        lines=_LINES[options.lines],
        eol=(document.eol or "\n").encode(),
        tab_size=document.tab_size,
        insert_spaces=document.insert_spaces,
        scope=document.scope,
        least=0 if selected.text or _is_invoked(request) else limits.min_chars,
        suffix_truncated=document.suffix_truncated,
    )
    short = goal_of(cursor, cursor.extent) in (Goal.LINE, Goal.STATEMENT)
    return Job(
        document=DocumentView(
            path=document.path,
            language_id=document.language_id or (language.name if language else ""),
            comment=language.line_comment if language else b"#",
            prefix=prefix,
            suffix=suffix,
            prefix_truncated=document.prefix_truncated,
            suffix_truncated=document.suffix_truncated,
        ),
        snippets=tuple(
            SnippetView(path=s.path, text=s.text, kind=s.kind, relevance=s.relevance)
            for s in request.snippets
        ),
        repo_name=request.repo_name,
        cursor=cursor,
        max_tokens=options.max_tokens or (limits.max_line_tokens if short else limits.max_tokens),
        temperature=temperature,
        top_p=top_p,
        candidates=options.candidates or 1,
        seed=options.seed if options.HasField("seed") else None,
        include_raw=options.include_raw,
        heals=HEALS[options.healing],
        selected=selected,
    )


def refuse_oversized(document: pb.Document, snippets: Sequence[pb.Snippet], **words: str) -> None:
    """Refuse a request with a field that is too large; ``words`` are its short ones, by name.

    Raises:
        InvalidField: names the first of them, and its limit.
    """
    for field, limit in oversized(document, snippets, **words):
        raise InvalidField(f"{field} {limit}")


HEALS = {
    pb.HEALING_EXACT: Heals.EXACT,
    pb.HEALING_ONE_TOKEN: Heals.ONE_TOKEN,
    pb.HEALING_OFF: Heals.OFF,
}
_LINES = {
    pb.GenerationOptions.LINES_AUTO: Lines.AUTO,
    pb.GenerationOptions.LINES_SINGLE: Lines.SINGLE,
    pb.GenerationOptions.LINES_MULTI: Lines.MULTI,
}


def _is_invoked(request: pb.CompleteRequest) -> bool:
    return request.trigger == pb.CompleteRequest.TRIGGER_INVOKED


def _selected(request: pb.CompleteRequest) -> Selected:
    if not request.HasField("selected_completion"):
        return Selected()
    item, document = request.selected_completion, request.document
    for field, limit in selected_oversized(item.text):
        raise InvalidField(f"{field} {limit}")
    _check(
        item.replace_before <= len(document.prefix),
        "selected_completion.replace_before", f"must be at most the prefix, {len(document.prefix)}",
    )  # fmt: skip
    _check(
        item.replace_after <= len(document.suffix),
        "selected_completion.replace_after", f"must be at most the suffix, {len(document.suffix)}",
    )  # fmt: skip
    return Selected(
        text=item.text, replace_before=item.replace_before, replace_after=item.replace_after
    )


def _lexed_bytes(language: Language | None) -> int:
    if language is None:
        return _PLAIN_BYTES
    return _STRUCTURED_BYTES if language.rules.blocks in ("brace", "end") else _LEXED_BYTES


def _near(prefix: bytes, size: int) -> bytes:
    """Return the last ``size`` bytes of ``prefix``, from a line's start on."""
    if len(prefix) <= size:
        return prefix
    return prefix[prefix.find(b"\n", len(prefix) - size) + 1 or len(prefix) - size :]


def _check(holds: bool, field: str, limit: str) -> None:
    if not holds:
        raise InvalidField(f"{field} {limit}")
