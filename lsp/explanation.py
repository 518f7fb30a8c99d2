"""An explanation of a completion as Markdown, for an editor to show. Knows only what it is given.

The same facts as ``caret explain`` prints on a terminal, ordered for a reader: the answer first,
then why it ended there, then what the model was shown, then the cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from completion.shown import shown
from completion.wire import completion_pb2 as pb

if TYPE_CHECKING:
    from lsp.context.collect import Gathered

MOST_ROWS = 24

_STOPS = {
    "MODEL": "the model ended it itself",
    "SYNTAX": "the statement or block was complete",
    "SUFFIX": "it met the text after the cursor",
    "LENGTH": "it reached the greatest length",
    "DEADLINE": "its time was over",
    "REPETITION": "it began to repeat itself",
    "LINE": "one line was wanted",
    "SCOPE": "it left the scope of the cursor",
}

_WHY = {
    "disabled": "Caret is disabled",
    "on_demand": "suggestions come only when asked for (`client.automatic`)",
    "language": "suggestions are disabled for this language (`client.disabled_languages`)",
    "glob": "suggestions are disabled for this file (`client.disabled_globs`)",
    "size": "the file is larger than `client.max_file_bytes`",
    "binary": "the file is not text",
    "ignored": "an ignore file names this file: nothing of it may be sent",
    "secret": "the file, or this place in it, may hold a secret: nothing is sent",
    "outside": "the file is outside of the workspace",
    "unread": "the file has not been searched for secrets yet",
    "comment": "suggestions are disabled in comments (`client.disabled_scopes`)",
    "string": "suggestions are disabled in strings (`client.disabled_scopes`)",
    "docstring": "suggestions are disabled in docstrings (`client.disabled_scopes`)",
    "deletion": "something was just deleted (`client.after_deletion`)",
    "line_chars": "the line is too short so far (`client.min_line_chars`)",
    "word_chars": "the word is too short so far (`client.min_word_chars`)",
}

_TITLES = {
    "prefix": "text before the cursor",
    "suffix": "text after the cursor",
    "snippet": "of another file",
    "repository": "name of the repository",
    "header": "path of the file",
    "task": "task",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """Everything that is shown; ``line`` and ``column`` count from 1."""

    path: str = ""
    line: int = 1
    column: int = 1
    language: str = ""
    scope: str = ""
    silent: str = ""
    """Why nothing would be suggested by itself, if nothing would."""
    refused: str = ""
    """Why there is no answer, if there is none."""
    answer: pb.ExplainResponse | None = None
    gathered: Gathered | None = None

    def but(self, **changes: Any) -> Explained:
        """Return this with some fields replaced."""
        return replace(self, **changes)


def explanation(told: Explained) -> str:
    """Return the whole document."""
    return "\n".join(_document(told)) + "\n"


def _document(told: Explained) -> Iterator[str]:
    name = told.path or "this place"
    yield f"# {_escaped(name)}, line {told.line}, column {told.column}"
    yield ""
    facts = [f"Language: {_escaped(told.language or 'unknown')}"]
    if told.scope:
        facts.append(f"the cursor is in {told.scope}")
    yield "; ".join(facts) + "."
    yield ""
    if told.silent:
        yield f"**By itself nothing is suggested here**: {_why(told.silent)}."
        yield ""
    if told.answer is None:
        yield f"**No suggestion**: {_why(told.refused)}."
        return
    yield from _answer(told.answer.response)
    yield from _sources(told.answer.sources)
    yield from _context(told, told.answer)
    yield from _prompt(told.answer, told.language)
    yield from _cost(told.answer)


def _why(reason: str) -> str:
    return _WHY.get(reason, _escaped(reason))


def _answer(response: pb.CompleteResponse) -> Iterator[str]:
    yield "## Suggested"
    yield ""
    if response.declined:
        yield f"Nothing: {_escaped(response.declined)}."
        yield ""
    for number, candidate in enumerate(response.candidates, start=1):
        if len(response.candidates) > 1:
            yield f"**{number}.**"
            yield ""
        yield from fenced(_text(candidate.text))
        stop = pb.StopReason.Name(candidate.stop_reason).removeprefix("STOP_REASON_")
        said = f"It ends there because {_STOPS.get(stop, stop.lower())}. "
        said += f"{_count(candidate.tokens, 'token')}, log-probability {candidate.log_prob:.2f}"
        if candidate.replace_after:
            said += f"; {_count(candidate.replace_after, 'byte')} after the cursor are replaced"
        yield f"{said}."
        yield ""


def _sources(sources: Sequence[pb.TokenSource]) -> Iterator[str]:
    if not any(getattr(one, "lambda") for one in sources):
        return
    yield "## Where each token comes from"
    yield ""
    rows: list[tuple[str, ...]] = []
    for one in sources[:MOST_ROWS]:
        weight: float = getattr(one, "lambda")
        place = f"{one.path}:{one.line}" if one.path else ("this document" if weight else "")
        rows.append((
            code(_text(one.text)), f"{one.model_prob:.3f}",
            f"{one.workspace_prob:.3f}" if weight else "", f"{weight:.2f}" if weight else "",
            str(one.matched_tokens) if weight else "", _escaped(place),
        ))  # fmt: skip
    yield from table(
        ("token", "model", "workspace", "its weight", "tokens matched before", "seen in"), rows
    )
    if len(sources) > MOST_ROWS:
        yield f"And {len(sources) - MOST_ROWS} more."
        yield ""


def _context(told: Explained, answer: pb.ExplainResponse) -> Iterator[str]:
    yield "## What was sent of other files"
    yield ""
    gathered = told.gathered
    if gathered is None or not gathered.notes:
        yield "Nothing: nothing was found that helps here, or it has not been gathered yet."
        yield ""
        return
    dropped = {one.path: one.reason for one in answer.dropped}
    yield from table(
        ("file", "kind", "why", "relevance", "bytes", ""),
        [
            (
                _escaped(note.path), note.kind, _escaped("; ".join(note.why)),
                f"{note.relevance:.2f}", str(note.size),
                f"left out: {_escaped(dropped[note.path])}" if note.path in dropped else "",
            )
            for note in gathered.notes[:MOST_ROWS]
        ],
    )  # fmt: skip
    if gathered.left:
        yield "Not sent:"
        yield ""
        unsent = sorted({(one.path, one.reason) for one in gathered.left})
        for path, reason in unsent[:MOST_ROWS]:
            yield f"- {_escaped(path)}: {_escaped(reason)}"
        if len(unsent) > MOST_ROWS:
            yield f"- and {len(unsent) - MOST_ROWS} more"
        yield ""


def _prompt(answer: pb.ExplainResponse, language: str) -> Iterator[str]:
    yield "## The prompt, as sent"
    yield ""
    for part in answer.parts:
        text = _text(part.text)
        if part.kind == "special":
            yield f"{code(text)}"
            yield ""
        elif text:
            title = _TITLES.get(part.kind) or _escaped(part.kind)
            yield f"{title[:1].upper()}{title[1:]}, {_count(part.tokens, 'token')}:"
            yield ""
            yield from fenced(text, language)


def _cost(answer: pb.ExplainResponse) -> Iterator[str]:
    usage, timings = answer.response.usage, answer.response.timings
    yield "## Cost"
    yield ""
    rows = [
        ("model", _escaped(answer.response.model)),
        ("way of asking", _escaped(answer.arm)),
        ("prompt", f"{_count(usage.prompt_tokens, 'token')}, {usage.cached_tokens} from the cache, "
                   f"{answer.stable_tokens} unchanged by the next key"),
        ("generated", _count(usage.generated_tokens, "token")),
    ]  # fmt: skip
    if usage.healed_bytes:
        rows.append(("healed", f"{_count(usage.healed_bytes, 'byte')} over "
                               f"{_count(usage.cover_contexts, 'context')}"))  # fmt: skip
    rows += [
        (stage.replace("_", " "), f"{getattr(timings, stage):.1f} ms")
        for stage in ("queue", "prompt", "first_token", "first_line", "total")
    ]
    yield from table(("", ""), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return a Markdown table, and the blank line after it."""
    yield f"| {' | '.join(head)} |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def fenced(text: str, language: str = "") -> Iterator[str]:
    """Return ``text`` as a block of code that nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield fence + (language if re.fullmatch(r"[\w+#-]*", language) else "")
    yield shown(text).rstrip("\n")
    yield fence
    yield ""


def code(text: str) -> str:
    """Return ``text`` as code in a line, with blanks that can be seen."""
    blanks = {ord(" "): "·", ord("\n"): "⏎", ord("\t"): "→", ord("\r"): "␍"}
    inside = shown(text.translate(blanks))
    longest = max((len(run) for run in re.findall(r"`+", inside)), default=0)
    tick = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{tick}{pad}{inside}{pad}{tick}" if inside else ""


def _escaped(text: str) -> str:
    """Return ``text``, which may be of others, as text in a line: no markup, no line end, no control."""
    flat = re.sub(r"[\r\n]+", " ", text)
    return re.sub(r"([\\`*_\[\]<>#~&])", r"\\\1", shown(flat))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
