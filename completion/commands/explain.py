"""``caret explain FILE:LINE:COL``: the prompt, what went into it, the cover, the timings."""

from __future__ import annotations

import argparse
import asyncio
import json

from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from completion.commands import complete
from completion.commands.flags import words_for_server
from completion.commands.place import read_place, request_for, service
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc

HELP = "the prompt, its parts and the timings at FILE:LINE:COL"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments: those of ``caret complete``."""
    complete.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    request = request_for(read_place(args.place), complete.options(args))
    answer = asyncio.run(_ask(args, request))
    if args.json:
        tree = MessageToDict(answer, preserving_proto_field_name=True)
        tree["prompt"] = answer.prompt.decode("utf-8", "backslashreplace")
        tree["response"] = complete.as_json(answer.response)
        print(json.dumps(tree, indent=2))
    else:
        _show(answer)
    return 0


async def _ask(args: argparse.Namespace, request: pb.CompleteRequest) -> pb.ExplainResponse:
    async with service(args.server, words_for_server(args)) as channel:
        return await rpc.CompletionServiceStub(channel).Explain(request)


def _show(answer: pb.ExplainResponse) -> None:
    console = Console(highlight=False)
    response = answer.response
    console.rule("prompt, as sent")
    console.print(Text(answer.prompt.decode("utf-8", "backslashreplace")))
    console.rule("answer")
    for candidate in response.candidates:
        reason = pb.StopReason.Name(candidate.stop_reason).removeprefix("STOP_REASON_").lower()
        console.print(Text(candidate.text.decode("utf-8", "backslashreplace"), style="green"))
        console.print(
            f"[dim]{candidate.tokens} tokens, log-probability {candidate.log_prob:.2f}, "
            f"ended by: {reason}, replaces {candidate.replace_after} bytes after the cursor[/]"
        )
    if response.declined:
        console.print(f"[yellow]no suggestion: {response.declined}[/]")
    console.rule("how")
    table = Table(box=None, show_header=False, pad_edge=False)
    usage, timings = response.usage, response.timings
    table.add_row("model", response.model)
    table.add_row("arm", answer.arm)
    table.add_row(
        "prompt",
        f"{usage.prompt_tokens} tokens: {usage.cached_tokens} from the cache, "
        f"{answer.stable_tokens} unchanged by the next keystroke",
    )
    table.add_row("generated", f"{usage.generated_tokens} tokens")
    table.add_row("snippets", ", ".join(s.path for s in answer.used) or "none")
    table.add_row("left out", ", ".join(f"{d.path} ({d.reason})" for d in answer.dropped) or "none")
    table.add_row(
        "milliseconds",
        f"queue {timings.queue:.1f}, prompt {timings.prompt:.1f}, first token "
        f"{timings.first_token:.1f}, first line {timings.first_line:.1f}, total {timings.total:.1f}",
    )
    console.print(table)
