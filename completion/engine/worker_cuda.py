"""vLLM's worker on CUDA, with what Caret adds. vLLM loads these classes by their names."""

from __future__ import annotations

from vllm.v1.worker.gpu_worker import Worker

from completion.engine.drafting_v1 import DraftingV1
from completion.engine.worker import Counting
from completion.healing.vllm_v1 import RowsV1
from completion.workspace.vllm_v1 import MixingV1


class WorkerV1(DraftingV1, MixingV1, RowsV1, Counting, Worker):
    """With the V1 model runner."""
