"""Flags that several commands share, laid over the configuration."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields, replace
from typing import Any, get_type_hints

from completion.config import Config, ModelConfig
from completion.config_sources import load, parse
from completion.errors import UsageError
from completion.shown import one_line

_MODEL = {"model": "path", "device": "device", "dtype": "dtype", "context_tokens": "context_tokens",
          "arm": "arm", "engine_arg": "engine_args"}  # fmt: skip


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which model is served and on what."""
    parser.add_argument("--model", metavar="DIR|HF-ID", help="model folder or Hugging Face id")
    parser.add_argument("--device", help=_choices("device"))
    parser.add_argument("--dtype", help=_choices("dtype"))
    parser.add_argument("--context-tokens", metavar="N", help="prompt and answer, in tokens")
    parser.add_argument("--arm", help=f"prompt layout and healing: {_choices('arm')}")
    parser.add_argument(
        "--engine-arg",
        action="append",
        metavar="NAME=VALUE",
        help="vLLM engine argument; repeatable",
    )


def _choices(key: str) -> str:
    """Return the values of an option of ``[model]`` in words; :func:`overlay` holds flags to them."""
    choices = next(f for f in fields(ModelConfig) if f.name == key).metadata["choices"]
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def add_server_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--server``: use a running service instead of starting one."""
    parser.add_argument(
        "--server", metavar="ADDR", help="a running `caret serve`; without it one is started"
    )


def configured(args: argparse.Namespace) -> Config:
    """Return the configuration with the model flags of ``args`` over it; says what was wrong."""
    loaded = load()
    for message in loaded.messages:
        sys.stderr.write(f"caret: {one_line(message)}\n")
    given = {key: getattr(args, flag, None) for flag, key in _MODEL.items()}
    return replace(loaded.config, model=overlay(loaded.config.model, given))


def overlay(section: Any, given: dict[str, Any]) -> Any:
    """Return a section of the configuration with the flags that were ``given``.

    Raises:
        UsageError: a value is wrong; a flag, unlike a file, is never passed over.
    """
    specs = {f.name: f for f in fields(section)}
    hints = get_type_hints(type(section))
    for key, value in given.items():
        if value is None:
            continue
        try:
            section = replace(section, **{key: parse(specs[key], hints[key], value)})
        except ValueError as error:
            raise UsageError(f"--{key.replace('_', '-')}: {error}") from None
    return section


def words_for_server(args: argparse.Namespace) -> list[str]:
    """Return the model flags of ``args`` as words for a ``caret serve`` of one's own."""
    words: list[str] = []
    for flag in _MODEL:
        value = getattr(args, flag, None)
        if value is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{flag.replace('_', '-')}", str(one)]
    return words
