"""vLLM's worker on CUDA with the V2 model runner, with what Caret adds."""

from __future__ import annotations

from vllm.v1.worker.gpu_worker import Worker

from completion.engine.worker import Counting
from completion.healing.vllm_v2 import RowsV2
from completion.workspace.vllm_v2 import MixingV2


class WorkerV2(MixingV2, RowsV2, Counting, Worker):
    """With the V2 model runner, which is the default where Triton runs."""
