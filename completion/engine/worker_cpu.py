"""vLLM's worker on a CPU, with what Caret adds. vLLM loads these classes by their names."""

from __future__ import annotations

from vllm.v1.worker.cpu_worker import CPUWorker

from completion.engine.ahead_v1 import AheadV1
from completion.engine.seeds_v1 import SeedsV1
from completion.engine.short_forward import ShortForward
from completion.engine.worker import Counting
from completion.healing.vllm_v1 import RowsV1


class WorkerV1(ShortForward, AheadV1, RowsV1, SeedsV1, Counting, CPUWorker):
    """With the V1 model runner, which is the CPU build's unless it has Triton."""
