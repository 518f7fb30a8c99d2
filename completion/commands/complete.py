"""``caret complete FILE:LINE:COL``: one completion, to standard output."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from google.protobuf.json_format import MessageToDict

from completion.commands.context import Context, add_context_flags, in_workspace, with_context
from completion.commands.flags import add_model_flags, add_server_flag, words_for_server
from completion.commands.place import read_place, request_for, service
from completion.errors import UsageError
from completion.shown import one_line, shown_bytes
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc

HELP = "one completion at FILE:LINE:COL"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("place", metavar="FILE:LINE:COL", help="1-based line, 1-based byte column")
    add_server_flag(parser)
    add_model_flags(parser)
    add_context_flags(parser)
    parser.add_argument("--candidates", type=int, default=1, help="how many (default 1)")
    parser.add_argument("--max-tokens", type=int, default=0, help="longest answer, in tokens")
    parser.add_argument("--temperature", type=float, default=0.0, help="0: greedy (default)")
    parser.add_argument("--seed", type=int, help="of the draws, with a temperature")
    parser.add_argument("--lines", choices=("auto", "single", "multi"), default="auto")
    parser.add_argument("--raw", action="store_true", help="also the model's own text, uncut")
    parser.add_argument("--json", action="store_true", help="the whole response")


def options(args: argparse.Namespace) -> pb.GenerationOptions:
    """Return the generation options that the flags ask for.

    Raises:
        UsageError: a number is negative, or too large for the contract.
    """
    for flag, bits in (("candidates", 32), ("max_tokens", 32), ("seed", 64)):
        if not 0 <= (getattr(args, flag) or 0) < 1 << bits:
            name = flag.replace("_", "-")
            raise UsageError(f"--{name} must be at least 0 and below 2^{bits}")
    return pb.GenerationOptions(
        candidates=args.candidates,
        max_tokens=args.max_tokens,
        temperature=args.temperature,
        seed=args.seed,
        lines=pb.GenerationOptions.Lines.Value(f"LINES_{args.lines.upper()}"),
        include_raw=args.raw,
    )


def run(args: argparse.Namespace) -> int:
    """Print the completion; status 1 when there is none."""
    place = read_place(args.place)
    request, context = with_context(args, place, request_for(place, options(args)))
    response = asyncio.run(_ask(args, context, request))
    if args.json:
        print(json.dumps(as_json(response), indent=2))
        return 0
    # To a file or another program go the bytes as they are, to a terminal nothing that drives it.
    written = shown_bytes if sys.stdout.isatty() else bytes
    for number, candidate in enumerate(response.candidates):
        if number:
            sys.stdout.write("\n---\n")
            sys.stdout.flush()
        sys.stdout.buffer.write(written(candidate.text))
        if args.raw:
            sys.stdout.buffer.write(b"\n--- raw\n" + written(candidate.raw_text))
    if not response.candidates:
        sys.stderr.write(f"no suggestion here: {one_line(response.declined)}\n")
        return 1
    sys.stdout.buffer.write(b"\n")
    return 0


async def _ask(
    args: argparse.Namespace, context: Context, request: pb.CompleteRequest
) -> pb.CompleteResponse:
    async with (
        service(args.server, words_for_server(args)) as channel,
        in_workspace(args, context, request, channel) as asked,
    ):
        return await rpc.CompletionServiceStub(channel).Complete(asked)


def as_json(response: pb.CompleteResponse) -> dict[str, object]:
    """Return the response as JSON with text as text; bytes that are no UTF-8 are escaped."""
    tree = MessageToDict(response, preserving_proto_field_name=True)
    for shown, candidate in zip(tree.get("candidates", []), response.candidates, strict=True):
        shown["text"] = candidate.text.decode("utf-8", "backslashreplace")
        if candidate.raw_text:
            shown["raw_text"] = candidate.raw_text.decode("utf-8", "backslashreplace")
    return tree
