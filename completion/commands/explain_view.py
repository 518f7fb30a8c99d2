"""How an explanation looks on a terminal: the place, the context, the prompt, the answer, the cost.

Knows only what it is given; the same on 80 columns and on 200.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from completion.commands.context import Context
from completion.commands.explain_sources import quoted, sources
from completion.wire import completion_pb2 as pb
from completion.wire.names import as_utf8

if TYPE_CHECKING:
    from lsp.context.budget import Note

MOST_CONTEXTS = 12
MOST_LEFT = 12
MOST_PATH = 32
"""Columns of a path that are not broken, as long as there is room."""
WIDE = 110
"""Columns from which on what was found is a table; below it has two lines each."""

_PARTS = {
    "special": "bold magenta",
    "repository": "blue",
    "header": "blue",
    "task": "blue",
    "snippet": "cyan",
    "prefix": "",
    "suffix": "yellow",
}
"""Styles of a prompt's parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Everything that is shown."""

    place: str
    language: str
    """Its name, and what is missing of it."""
    context: Context
    answer: pb.ExplainResponse
    unhealed: str = ""
    """Why nothing is healed, if nothing is."""


def show(shown: Explanation, console: Console) -> None:
    """Print it."""
    for title, body in (
        ("place", _place(shown)),
        ("context", _context(shown, wide=console.width >= WIDE)),
        ("prompt, as sent", _prompt(shown.answer)),
        ("answer", _answer(shown.answer.response)),
        ("who was sure", sources(shown.answer.sources, wide=console.width >= WIDE)),
        ("cover", _cover(shown.answer) if shown.answer.cover else None),
        ("cost", _cost(shown)),
    ):
        if body is not None:
            console.rule(f"[bold]{title}[/]", align="left", style="dim")
            console.print(Padding(body, (0, 0, 1, 0)))


def _grid() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _place(shown: Explanation) -> Table:
    table = _grid()
    table.add_row("cursor", Text(shown.place))
    table.add_row("language", Text(shown.language))
    root = shown.context.root
    shown_root = Text("none", "dim") if root is None else Text(as_utf8(str(root)))
    table.add_row("workspace", shown_root)
    if shown.context.masked:
        table.add_row("secrets", f"{shown.context.masked} bytes of the file are sent as filler")
    return table


def _context(shown: Explanation, *, wide: bool) -> RenderableType:
    gathered = shown.context.gathered
    if gathered is None:
        return Text(f"nothing of other files: {shown.context.off}", "dim")
    answer = shown.answer
    rows: list[RenderableType] = []
    if gathered.notes:
        rows.append(_snippets(shown, wide=wide))
    else:
        rows.append(Text("nothing was found that helps here", "dim"))
    left = [(one.path, one.reason, one.why) for one in gathered.left]
    if left:
        rows.append(Text(""))
        rows.append(_left(left))
    spent = ", ".join(f"{name} {ms:.0f}" for name, ms in gathered.milliseconds.items())
    failed = ", ".join(f"{name}: {why}" for name, why in gathered.failed.items())
    rows += [Text(""), Text(f"gathered in milliseconds: {spent or 'none'}", "dim")]
    if failed:
        rows.append(Text(f"not in time, or failed: {failed}", "yellow"))
    if any(one.reason == "budget" for one in answer.dropped):
        rows.append(
            Text("left out: budget: sent, and the model's prompt had no room for it", "dim")
        )
    if any(one.reason == "budget" for one in gathered.left):
        rows.append(
            Text("not sent: budget: over context.max_bytes, or over one file's part", "dim")
        )
    if answer.used and len(answer.used) > 1:
        rows.append(Text("in the prompt's order: the most relevant last, next to the file", "dim"))
    return Group(*rows)


def _snippets(shown: Explanation, *, wide: bool) -> RenderableType:
    """Return what was sent, in the prompt's order, and what the server left out of it."""
    gathered = shown.context.gathered
    assert gathered is not None
    tokens = _tokens_by_path(shown.answer)
    dropped = {one.path: one.reason for one in shown.answer.dropped}
    rows: list[tuple[Note, str, str]] = []
    for note in gathered.notes:
        reason = dropped.get(note.path, "")
        count = f"left out: {reason}" if reason else f"{tokens.get(note.path, '?')}"
        rows.append((note, reason, count))
    return _as_table(rows) if wide else _as_lines(rows)


def _as_table(rows: list[tuple[Note, str, str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    widest = max(len(note.path) for note, _, _ in rows)
    table.add_column("file", overflow="fold", min_width=min(widest, MOST_PATH))
    table.add_column("kind", no_wrap=True)
    table.add_column("relevance", justify="right")
    table.add_column("tokens", justify="right")
    table.add_column("why", overflow="fold", ratio=1)
    table.add_column("found by", overflow="fold", style="dim")
    for note, reason, count in rows:
        style = "dim" if reason else ""
        table.add_row(
            _mark(reason),
            Text(note.path, style or "bold"),
            Text(note.kind, style),
            Text(f"{note.relevance:.2f}", style),
            Text(count, "yellow" if reason else ""),
            Text("; ".join(note.why), style),
            Text("\n".join(note.sources)),
        )
    return table


def _as_lines(rows: list[tuple[Note, str, str]]) -> Table:
    """Return the same for few columns: two lines each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("")
    table.add_column("", overflow="fold")
    for note, reason, count in rows:
        said = Text(note.path, "dim" if reason else "bold")
        said.append(f"  {note.kind}, relevance {note.relevance:.2f}, ", "dim")
        unit = "token" if count == "1" else "tokens"
        said.append(count if reason else f"{count} {unit}", "yellow" if reason else "")
        said.append("\n" + "; ".join(note.why), "dim" if reason else "not bold")
        table.add_row(_mark(reason), said)
    return table


def _mark(reason: str) -> Text:
    return Text("✗", "yellow") if reason else Text("✓", "green")


def _left(left: list[tuple[str, str, str]]) -> Table:
    """Return what was found and not sent, one line for each file and reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for path, reason, why in left:
        grouped.setdefault((reason, path), []).append(why)
    table = Table(box=None, pad_edge=False, header_style="dim", style="dim")
    table.add_column("not sent", no_wrap=True, style="yellow")
    table.add_column("file", overflow="fold")
    table.add_column("found as", overflow="fold", ratio=1)
    rows = sorted(grouped.items(), key=lambda one: one[0])
    for (reason, path), whys in rows[:MOST_LEFT]:
        table.add_row(reason, Text(path), Text("; ".join(why for why in whys if why)))
    if len(rows) > MOST_LEFT:
        table.add_row("", Text(f"and {len(rows) - MOST_LEFT} more"), "")
    return table


def _tokens_by_path(answer: pb.ExplainResponse) -> dict[str, int]:
    """Return the tokens of each snippet, where the layout has them apart."""
    parts = [part for part in answer.parts if part.kind == "snippet"]
    if len(parts) != len(answer.used):
        return {}
    return {one.path: part.tokens for one, part in zip(answer.used, parts, strict=True)}


def _prompt(answer: pb.ExplainResponse) -> RenderableType:
    if not answer.parts:  # a server of an older version
        return Text(answer.prompt.decode("utf-8", "backslashreplace"))
    shown = Text()
    for part in answer.parts:
        text = part.text.decode("utf-8", "backslashreplace")
        if part.kind == "special":
            shown.append(text, _PARTS["special"])
            continue
        if shown.plain and not shown.plain.endswith("\n"):
            shown.append("\n")
        shown.append(f"▏{part.kind}, {_count(part.tokens, 'token')}", "italic dim")
        shown.append("\n")
        shown.append(text, _PARTS.get(part.kind, ""))
    return shown


def _answer(response: pb.CompleteResponse) -> RenderableType:
    rows: list[RenderableType] = []
    for candidate in response.candidates:
        reason = pb.StopReason.Name(candidate.stop_reason).removeprefix("STOP_REASON_").lower()
        rows.append(Text(candidate.text.decode("utf-8", "backslashreplace"), "green"))
        rows.append(
            Text(
                f"ended by: {reason}. {_count(candidate.tokens, 'token')}, log-probability "
                f"{candidate.log_prob:.2f}, replaces {_count(candidate.replace_after, 'byte')} "
                "after the cursor",
                "dim",
            )
        )
    if response.declined:
        rows.append(Text(f"no suggestion: {response.declined}", "yellow"))
    return Group(*rows)


def _cover(answer: pb.ExplainResponse) -> Table:
    """Return the token sequences that were summed over, the most probable first."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("tokens behind the prompt", overflow="fold")
    table.add_column("the next one begins with", overflow="fold")
    table.add_column("probability so far", justify="right")
    contexts = sorted(answer.cover, key=lambda one: -one.log_weight)
    for one in contexts[:MOST_CONTEXTS]:
        tokens = Text(" ").join(map(quoted, one.tokens)) if one.tokens else Text("none", "dim")
        table.add_row(tokens, quoted(one.remainder), f"{math.exp(one.log_weight):.2e}")
    if len(contexts) > MOST_CONTEXTS:
        table.add_row(Text(f"and {len(contexts) - MOST_CONTEXTS} less probable", "dim"), "", "")
    return table


def _cost(shown: Explanation) -> Table:
    answer, usage = shown.answer, shown.answer.response.usage
    table = _grid()
    table.add_row("model", Text(answer.response.model))
    arm = f"{answer.arm} ({shown.unhealed})" if shown.unhealed else answer.arm
    table.add_row("arm", Text(arm))
    table.add_row("prompt", "; ".join(_counts(answer)))
    if usage.healed_bytes:
        table.add_row(
            "healed",
            f"{_count(usage.healed_bytes, 'byte')} over {_count(usage.cover_contexts, 'context')}, "
            "at most "
            f"{usage.omitted_mass_bound:.1%} of the probability in others",
        )
    table.add_row("generated", _count(usage.generated_tokens, "token"))
    timings = answer.response.timings
    table.add_row(
        "milliseconds",
        f"queue {timings.queue:.1f}, prompt {timings.prompt:.1f}, first token "
        f"{timings.first_token:.1f}, first line {timings.first_line:.1f}, total {timings.total:.1f}",
    )
    return table


def _counts(answer: pb.ExplainResponse) -> Iterator[str]:
    usage = answer.response.usage
    yield _count(usage.prompt_tokens, "token")
    snippets = sum(part.tokens for part in answer.parts if part.kind == "snippet")
    if snippets:
        yield f"{snippets} of other files"
    yield f"{usage.cached_tokens} from the cache"
    yield f"{answer.stable_tokens} unchanged by the next keystroke"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
