"""``caret eval laws``: how far naive and one-token laws of the next byte are from the exact one."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import grpc.aio
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from completion.commands.flags import add_model_flags, add_server_flag, words_for_server
from completion.errors import UsageError
from completion.terminal import Terminal
from eval.output import output_file, write_output

LINE_EVERY = 100
"""Cursors between two lines of progress where there is no terminal."""

HELP = "how far the usual laws of the next byte are from the exact one"
_TEXT = {
    "healed_share": "share of cursors with something to cover",
    "tv_naive": "total variation, as typed against exact",
    "tv_naive_above_0.1": "share of them above 0.1",
    "tv_one_token": "total variation, masked word against exact",
    "tv_one_token_above_0.1": "share of them above 0.1",
    "tv_naive_at_boundary": "total variation where nothing is to be covered",
    "healed_bytes": "bytes covered",
    "contexts_law": "contexts summed over for the law",
    "contexts_drawn": "contexts summed over to draw",
    "omitted_law_p99": "certificate of the law, 99th percentile",
    "omitted_drawn_p50": "certificate of a draw, median",
    "omitted_drawn_p99": "certificate of a draw, 99th percentile",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_model_flags(parser)
    add_server_flag(parser)
    add = parser.add_argument
    add("--cuts", type=int, default=5000, metavar="N", help="cursors (default 5000)")
    add("--seed", type=int, default=0, metavar="N", help="of the draw (default 0)")
    add("--data", type=Path, metavar="TREE", help="source files (default: the held-out packages)")
    add("--json", metavar="FILE", help="write the figures there; - for standard output")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from eval import held_out
    from eval.laws import certificates, draw_cuts, scores
    from eval.metrics.summary import summarise

    if args.cuts < 1:
        raise UsageError(f"--cuts must be at least 1, not {args.cuts}")
    output = None
    if args.json not in (None, "-"):
        output = output_file("--json", args.json, hint=", or - for standard output")
    tree = held_out.tree(args.data)
    cuts = draw_cuts(tree, args.cuts, args.seed)
    model, measured = asyncio.run(_measured(args, cuts))
    figures = summarise(scores(measured))
    bounds = certificates(measured)
    table: dict[str, Any] = {
        "model": model, "cuts": len(cuts), "seed": args.seed,
        "tree": {"name": tree.name, "sha256": tree.sha256},
        "figures": {name: asdict(figure) for name, figure in figures.items()},
        "certificates": bounds,
    }  # fmt: skip
    if args.json == "-":
        print(json.dumps(table, indent=1))
        return 0
    if output is not None:
        write_output("--json", output, json.dumps(table, indent=1) + "\n")
    shown = Table("", "mean", "95 %", "cursors", box=None)
    for name, figure in figures.items():
        between = f"{figure.low:.4f} to {figure.high:.4f}"
        shown.add_row(_TEXT[name], f"{figure.value:.4f}", between, f"{figure.n:,}")
    for name, bound in bounds.items():
        shown.add_row(_TEXT[name], f"{bound:.2e}", "", "")
    Terminal(highlight=False).print(shown)
    return 0


async def _measured(args: argparse.Namespace, cuts: Any) -> tuple[str, Any]:
    from completion.config_sources import load
    from completion.wire import completion_pb2 as pb
    from completion.wire import completion_pb2_grpc as rpc
    from completion.wire.address import parse_address
    from completion.wire.channel import open_channel, wait_until_serving
    from completion.wire.own_server import OwnServer
    from eval.laws import measure

    console = Terminal(stderr=True, highlight=False)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    task = bar.add_task("cursors", total=len(cuts))

    def done() -> None:
        bar.advance(task)
        number = int(bar.tasks[task].completed)
        if not console.is_terminal and number % LINE_EVERY == 0:
            console.print(f"cursors: {number:,} of {len(cuts):,}")

    async def ask(channel: grpc.aio.Channel) -> tuple[str, Any]:
        stub = rpc.CompletionServiceStub(channel)
        model = await stub.GetModel(pb.GetModelRequest())
        if model.healing_reason:
            raise UsageError(f"{model.name} is not healed: {model.healing_reason}")
        if not console.is_terminal:
            return model.name, await measure(stub, cuts, done)
        with bar:
            return model.name, await measure(stub, cuts, done)

    if args.server:
        channel = open_channel(parse_address(args.server), load().config.client.credentials)
        try:
            await wait_until_serving(channel, timeout_s=10.0)
            return await ask(channel)
        finally:
            await channel.close()
    words = words_for_server(args)
    if args.arm is None:
        words += ["--arm", "exact_spm"]
    async with OwnServer(extra_args=words) as server:
        channel = server.channel()
        try:
            return await ask(channel)
        finally:
            await channel.close()
