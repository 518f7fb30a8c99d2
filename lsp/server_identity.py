"""What two editors must agree on to share one completion server.

Everything that a server takes from where it is started: the program itself, the wire contract, the
configuration of model, service and generation, and the variables that model libraries read. Of a
different one another server is made, beside the first.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import completion
from completion.config_sources import load
from completion.wire import completion_pb2 as pb

PREFIXES = ("CUDA_", "HF_", "HUGGINGFACE_", "VLLM_", "TORCH_", "OMP_", "MKL_", "LD_")
"""Of variables that change which model is found, on what it runs, or how."""


def identity(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return words that are equal for editors whose servers would be."""
    environ = os.environ if environ is None else environ
    config = load(None, environ).config  # a workspace's file does not reach the server
    served = [asdict(section) for section in (config.model, config.server, config.generation)]
    variables = sorted(f"{k}={v}" for k, v in environ.items() if k.startswith(PREFIXES))
    contract = hashlib.blake2b(pb.DESCRIPTOR.serialized_pb, digest_size=8).hexdigest()
    return [
        sys.executable, str(Path(completion.__file__).parent), _version(), contract,
        *(repr(section) for section in served), *variables,
    ]  # fmt: skip


def with_absolute_model(
    words: Sequence[str], environ: Mapping[str, str] | None = None
) -> list[str]:
    """Return the words of ``caret serve`` with the model named so that the folder does not matter.

    The server runs in no workspace, and two editors may mean different models by ``./model``. A name
    without a dot in front is a Hugging Face id: what lies under that name in a workspace is not asked.
    """
    environ = os.environ if environ is None else environ
    found = list(words)
    for number, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag == "--model" and equals:
            found[number] = f"--model={_absolute(value)}"
        elif number and words[number - 1] == "--model":
            found[number] = _absolute(word)
    configured = load(None, environ).config.model.path
    if _absolute(configured) != configured:
        found = ["--model", _absolute(configured), *found]
    return found


def _absolute(model: str) -> str:
    return str(Path(model).expanduser().absolute()) if model.startswith((".", "~")) else model


def _version() -> str:
    try:
        return metadata.version("caret-completion")
    except metadata.PackageNotFoundError:
        return ""
