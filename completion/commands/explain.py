"""``caret explain FILE:LINE:COL``: the prompt, what went into it, the cover, the timings."""

from __future__ import annotations

import argparse
import asyncio
import json
import math

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
    answer, model = asyncio.run(_ask(args, request))
    if args.json:
        tree = MessageToDict(answer, preserving_proto_field_name=True)
        tree["prompt"] = answer.prompt.decode("utf-8", "backslashreplace")
        tree["response"] = complete.as_json(answer.response)
        if reason := _unhealed(model):
            tree["healing_reason"] = reason
        print(json.dumps(tree, indent=2))
    else:
        _show(answer, _unhealed(model))
    return 0


async def _ask(
    args: argparse.Namespace, request: pb.CompleteRequest
) -> tuple[pb.ExplainResponse, pb.Model]:
    async with service(args.server, words_for_server(args)) as channel:
        stub = rpc.CompletionServiceStub(channel)
        return await stub.Explain(request), await stub.GetModel(pb.GetModelRequest())


def _unhealed(model: pb.Model) -> str:
    return model.healing_reason if model.healing == pb.HEALING_OFF else ""


def _show(answer: pb.ExplainResponse, unhealed: str) -> None:
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
    if answer.cover:
        console.rule("cover")
        console.print(_cover(answer))
    console.rule("how")
    table = Table(box=None, show_header=False, pad_edge=False)
    usage, timings = response.usage, response.timings
    table.add_row("model", response.model)
    table.add_row("arm", Text(f"{answer.arm} ({unhealed})" if unhealed else answer.arm))
    table.add_row(
        "prompt",
        f"{usage.prompt_tokens} tokens: {usage.cached_tokens} from the cache, "
        f"{answer.stable_tokens} unchanged by the next keystroke",
    )
    if usage.healed_bytes:
        table.add_row(
            "healed",
            f"{usage.healed_bytes} bytes over {usage.cover_contexts} contexts, at most "
            f"{usage.omitted_mass_bound:.1%} of the probability in others",
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


MOST_CONTEXTS = 12


def _cover(answer: pb.ExplainResponse) -> Table:
    """Return the token sequences that were summed over, the most probable first."""
    table = Table(box=None, pad_edge=False)
    table.add_column("tokens behind the prompt")
    table.add_column("the next one begins with")
    table.add_column("probability so far", justify="right")
    contexts = sorted(answer.cover, key=lambda one: -one.log_weight)
    for one in contexts[:MOST_CONTEXTS]:
        tokens = (
            Text(" ").join(_quoted(text) for text in one.tokens)
            if one.tokens
            else Text("none", "dim")
        )
        table.add_row(tokens, _quoted(one.remainder), f"{math.exp(one.log_weight):.2e}")
    if len(contexts) > MOST_CONTEXTS:
        table.add_row(Text(f"and {len(contexts) - MOST_CONTEXTS} less probable", "dim"), "", "")
    return table


def _quoted(text: bytes) -> Text:
    """Return bytes so that blanks and parts of characters can be seen."""
    shown = text.decode("utf-8", "backslashreplace").translate(_SEEN)
    return Text(shown, "black on cyan") if shown else Text("anything", "dim")


_SEEN = str.maketrans({" ": "·", "\n": "⏎", "\t": "→", "\r": "␍"})
