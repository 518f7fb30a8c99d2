"""The program ``caret``: one table of commands, each loaded when it is called.

Exit status 0 done, 1 the work failed, 2 the call was wrong. Errors are one line on standard
error; ``--debug`` shows the traceback.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from importlib import metadata
from typing import NoReturn

from completion.errors import EXIT_FAILED, EXIT_USAGE, CaretError
from completion.shown import one_line

COMMANDS = {
    "demo": ("completion.commands.demo", "complete a real file, as an editor would show it"),
    "serve": ("completion.commands.serve", "host a model behind gRPC"),
    "lsp": ("lsp.command", "the language server, on standard input and output"),
    "complete": ("completion.commands.complete", "one completion at FILE:LINE:COL"),
    "explain": (
        "completion.commands.explain",
        "the prompt, its parts and the timings at FILE:LINE:COL",
    ),
    "feedback": ("lsp.feedback.command", "how many suggestions are accepted, and how much stays"),
    "doctor": ("completion.commands.doctor", "what is installed, what is missing, how to get it"),
    "corpus": ("training.commands.corpus", "collect source code to train on"),
    "tokenizer": ("training.commands.tokenizer", "train a tokenizer on a corpus"),
    "train": ("training.commands.train", "train a model"),
    "ablate": ("training.commands.ablate", "what each training objective is worth"),
    "export": ("training.commands.export", "make a trained model servable"),
    "eval": ("eval.commands.eval", "the offline evaluation harness"),
    "bench": ("eval.commands.bench", "speed, as ratios measured in one run"),
}
"""Name to module and one line of help. A module has ``configure(parser)`` and ``run(args) -> int``."""

_LOGGED = ("serve", "lsp")
"""Commands whose standard error is kept in a log: what an error says may quote a user's text."""


def main(argv: list[str] | None = None) -> int:
    """Run the program; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    name = next((word for word in words if not word.startswith("-")), "")
    parser = _parser(name)
    args = parser.parse_args(words)
    if not args.command:
        parser.print_help()
        return EXIT_USAGE
    try:
        return args.run(args)
    except CaretError as error:
        if args.debug:
            raise
        sys.stderr.write(f"caret {args.command}: {one_line(error.message)}\n")
        return error.exit_code
    except ModuleNotFoundError as error:
        if args.debug:
            raise
        return _missing(args.command, COMMANDS[args.command][0], error)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:  # the reader of our output went away, `caret … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:
        if args.debug:
            raise
        kind = type(error).__name__
        text = str(error).partition("\n")[0]
        if args.command in _LOGGED and not isinstance(error, OSError):
            text = "its message is not logged"
        sys.stderr.write(f"caret {args.command}: {kind}: {one_line(text)}; --debug shows where\n")
        return EXIT_FAILED


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the words it was given, which may be names of files, in one line."""

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


def _parser(name: str) -> argparse.ArgumentParser:
    """Return the parser; of the commands only ``name`` has been loaded and has its options."""
    parser = _Parser(prog="caret", description="Code completion exactly where the cursor is.")
    parser.add_argument("--version", action="version", version=version())
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command, (module, text) in COMMANDS.items():
        sub = subparsers.add_parser(command, help=text, description=text)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        if command == name:
            loaded = _load(command, module)
            loaded.configure(sub)
            sub.set_defaults(run=loaded.run)
    return parser


def _load(command: str, module: str):
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        sys.exit(_missing(command, module, error))


def _missing(command: str, module: str, error: ModuleNotFoundError) -> int:
    extra = _EXTRA.get(module.split(".")[0], "cpu")
    sys.stderr.write(
        f"caret {command}: needs the Python package {error.name}: install Caret with its extra "
        f"[{extra}]; `caret doctor` says how\n"
    )
    return EXIT_FAILED


_EXTRA = {"completion": "cpu", "lsp": "cpu", "training": "train", "eval": "eval"}


def version() -> str:
    """Return the installed version."""
    try:
        return metadata.version("caret-completion")
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"


if __name__ == "__main__":
    sys.exit(main())
