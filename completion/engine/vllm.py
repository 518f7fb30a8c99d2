"""The real engine: vLLM's ``AsyncLLM`` in this process, its engine core in one of its own.

The arguments below are the measured ones for a small model on a CPU: one worker inside the engine-core
process, no compilation, blocks of 32 tokens (``uni`` is silently turned back into ``mp`` unless
:mod:`~completion.engine.environment` sets ``VLLM_ENABLE_V1_MULTIPROCESSING=0``). What the worker does
otherwise than vLLM's is in :mod:`~completion.engine.short_forward`, :mod:`~completion.engine.threads` and
:mod:`~completion.engine.ahead_v1`; ``caret bench limit`` measures each of these choices. On CUDA the
defaults of vLLM hold. ``engine_args`` are laid over both.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import itertools
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from completion.config import ModelConfig
from completion.engine import preload
from completion.engine.base import ROWS_KEY, Engine, EngineInfo, RequestStats, Sampling, Step
from completion.engine.environment import parse_engine_args, prepare, ranks
from completion.engine.kv_cache import kv_cache_bytes
from completion.errors import CaretError, UsageError
from completion.workspace.request import MIX_KEY, Mixing

if TYPE_CHECKING:
    from torch import Tensor

    from completion.engine.checkpoint import Checkpoint

_log = logging.getLogger("caret.engine")
_BLOCK_TOKENS_CPU = 32
"""vLLM's CPU attention wants multiples of 32; only whole blocks are cached, so the least is best."""
_REQUESTS_CPU = 64
"""At once in the engine; more wait."""
_SHUTDOWN_S = 1.0
"""How long the engine core may take to end by itself; it has nothing to save."""
_NO_CODE: dict[str, Any] = {"auto_map": None}
"""Where a model says which code of its own it wants: vLLM does not even hear of it."""
_MAX_TOP = 64
"""Most first tokens asked for at once: the limit of ``max_candidates``."""


class VllmEngine(Engine):
    """``AsyncLLM`` on a local model folder.

    1. :meth:`start` sets what vLLM reads from the environment and builds ``AsyncLLM`` in a thread,
       so that the service can answer NOT_SERVING meanwhile.
    2. :meth:`generate` streams deltas without detokenization; closing it aborts the request.
    3. :meth:`running` asks the worker itself, through :mod:`completion.engine.worker`.
    """

    def __init__(self, checkpoint: Checkpoint, config: ModelConfig) -> None:
        self._checkpoint = checkpoint
        self._config = config
        self._overrides = parse_engine_args(config.engine_args)
        self._llm: Any = None
        self._params: Any = None
        self._info: EngineInfo | None = None
        self._ids = itertools.count()

    @property
    def info(self) -> EngineInfo:
        """What is being run; valid after :meth:`start`."""
        if self._info is None:
            raise CaretError("the engine has not started")
        return self._info

    @property
    def drafts(self) -> bool:
        """Whether the engine, started, drafts tokens that the model then confirms."""
        return self._llm is not None and self._llm.vllm_config.speculative_config is not None

    async def start(self) -> None:
        """Load the model; about eight seconds on two CPU cores."""
        collecting = gc.isenabled()
        importlib.import_module("completion.engine.before_vllm")
        gc.disable()
        try:
            self._llm = await asyncio.to_thread(self._build)
        except CaretError:
            raise
        except Exception as error:
            raise CaretError(f"vLLM did not start: {_one_line(error)}") from error
        finally:
            gc.freeze()  # what is there now stays: no collection has to walk it again
            if collecting:
                gc.enable()
        # The output handler wants the event loop that the requests will run on.
        self._llm._run_output_handler()
        await self._hold_workspaces()

    async def _hold_workspaces(self) -> None:
        """Have the engine core hold workspaces, unless they are switched off or cannot be mixed in."""
        checkpoint, most = self._checkpoint, self._config.workspace_tokens
        if self._holds_workspaces:
            vocabulary = checkpoint.vocabulary
            lines_end = [i for i, text in enumerate(vocabulary.token_bytes) if b"\n" in text]
            await self.workspaces(
                "begin", len(vocabulary), sorted(vocabulary.special_ids), lines_end,
                checkpoint.workspace_fit.to_json(), most, most // 8,
            )  # fmt: skip

    @property
    def _holds_workspaces(self) -> bool:
        return bool(self._config.workspace_tokens) and not self._checkpoint.unhealed

    def _build(self) -> Any:
        device = prepare(self._config)
        try:
            from vllm import SamplingParams, __version__
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.sampling_params import RequestOutputKind
            from vllm.v1.engine.async_llm import AsyncLLM
        except ImportError as error:
            raise CaretError(
                f"vLLM cannot be imported ({_one_line(error)}); `caret doctor` says what is missing"
            ) from error
        known = {f.name for f in fields(AsyncEngineArgs)}
        unknown = sorted(set(self._overrides) - known)
        if unknown:
            raise UsageError(f"vLLM has no engine argument {', '.join(unknown)}")
        arguments = self._arguments(device) | self._overrides
        if isinstance(given := arguments["hf_overrides"], dict):
            arguments["hf_overrides"] = {**given, **_NO_CODE}
        config = AsyncEngineArgs(**arguments).create_engine_config()
        if self._drafts_with(config):
            from completion.engine.drafting_v1 import speculative_config

            arguments["speculative_config"] = speculative_config(
                self._config.draft_tokens, config.scheduler_config.max_num_seqs
            )
            config = AsyncEngineArgs(**arguments).create_engine_config()
        # Which of vLLM's two model runners is live is known only now; each has an adapter.
        worker = f"completion.engine.worker_{device}"
        config.parallel_config.worker_cls = (
            f"{worker}_v2.WorkerV2" if config.use_v2_model_runner else f"{worker}.WorkerV1"
        )
        if device == "cpu":
            preload.use_for_engine_core()
        llm = AsyncLLM.from_vllm_config(config, disable_log_stats=True)
        preload.hold(self)
        self._params = (SamplingParams, RequestOutputKind)
        self._info = EngineInfo(
            engine=f"vllm {__version__}",
            device=device,
            dtype=str(llm.model_config.dtype).removeprefix("torch."),
            context_tokens=llm.model_config.max_model_len,
            # The V2 runner, CUDA's, takes no more; the CPU build's V1 has no limit of its own.
            max_allowed_ids=1 << 10 if device == "cuda" else 1 << 15,
        )
        return llm

    def _drafts_with(self, config: Any) -> bool:
        """Return whether this engine drafts, ``config`` being its configuration without drafts."""
        wanted = self._config.draft_tokens and self._holds_workspaces
        if (
            not wanted
            or config.speculative_config is not None
            or self._overrides.get("async_scheduling")
        ):
            return False
        if config.use_v2_model_runner:
            _log.info("no drafts with vLLM's V2 model runner")
            return False
        return True

    def _arguments(self, device: str) -> dict[str, Any]:
        context = self._config.context_tokens or self._checkpoint.context_tokens
        arguments: dict[str, Any] = {
            "model": str(self._checkpoint.path),
            "skip_tokenizer_init": True,  # tokens in, tokens out
            "trust_remote_code": False,
            "hf_overrides": _NO_CODE,
            "load_format": "safetensors",
            "dtype": self._config.dtype,
            "max_model_len": context,
            "enable_prefix_caching": True,
            "max_logprobs": _MAX_TOP,
            "use_tqdm_on_load": False,
            "enable_log_requests": False,  # prompts are private
            "generation_config": "vllm",  # sampling is what the request says, nothing else
        }
        if device == "cpu":
            arguments |= {
                "enforce_eager": True,
                # Several ranks are processes of their own, which start and bind their threads.
                "distributed_executor_backend": "uni" if ranks(self._overrides) == 1 else "mp",
                "block_size": _BLOCK_TOKENS_CPU,
                "max_num_seqs": _REQUESTS_CPU,
                "max_num_batched_tokens": max(2048, context),
            }
            if not os.environ.get("VLLM_CPU_KVCACHE_SPACE"):
                arguments["kv_cache_memory_bytes"] = self._kv_cache_bytes(context)
        return arguments

    def _kv_cache_bytes(self, context: int) -> int:
        model = json.loads((self._checkpoint.path / "config.json").read_text("utf-8"))
        dtype = self._config.dtype
        if dtype == "auto":
            dtype = str(model.get("dtype") or model.get("torch_dtype") or "float32")
        return kv_cache_bytes(
            model, context_tokens=context,
            requests=int(self._overrides.get("max_num_seqs", _REQUESTS_CPU)),
            number_bytes=4 if dtype == "float32" else 2,
        )  # fmt: skip

    async def generate(
        self, prompt: list[int], sampling: Sampling, stats: RequestStats
    ) -> AsyncGenerator[Step, None]:
        """Continue ``prompt``; closing the generator aborts the request in the engine core."""
        sampling_params, kind = self._params
        params = sampling_params(
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p if sampling.temperature > 0 else 1.0,
            seed=sampling.seed,
            stop_token_ids=list(sampling.stop_token_ids),
            allowed_token_ids=list(sampling.allowed_token_ids) or None,
            logprobs=0,  # of the sampled token alone
            flat_logprobs=True,
            detokenize=False,
            output_kind=kind.DELTA,
            extra_args=_extra(sampling.rows, sampling.mixing),
        )
        begin = time.perf_counter()
        first = True
        self.work.abandoned += len(prompt)  # until its first token
        async with aclosing(self._stream(_asked(prompt, sampling.cache_salt), params)) as steps:
            async for output, token_ids, log_probs in steps:
                rows = None
                self.work.generated += len(token_ids)
                if first:
                    first = False
                    self.work.abandoned -= len(prompt)
                    self.work.prompt += len(prompt) - (output.num_cached_tokens or 0)
                    rows = _tensor(output.prompt_token_id_logprobs)
                    stats.first_token_ms = (time.perf_counter() - begin) * 1e3
                    stats.cached_tokens = output.num_cached_tokens or 0
                done = output.outputs[0].finish_reason or ""
                if done not in ("", "stop", "length"):
                    raise CaretError(f"the engine ended a request: {done}")
                yield Step(token_ids, log_probs, done, rows)

    async def top_tokens(
        self,
        prompt: list[int],
        count: int,
        mixing: Mixing | None = None,
        cache_salt: str = "",
    ) -> list[tuple[int, float]]:
        """Return the ``count`` most probable next ids, best first."""
        sampling_params, kind = self._params
        params = sampling_params(
            max_tokens=1, temperature=0.0, logprobs=count, detokenize=False,
            output_kind=kind.FINAL_ONLY, extra_args=_extra((0, 0), mixing),
        )  # fmt: skip
        outputs = self._outputs(_asked(prompt, cache_salt), params, self._name())
        async with aclosing(outputs):
            async for output in outputs:
                table = output.outputs[0].logprobs[0]
                ranked = sorted(((i, lp.logprob) for i, lp in table.items()), key=lambda x: -x[1])
                return ranked[:count]
        raise CaretError("the engine answered nothing")

    async def _outputs(self, prompt: Any, params: Any, name: str) -> AsyncGenerator[Any, None]:
        with _death_said():
            stream = self._llm.generate(prompt, params, name)
            try:
                async for output in stream:
                    yield output
            finally:
                await stream.aclose()

    async def _stream(self, prompt: Any, params: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(self._outputs(prompt, params, self._name())) as outputs:
            async for output in outputs:
                part = output.outputs[0]
                log_probs = part.logprobs
                # One entry a token: flat, with the sampled id first at each position.
                values = tuple(
                    log_probs.logprobs[log_probs.start_indices[i]]
                    for i in range(len(part.token_ids))
                )
                yield output, tuple(part.token_ids), values

    async def workspaces(self, method: str, *words: Any) -> Any:
        """Call the workspaces of the engine core, each worker's: all of them hold the same."""
        with _death_said():
            done = await self._llm.collective_rpc("caret_workspaces", args=(method, *words))
        return done[0]

    async def running(self) -> int:
        """Return how many requests the engine still holds, as its worker counts them."""
        with _death_said():
            counts = await self._llm.collective_rpc("caret_running")
            if self.drafts:
                drafts = await self._llm.collective_rpc("caret_drafts")
                self.work.drafted, self.work.accepted = drafts[0]
        return max(*counts, self._llm.output_processor.get_num_unfinished_requests())

    async def alive(self) -> bool:
        """Return whether the engine core still answers."""
        return self._llm is not None and not self._llm.errored

    async def stop(self) -> None:
        """End the engine core; nothing is left running. It may not have started."""
        llm, self._llm = self._llm, None
        if llm is not None:
            handler = llm.output_handler  # else it logs the end of the engine core as a failure
            if handler is not None:
                handler.cancel()
                await asyncio.gather(handler, return_exceptions=True)
            await asyncio.to_thread(llm.shutdown, _SHUTDOWN_S)
            llm.shutdown = lambda *_: None  # its __del__ calls it again, perhaps at exit
        preload.abandon(self)
        gc.unfreeze()  # else libraries complain at exit of what was not collected

    def _name(self) -> str:
        return f"caret-{next(self._ids)}"


def _asked(prompt: list[int], cache_salt: str) -> Any:
    """Return a prompt as vLLM takes it; the salt is hashed into each of its cached blocks.

    As one that needs no tokenizer: any other goes through a thread on its way.
    """
    from vllm.inputs import tokens_input

    return tokens_input(prompt, cache_salt=cache_salt or None)


@contextmanager
def _death_said() -> Iterator[None]:
    """Raise CaretError where vLLM says that its engine core is no more."""
    from vllm.v1.engine.exceptions import EngineDeadError

    try:
        yield
    except EngineDeadError as error:
        raise CaretError("the engine process died; restart `caret serve`") from error


def _extra(rows: tuple[int, int], mixing: Mixing | None) -> dict[str, Any] | None:
    """Return what Caret's worker is told with a request; nothing for a request of any engine."""
    words: dict[str, Any] = {}
    if any(rows):
        words[ROWS_KEY] = list(rows)
    if mixing is not None:
        words[MIX_KEY] = mixing.words()
    return words or None


def _tensor(rows: Any) -> Tensor | None:
    """Return an array as a tensor that shares its memory."""
    if rows is None:
        return None
    import torch

    return torch.from_numpy(rows)


def _one_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[-1][:300]
