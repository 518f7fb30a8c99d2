"""The floor of a start: import torch and vLLM, build the engine with Caret's arguments, say so, end.

``python -m eval.bench.bare_engine`` with the flags of a model.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from completion.commands.flags import add_model_flags, configured
from completion.engine.checkpoint import load_checkpoint
from completion.engine.environment import device_of, parse_engine_args, set_environment
from completion.engine.vllm import VllmEngine


def main() -> None:
    """Write a line when the engine is there."""
    parser = argparse.ArgumentParser(prog="eval.bench.bare_engine")
    add_model_flags(parser)
    config = configured(parser.parse_args()).model
    device = device_of(config.device)
    set_environment(device, config)
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    engine = VllmEngine(load_checkpoint(config.path), config)
    arguments: dict[str, Any] = engine._arguments(device) | parse_engine_args(config.engine_args)
    llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    llm.shutdown()
    os._exit(0)  # taking it apart would take longer than anything here


if __name__ == "__main__":
    main()
