"""vLLM's worker on a CPU with the V2 model runner, which needs Triton with a CPU backend.

A module of its own: the runner's kernels are Triton's, and without it they cannot be imported.
"""

from __future__ import annotations

from vllm.v1.worker.cpu_worker import CPUWorker

from completion.engine.threads import FewThreads
from completion.engine.worker import Counting
from completion.healing.vllm_v2 import RowsV2
from completion.workspace.vllm_v2 import MixingV2


class WorkerV2(FewThreads, MixingV2, RowsV2, Counting, CPUWorker):
    """With the V2 model runner."""
