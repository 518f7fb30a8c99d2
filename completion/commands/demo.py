"""``caret demo``: a real file, a real LSP session over stdio, and what an editor would show.

Starts ``caret lsp``, which starts its own ``caret serve``; opens the file with a piece cut out at
each of three cursors, and asks for a suggestion there. Nothing is prepared: what is shown is what
the model said, beside what the author had written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from completion.commands.flags import add_model_flags, add_server_flag, words_for_server
from completion.errors import CaretError
from completion.terminal import Terminal
from lsp.session import LspSession, Message, Shown, lsp_command

HELP = "complete a real file, as an editor would show it"
SAMPLE = Path(__file__).with_name("demo_sample.py")
_LINES_AROUND = 5


@dataclass(frozen=True, slots=True)
class Stop:
    """A cursor: behind ``before`` (its first place in the file), with ``cut`` taken out there."""

    name: str
    before: str
    cut: str


STOPS = (
    Stop("in the middle of a line", "for position in range(", "len(self.titles)"),
    Stop("in the middle of a word", "self.years.pop(title, None)\n\n    def __len__(self):\n        ret",
         "urn len(self.titles)"),
    Stop("a whole block", '"""Put one more book at the end."""\n        ',
         'if len(self.titles) >= self.capacity:\n'
         '            raise ValueError("shelf %s is full" % self.name)\n'
         "        self.titles.append(title)\n"
         "        if year is not None:\n"
         "            self.years[title] = year\n"
         "        return self"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What one cursor gave."""

    cursor: str
    line: int
    column: int
    suggestion: str
    author: str
    milliseconds: float
    stages: dict[str, float]
    stop_reason: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add_server_flag(parser)
    add_model_flags(parser)
    parser.add_argument("--json", action="store_true", help="the results as JSON")


def run(args: argparse.Namespace) -> int:
    """Show the three suggestions; status 1 when none came at all."""
    console = Terminal(highlight=False, stderr=args.json)
    results, loaded = asyncio.run(_session(args, console))
    if args.json:
        print(
            json.dumps({"load_seconds": loaded, "cursors": [asdict(r) for r in results]}, indent=2)
        )
    return 0 if any(result.suggestion for result in results) else 1


async def _session(args: argparse.Namespace, console: Console) -> tuple[list[Result], float]:
    words = ["--server", args.server] if args.server else []
    words += ["--own-server", *(f"--serve-arg={word}" for word in words_for_server(args))]
    begin = time.perf_counter()
    source = SAMPLE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="caret-demo-") as folder:
        path = Path(folder, "shelf.py")
        path.write_text(source, encoding="utf-8")
        async with LspSession(lsp_command(*words)) as session:
            with Terminal(stderr=True).status("starting caret lsp, and the model behind it …"):
                await session.initialize(
                    Path(folder), capabilities={"experimental": {"caretTimings": True}}
                )
                await session.ready()
            loaded = time.perf_counter() - begin
            console.print(f"[bold]Caret[/] is ready after {loaded:.1f} s\n")
            results = [
                await _complete(session, path, source, stop, version, console)
                for version, stop in enumerate(STOPS, 1)
            ]
            await session.shutdown()
    return results, round(loaded, 2)


async def _complete(
    session: LspSession, path: Path, source: str, stop: Stop, version: int, console: Console
) -> Result:
    at = source.index(stop.before) + len(stop.before)
    if not source.startswith(stop.cut, at):
        raise CaretError(f"the sample file has changed at {stop.name!r}")
    text = source[:at] + source[at + len(stop.cut) :]
    if version == 1:
        session.open(path, text, version=version)
    else:
        session.change(path.as_uri(), version, {"text": text})
    line = text.count("\n", 0, at)
    column = at - (text.rfind("\n", 0, at) + 1)
    shown = await session.complete(path.as_uri(), line, column, triggerKind=1)
    stages, reason = _timings(session.notifications)
    console.print(_picture(text, at, shown, stop))
    console.print(_where(shown.milliseconds, stages, reason))
    console.print()
    return Result(stop.name, line + 1, column + 1, shown.text, stop.cut,
                  round(shown.milliseconds, 1), stages, reason)  # fmt: skip


def _timings(notifications: list[Message]) -> tuple[dict[str, float], str]:
    """Return the stages of the last completion, in milliseconds, and why it ended."""
    last = next((n for n in reversed(notifications) if n["method"] == "caret/timings"), None)
    if last is None:
        return {}, ""
    return dict(last["params"]["stages"]), last["params"]["reason"]


def _picture(text: str, at: int, shown: Shown, stop: Stop) -> Panel:
    """Draw the lines around the cursor with the suggestion in grey, as ghost text."""
    lines_before = text[:at].split("\n")
    lines_after = text[at:].split("\n")
    first = max(0, len(lines_before) - _LINES_AROUND)
    body = Text()
    body.append("\n".join(lines_before[first:]))
    body.append("▏", style="bold cyan")
    replaced = _replaced(shown)
    body.append(
        shown.text or "(no suggestion)", style="italic bright_black" if shown.text else "red"
    )
    body.append("\n".join(lines_after[:3])[replaced:])
    title = f"{stop.name}, line {len(lines_before)}"
    author = stop.cut if "\n" not in stop.cut else stop.cut.split("\n")[0] + " …"
    return Panel(body, title=title, title_align="left", subtitle=f"the author wrote: {author}",
                 subtitle_align="left", border_style="blue", padding=(0, 1))  # fmt: skip


def _replaced(shown: Shown) -> int:
    """Return how many characters after the cursor the suggestion replaces."""
    if not shown.items or "range" not in shown.items[0]:
        return 0
    span = shown.items[0]["range"]
    return span["end"]["character"] - span["start"]["character"]


def _where(total: float, stages: dict[str, float], reason: str) -> Text:
    line = Text(f"  {total:6.1f} ms from request to suggestion", style="bold")
    if stages:
        model = stages["total"] - stages["queue"] - stages["prompt"]
        first = stages["first_token"] - stages["queue"] - stages["prompt"]
        parts = {
            "queue": stages["queue"],
            "prompt": stages["prompt"],
            "first token": first,
            "further tokens": model - first,
            "editor, LSP and gRPC": total - stages["total"],
        }
        shown = ", ".join(f"{name} {value:.1f}" for name, value in parts.items())
        line.append(f": {shown}", style="not bold")
    if reason:
        line.append(f"; ended by: {reason}", style="not bold dim")
    return line
