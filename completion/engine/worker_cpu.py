"""vLLM's worker on a CPU, with what Caret adds. vLLM loads these classes by their names."""

from __future__ import annotations

from vllm.v1.worker.cpu_worker import CPUWorker

from completion.engine.worker import Counting
from completion.healing.vllm_v1 import RowsV1
from completion.workspace.vllm_v1 import MixingV1


class WorkerV1(MixingV1, RowsV1, Counting, CPUWorker):
    """With the V1 model runner, which is the CPU build's unless it has Triton."""
