"""``caret eval SUITE``: one suite on one engine; and the words that do something with results."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from completion.commands.flags import (
    add_model_flags,
    add_server_flag,
    configured,
    words_for_server,
)
from completion.errors import UsageError
from completion.terminal import Terminal
from eval.engines import ENGINES
from eval.workspace.arms import Arm

if TYPE_CHECKING:
    from eval.engines.base import Engine
    from eval.running.progress import RunProgress
    from eval.running.runner import Options
    from eval.suites.base import Suite
    from eval.workspace.others import OtherFiles

HELP = "the offline evaluation harness"

WORDS = {
    "list": ("eval.commands.eval_list", "the suites, and whether their data is here"),
    "compare": ("eval.commands.eval_compare", "two results of a suite, paired"),
    "report": ("eval.commands.eval_report", "results as one HTML file with plots"),
    "build": ("eval.commands.eval_build", "items from a source tree"),
    "cross-file": ("eval.commands.eval_cross_file", "CrossCodeEval items from a source tree"),
    "fetch": ("eval.commands.eval_fetch", "the held-out set of real packages"),
    "laws": ("eval.commands.eval_laws", "laws of the next byte, exact and not"),
    "arms": ("eval.commands.eval_arms", "every way of asking a model, best first"),
    "workspace": ("eval.commands.eval_workspace", "what the project's own text brings to a model"),
}
"""Word to module and one line; each has ``configure(parser)`` and ``run(args)`` as a command has."""

MOST_WORKERS = 256
_HINT = ", or - for standard output; without --json the result is only shown"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a run; a first word of :data:`WORDS` brings its own instead."""
    parser.usage = "caret eval SUITE [options]\n" + "".join(
        f"       caret eval {word} …{'':{10 - len(word)}}{text}\n"
        for word, (_, text) in WORDS.items()
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Runs a suite on a model and says how good it is, with intervals, beside what guessing\n"
        "scores. The same command goes on where it stopped. `caret eval list` names the suites."
    )
    _configure_run(parser)
    parse_run = parser.parse_known_args

    def parse(args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        at = next((i for i, word in enumerate(words) if not word.startswith("-")), None)
        if at is None or words[at] not in WORDS:
            found, unknown = parse_run(words, namespace)
            return _all_known(parser, found, unknown)
        word = words.pop(at)
        module, text = WORDS[word]
        sub = argparse.ArgumentParser(prog=f"{parser.prog} {word}", description=text)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        loaded = importlib.import_module(module)
        loaded.configure(sub)
        args_, rest = sub.parse_known_args(words, namespace)
        args_.run = loaded.run
        return _all_known(sub, args_, rest)

    parser.parse_known_args = parse  # type: ignore[method-assign]


def _all_known(parser: argparse.ArgumentParser, args: Any, unknown: list[str]) -> Any:
    """Return what parsing returns; end with the usage of ``parser`` where words are left over."""
    if unknown:  # left to the program's own parser, its usage would be shown, and none of these
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return args, unknown


def _configure_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suite", metavar="SUITE", help="`caret eval list` names them")
    add = parser.add_argument_group("who answers").add_argument
    listed = "; ".join(f"{name}: {text}" for name, (_, text) in ENGINES.items())
    add("--engine", default="server", metavar="NAME", help=f"{listed} (default server)")
    add_server_flag(parser)
    add_model_flags(parser)
    add = parser.add_argument_group("two models (--engine ensemble)").add_argument
    add("--second", metavar="DIR|HF-ID", help="the model beside --model, of any tokenizer")
    add(
        "--weight", type=float, metavar="W",
        help="of the first model in the mean of the two, between 0 and 1 (default 0.5)",
    )  # fmt: skip
    add = parser.add_argument_group("what is asked").add_argument
    add("--data", metavar="PATH", help="the data: a file, a folder, or hf:OWNER/NAME")
    add("--limit", type=int, metavar="N", help="only N items, always the same ones; 0: all")
    add("--seed", type=int, default=0, metavar="N", help="of selection and draws (default 0)")
    add("--samples", type=int, default=1, metavar="N", help="answers to each item (default 1)")
    add("--temperature", type=float, default=0.0, metavar="T", help="0: greedy (default)")
    add("--top-p", type=float, default=1.0, metavar="P", help="with a temperature (default 1)")
    add(
        "--healing", default="default", choices=("default", "exact", "one-token", "off"),
        help="of the word at the cursor; default: the server's own",
    )  # fmt: skip
    add(
        "--workers", type=int, metavar="N",
        help="items in flight (default 1: so a greedy run gives the same again, and latency is one "
        "user's; 8 takes a third of the time)",
    )  # fmt: skip
    add("--no-baselines", action="store_true", help="do not guess beside it")
    add = parser.add_argument_group("other files of the item's project").add_argument
    add(
        "--other-files", choices=[str(arm) for arm in Arm], metavar="ARM",
        help="none; snippets: what items bring, in the prompt; workspace: the server's model of the "
        "project, mixed in; both (default: snippets, and what the language server does in replay). "
        "Results that differ in this alone are paired by `caret eval compare`",
    )  # fmt: skip
    add(
        "--workspace", metavar="DIR", help="the folder in which the items' paths begin (default: "
        "the tree that --data names, or the package of a held-out file)",
    )  # fmt: skip
    add(
        "--workspace-files", type=int, default=0, metavar="N",
        help="a workspace is the N files nearest to the item's folder, the item's own among them "
        "(default 0: all)",
    )  # fmt: skip
    add = parser.add_argument_group("typing (replay, through a server)").add_argument
    add("--no-context", action="store_true", help="the same as --other-files none")
    add(
        "--key-ms", type=float, default=0.0, metavar="N",
        help="least time from key to key (default 0: as quick as the answers); 200 is a person's",
    )  # fmt: skip
    add = parser.add_argument_group("what comes out").add_argument
    add("--json", metavar="FILE", help="write the result there; - for standard output")
    add("--fresh", action="store_true", help="forget what an earlier run left, and write over it")
    add("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace) -> int:
    """Run the suite and show the result; 130 when it was interrupted."""
    from eval.result import dumped
    from eval.running.progress import RunProgress
    from eval.running.runner import Run
    from eval.running.table import show
    from eval.suites import suite_named

    suite = _typed(args, suite_named(args.suite))
    options = _options(args)
    with RunProgress(quiet=args.quiet) as progress:
        work = Run(suite, _engine(args, progress), options, progress)
        try:
            result = asyncio.run(work.result())
        except KeyboardInterrupt:
            progress.say(f"stopped: {work.standing()}")
            return 130
        finally:
            work.close()
    if work.was_there:
        sys.stderr.write(f"{args.json} holds this run already; --fresh runs it again\n")
    if args.json == "-":
        sys.stdout.write(dumped(result))
    else:
        console = Terminal(highlight=False)
        show(result, suite, console)
        if options.output is not None and not work.was_there:
            console.print(Text(f"\nthe result with every item: {args.json}", style="dim"))
    sys.stdout.flush()
    return 0


def _options(args: argparse.Namespace) -> Options:
    """Return the options that the flags mean.

    Raises:
        UsageError: a number is out of range, or a file cannot be written.
    """
    from eval.output import output_file
    from eval.running.runner import Options
    from eval.suites.base import Draw

    if args.limit is not None and args.limit < 0:
        raise UsageError(f"--limit must be at least 0, not {args.limit}; 0 takes all items")
    if args.data == "":
        raise UsageError("--data is empty; name a file, a folder or hf:OWNER/NAME, or leave it out")
    _within("seed", args.seed, 0, 2**32 - 1)
    if args.workers is not None:
        _within("workers", args.workers, 1, MOST_WORKERS)
    _within("samples", args.samples, 1, 1000)
    _within("temperature", args.temperature, 0, 2)
    if not 0 < args.top_p <= 1:
        raise UsageError(f"--top-p must be above 0 and at most 1, not {args.top_p:g}")
    if args.samples > 1 and not args.temperature:
        raise UsageError(
            "--samples above 1 are all alike without a --temperature; give one, 0.2 say"
        )
    if args.top_p < 1 and not args.temperature:
        raise UsageError("--top-p means nothing without a --temperature; give one, 0.2 say")
    words = words_for_server(args)
    model = words.index("--model") if "--model" in words else len(words)
    return Options(
        limit=args.limit,
        seed=args.seed,
        workers=args.workers,
        draw=Draw(
            samples=args.samples, temperature=args.temperature, top_p=args.top_p,
            seed=args.seed, healing=args.healing,
        ),
        baselines=not args.no_baselines,
        data=Path(args.data) if args.data else None,
        output=None if args.json in (None, "-") else output_file("--json", args.json, hint=_HINT),
        fresh=args.fresh,
        others=_others(args),
        # the model itself is known by checksum
        flags=(*words[:model], *words[model + 2 :], *_words_of_typing(args)),
    )  # fmt: skip


def _others(args: argparse.Namespace) -> OtherFiles | None:
    """Return what comes along of other files, where a flag says it; typing has its own way.

    Raises:
        UsageError: a flag is out of range, or nothing is said of what it is for.
    """
    if args.suite == "replay" or not _words_of_others(args):
        return None
    from eval.workspace.others import OtherFiles

    if args.other_files is None:
        flag = "--workspace" if args.workspace is not None else "--workspace-files"
        raise UsageError(f"{flag} says which files there are; --other-files says what they are for")
    _within("workspace-files", args.workspace_files, 0, 1_000_000)
    arm = Arm(args.other_files)
    if arm.workspace and args.engine not in ("server", "in-process"):
        raise UsageError(
            f"--other-files {arm} is of the service's workspace model: --engine server or in-process"
        )
    return OtherFiles(arm, workspace=_folder(args.workspace), files=args.workspace_files)


def _folder(named: str | None) -> Path | None:
    """Return the folder that ``--workspace`` names."""
    workspace = None if named is None else Path(named)
    if workspace is not None and not workspace.is_dir():
        raise UsageError(f"--workspace {named}: there is no such folder")
    return workspace


def _words_of_others(args: argparse.Namespace) -> list[str]:
    """Return the flags that say what comes along, without a path of this machine."""
    words = [] if args.other_files is None else ["--other-files", args.other_files]
    if args.workspace is not None:
        words += ["--workspace", Path(args.workspace).absolute().name]
    if args.workspace_files:
        words += ["--workspace-files", str(args.workspace_files)]
    return words


def _words_of_typing(args: argparse.Namespace) -> list[str]:
    """Return the flags that say how is typed, without a path of this machine."""
    words = ["--no-context"] if args.no_context else []
    if args.suite == "replay":
        words += _words_of_others(args)
    if args.key_ms:
        words += ["--key-ms", f"{args.key_ms:g}"]
    return words


def _typed(args: argparse.Namespace, suite: Suite) -> Suite:
    """Return the suite, told how its files are typed.

    Raises:
        UsageError: a flag is not for this suite or engine, or out of range.
    """
    words = _words_of_typing(args)
    if not words:
        return suite
    from eval.replay.editor import Manner
    from eval.suites.replay import Replay

    if not isinstance(suite, Replay) or args.engine != "server":
        raise UsageError(
            f"{words[0]} is for typing through a language server: replay with a server"
        )
    if args.workspace_files:
        raise UsageError("--workspace-files is not for replay: the language server sends all files")
    if args.no_context and args.other_files not in (None, Arm.NONE):
        raise UsageError("--no-context is --other-files none; give one of the two")
    _within("key-ms", args.key_ms, 0, 10_000)
    arm = Arm.NONE if args.no_context else Arm(args.other_files) if args.other_files else None
    manner = Manner(other_files=arm, key_s=args.key_ms / 1000)
    return Replay(workspace=_folder(args.workspace), manner=manner)


def _engine(args: argparse.Namespace, progress: RunProgress) -> Engine:
    """Return the engine that the flags name, not yet started.

    Raises:
        UsageError: there is none of that name, or a flag is not for it.
    """
    from eval.running.baselines import without_model

    if args.engine not in ENGINES:
        raise UsageError(f"unknown engine {args.engine}: known are {', '.join(ENGINES)}")
    words = words_for_server(args)
    if args.engine != "ensemble" and (args.second is not None or args.weight is not None):
        flag = "--weight" if args.second is None else "--second"
        raise UsageError(f"{flag} is of two models; take --engine ensemble")
    if args.server and args.engine != "server":
        raise UsageError(f"--server is where `caret serve` runs; --engine {args.engine} asks none")
    if args.server and words:
        raise UsageError(
            f"{words[0]} is for a server that is started for the run; not with --server"
        )
    if args.engine == "server":
        from eval.engines.server import Server

        own = ["--max-running", str(max(16, args.workers or 0)), *words]
        return Server(configured(args), own, args.server or "", on_stage=progress.say)
    if args.engine in ("byte-greedy", "ensemble"):
        return _byte_level(args)
    if args.engine == "in-process":
        from eval.engines.in_process import InProcess

        return InProcess(configured(args))
    if words:
        raise UsageError(f"{words[0]} is for a model, and --engine {args.engine} has none")
    return without_model(args.engine)


def _byte_level(args: argparse.Namespace) -> Engine:
    """Return the engine that decodes bytes: of one model, or of two.

    Raises:
        UsageError: the second model is not named, or a flag asks for what it does not do.
    """
    from eval.engines.byte_level import ByteGreedy, Ensemble

    if args.temperature:
        raise UsageError(f"--engine {args.engine} draws nothing: leave --temperature out")
    if args.healing == "one-token":
        raise UsageError(
            f"--engine {args.engine} heals exactly or not at all: --healing exact or off"
        )
    if args.engine == "byte-greedy":
        return ByteGreedy(configured(args))
    if not args.second:
        raise UsageError("--engine ensemble is of two models; name the other with --second DIR")
    weight = 0.5 if args.weight is None else args.weight
    if not 0 < weight < 1:
        raise UsageError(f"--weight must be above 0 and below 1, not {weight:g}")
    return Ensemble(configured(args), args.second, weight)


def _within(flag: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UsageError(f"--{flag} must be at least {low} and at most {high}, not {value:g}")
