"""``caret bench``: speed, every row a ratio or a time beside its bar, measured in one run."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.table import Table

from completion.commands.flags import add_model_flags, configured, words_for_server
from completion.config import Config
from completion.errors import UsageError
from completion.terminal import Terminal
from eval.output import output_file, write_output

HELP = "speed, as ratios measured in one run"


MOST_GENERATED = 1_000_000
"""Some 2 GB on the disk."""
MOST_MINUTES = 10_000
"""A week."""
_DRAWN = ("llama-cpp", "vllm-server", "start", "limit", "chunked", "drafters")
"""Which draw a picture of their own; of the others it is the figures beside their bars."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "suite",
        choices=(
            "latency", "keystrokes", "healing", "bytes", "train", "context", "workspace", "drafts",
            "drafters", "load", "llama-cpp", "vllm-server", "start", "limit", "chunked",
        ),
        help="latency: the service over the bare engine; keystrokes: the language server under "
        "load; healing: exact healing over none; bytes: decoding by bytes over tokens; "
        "train: our loop over transformers' Trainer, and what the objectives cost; "
        "context: gathering and index of a workspace, and a keystroke beside them; "
        "workspace: the workspace model over none, and what holding a workspace costs; "
        "drafts: decoding with drafts of the document and the workspace over none; "
        "drafters: offline, the tokens a step of prompt lookup, the workspace's store and Token "
        "Recycling on replayed typing, and what time that promises; "
        "load: many clients typing for minutes: errors, leaks, fairness, latency; "
        "llama-cpp: engine and service over llama.cpp's best setting; vllm-server: vLLM's own "
        "server over the service under typing clients; start: start and memory; limit: a decoding "
        "step over reading the weights once, and settings of the engine; chunked: long prompts "
        "beside answers under way, and what the cache serves",
    )  # fmt: skip
    add_model_flags(parser)
    parser.add_argument(
        "--second",
        metavar="DIR|HF-ID",
        help="bytes: also the mean of the model and this one; limit: also a step of this one",
    )
    parser.add_argument(
        "--workspace",
        metavar="DIR",
        help="context, workspace, drafts, drafters: the folder (default: Caret's own sources; drafts "
        "and drafters: a package)",
    )
    parser.add_argument(
        "--generated-files", type=int, default=0, metavar="N",
        help="context, workspace: instead, a workspace of N generated files, which is removed again",
    )  # fmt: skip
    parser.add_argument(
        "--files", type=int, default=3, metavar="N",
        help="keystrokes: files of which a function is typed in time, some two minutes each "
        "(default 3; 0: none); drafters: the same, of which it asks behind each key",
    )  # fmt: skip
    parser.add_argument(
        "--limit", type=int, default=0, metavar="N",
        help="drafters: most requests of a file (default 0: all of them)",
    )  # fmt: skip
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="keystrokes: where those files are (default: the held-out packages)",
    )
    parser.add_argument(
        "--clients", type=int, default=64, metavar="N", help="load: who type at once (default 64)"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, metavar="M", help="load: for how long (default 10)"
    )
    parser.add_argument("--rounds", type=int, default=30, help="of the short ones (default 30)")
    parser.add_argument("--starts", type=int, default=5, help="of the server (default 5)")
    parser.add_argument(
        "--plot", metavar="FILE.png|svg",
        help="draw what was measured",
    )  # fmt: skip
    parser.add_argument(
        "--json", metavar="FILE", help="write the rows there; - for standard output"
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print; status 1 when a bar does not hold."""
    console = Terminal(stderr=True, highlight=False)
    output = None
    if args.json not in (None, "-"):
        output = output_file(
            "--json", args.json, hint=", or - for standard output", new_folders=False
        )
    if args.second is not None and args.suite not in ("bytes", "limit"):
        raise UsageError("--second is of two models; it is for `caret bench bytes` and `limit`")
    for flag, value, of in (
        ("--workspace", args.workspace, ("context", "workspace", "drafts", "drafters")),
        ("--generated-files", args.generated_files, ("context", "workspace")),
    ):
        if value and args.suite not in of:
            others = " and ".join(f"`{suite}`" for suite in of[1:])
            raise UsageError(f"{flag} is of a workspace; it is for `caret bench {of[0]}`, {others}")
    if args.data is not None and args.suite != "keystrokes":
        raise UsageError("--data is of files that are typed; it is for `caret bench keystrokes`")
    if args.plot is not None and Path(args.plot).suffix not in (".png", ".svg"):
        raise UsageError(f"--plot {args.plot}: name a file that ends in .png or .svg")
    if args.files < 0:
        raise UsageError("--files must be at least 0")
    if args.suite == "drafters" and not args.files:
        raise UsageError("--files must be at least 1 for `caret bench drafters`")
    if args.limit and args.suite != "drafters":
        raise UsageError("--limit is of requests of a file; it is for `caret bench drafters`")
    if args.limit < 0:
        raise UsageError("--limit must be at least 0")
    if args.rounds < 0 or args.starts < 0:
        raise UsageError("--rounds and --starts must be at least 0")
    if args.clients < 1 or not 0 < args.minutes < MOST_MINUTES:
        raise UsageError(
            f"--clients must be at least 1, and --minutes above 0 and below {MOST_MINUTES:,}"
        )
    if args.workspace is not None and args.generated_files:
        raise UsageError("--workspace and --generated-files are two workspaces; name one")
    if not 0 <= args.generated_files <= MOST_GENERATED:
        raise UsageError(f"--generated-files must be at least 0 and at most {MOST_GENERATED:,}")
    config = configured(args)
    measure = {
        "latency": _latency, "keystrokes": _keystrokes, "healing": _healing, "bytes": _bytes,
        "train": _train, "context": _context, "workspace": _workspace, "load": _load,
        "llama-cpp": _llama_cpp, "vllm-server": _vllm_server, "start": _start, "limit": _limit,
        "chunked": _chunked, "drafts": _drafts, "drafters": _drafters,
    }[args.suite]  # fmt: skip
    rows = asyncio.run(measure(args, config, lambda text: console.print(f"[dim]{text}[/]")))
    if args.plot is not None and args.suite not in _DRAWN:
        from eval.bench.bars import draw

        draw(rows, Path(args.plot), f"caret bench {args.suite}")
    if args.json is not None:
        shown = [{"name": r.name, "ratio": round(r.ratio, 4), "bar": r.bar, "holds": r.holds,
                  "runs": r.runs} for r in rows]  # fmt: skip
        text = json.dumps({"suite": args.suite, "rows": shown}, indent=2) + "\n"
        if output is None:
            sys.stdout.write(text)
        else:
            write_output("--json", output, text)
    if args.json != "-":
        table = Table("", "measured", "bar", "runs", "", box=None)
        for row in rows:
            bar = mark = ""
            if row.bar is not None:
                bar = f"≤ {row.bar:g}"
                mark = "[green]holds[/]" if row.holds else "[red]misses[/]"
            table.add_row(row.name, f"{row.ratio:.3g}", bar, str(row.runs), mark)
        Terminal(highlight=False).print(table)
    return 0 if all(row.holds for row in rows) else 1


async def _latency(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.latency import start_to_serving, unary_over_bare

    rows = []
    if args.starts:
        rows.append(await start_to_serving(args.starts, words_for_server(args), say))
    if args.rounds:
        rows += await unary_over_bare(config, args.rounds, say)
    return rows


async def _keystrokes(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.keys_in_time import in_time
    from eval.bench.keystrokes import rows

    words = words_for_server(args)
    # first what fails at once where there are no files
    found = []
    if args.files:
        found = await in_time(
            words, args.files, None if args.data is None else Path(args.data), say
        )
    return [*await rows(words, say), *found]


async def _healing(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.healing import rows

    return await rows(config.model.path, words_for_server(args), max(16, args.rounds), say)


async def _bytes(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.bytes import rows

    return await rows(config, args.second, args.rounds, say)


async def _train(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.train import rows

    device = "cuda" if config.model.device == "cuda" else "cpu"
    return await rows(config.model.path, device, args.rounds, say)


async def _context(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.context import rows

    workspace = None if args.workspace is None else Path(args.workspace)
    return await rows(workspace, args.generated_files, max(1, args.rounds), say)


async def _workspace(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.workspace import rows

    workspace = None if args.workspace is None else Path(args.workspace)
    return await rows(config, workspace, args.generated_files, max(1, args.rounds), say)


async def _load(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.load import rows

    return await rows(words_for_server(args), args.clients, args.minutes, say)


def _plot(args: argparse.Namespace) -> Path | None:
    return None if args.plot is None else Path(args.plot)


async def _llama_cpp(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.llama_cpp import rows

    return await rows(config.model, words_for_server(args), args.rounds, _plot(args), say)


async def _vllm_server(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.vllm_server import rows

    return await rows(config.model, words_for_server(args), args.rounds, _plot(args), say)


async def _start(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.start import rows

    return await rows(words_for_server(args), max(1, args.starts), _plot(args), say)


async def _limit(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.limit import rows

    words = words_for_server(args)
    return await rows(config.model, words, args.second, args.rounds, _plot(args), say)


async def _chunked(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.chunked import rows

    return await rows(config.model, words_for_server(args), args.rounds, _plot(args), say)


async def _drafts(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.drafts import rows

    workspace = None if args.workspace is None else Path(args.workspace)
    return await rows(config, workspace, max(5, args.rounds), say)


async def _drafters(args: argparse.Namespace, config: Config, say: Callable[[str], None]):
    from eval.bench.drafters import rows

    workspace = None if args.workspace is None else Path(args.workspace)
    rounds = max(5, args.rounds)
    return await rows(config, workspace, args.files, args.limit, rounds, _plot(args), say)
