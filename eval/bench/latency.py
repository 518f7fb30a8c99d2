"""Latency of the service against the bare engine, in one process and one run.

Every figure is a ratio of medians, or a time beside the bar it has to hold; nothing here is a test.
Legs are run in turn, one of each a round, so that a drift of the machine meets both alike.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from completion.config import Config
from completion.engine.checkpoint import load_checkpoint
from completion.engine.environment import prepare
from completion.engine.vllm import VllmEngine
from completion.errors import CaretError
from completion.prompt.views import DocumentView
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.own_server import OwnServer
from eval.bench.in_process import serving

TOKENS = 16
"""Tokens of each answer, as the bar is stated."""
_SOURCE = Path(__file__).parents[2] / "completion" / "server" / "admission.py"
"""A real file that no model here was trained on."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: ``ratio`` (or a time in the unit of its name) beside its ``bar``, if it has one."""

    name: str
    ratio: float
    bar: float | None
    runs: int

    @property
    def holds(self) -> bool:
        """Whether it is within the bar; what has none is only said."""
        return self.bar is None or self.ratio <= self.bar


async def unary_over_bare(config: Config, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return gRPC ``Complete`` over ``AsyncLLM.generate``, same prompt, same 16 tokens; and cancel.

    Raises:
        CaretError: the model ended before 16 tokens at every place of the file.
    """
    prepare(config.model)
    checkpoint = load_checkpoint(config.model.path)
    engine = VllmEngine(checkpoint, config.model)
    async with serving(config, checkpoint, engine) as stub:
        request, prompt = await _request_of_16_tokens(stub, checkpoint, engine)
        legs = {
            "gRPC": lambda: stub.Complete(request),
            "bare": lambda: _bare(engine, prompt, "FINAL_ONLY"),
            "bare, streamed": lambda: _bare(engine, prompt, "DELTA"),
        }
        medians = await _in_turn(legs, rounds, say)
        cancels = [await _cancel_ms(stub, engine, request) for _ in range(rounds)]
    unary = "gRPC unary over bare AsyncLLM.generate, 16 tokens"
    return [
        Row(f"{unary}, final output only", medians["gRPC"] / medians["bare"], 1.10, rounds),
        Row(f"{unary}, streamed", medians["gRPC"] / medians["bare, streamed"], 1.10, rounds),
        Row(
            "cancel to zero running in the engine, p50, ms", statistics.median(cancels), 100, rounds
        ),
        Row("cancel to zero running in the engine, worst, ms", max(cancels), 100, rounds),
    ]


async def start_to_serving(rounds: int, words: list[str], say: Callable[[str], None]) -> Row:
    """Return the seconds from starting ``caret serve`` to SERVING, median."""
    taken: list[float] = []
    for number in range(rounds):
        begin = time.perf_counter()
        async with OwnServer(extra_args=words):
            taken.append(time.perf_counter() - begin)
        say(f"start {number + 1} of {rounds}: {taken[-1]:.1f} s")
    return Row("start to SERVING, s", statistics.median(taken), 12.0, rounds)


async def _request_of_16_tokens(
    stub: rpc.CompletionServiceAsyncStub, checkpoint: Any, engine: VllmEngine
) -> tuple[pb.CompleteRequest, list[int]]:
    """Return a request whose answer has exactly 16 tokens, and its prompt."""
    source = _SOURCE.read_bytes()
    places = [i + 1 for i, byte in enumerate(source) if byte == 0x0A]
    for at in places[len(places) // 3 :]:
        request = pb.CompleteRequest(
            document=pb.Document(path=_SOURCE.name, prefix=source[:at], suffix=source[at:]),
            options=pb.GenerationOptions(
                max_tokens=TOKENS, lines=pb.GenerationOptions.LINES_MULTI, include_raw=True
            ),
        )
        answer = await stub.Complete(request)
        if answer.usage.generated_tokens == TOKENS:
            builder = checkpoint.prompt_builder(context_tokens=engine.info.context_tokens)
            view = DocumentView(prefix=source[:at], suffix=source[at:], path=_SOURCE.name)
            return request, builder.build(view, max_tokens=TOKENS).token_ids
    raise CaretError("the model ends everywhere before 16 tokens; nothing to time")


async def _bare(engine: VllmEngine, prompt: list[int], kind: str) -> None:
    """Run one request on ``AsyncLLM`` itself, with nothing of Caret around it."""
    from vllm import SamplingParams
    from vllm.inputs import tokens_input
    from vllm.sampling_params import RequestOutputKind

    params = SamplingParams(
        max_tokens=TOKENS, temperature=0.0, detokenize=False, ignore_eos=True,
        output_kind=RequestOutputKind[kind],
    )  # fmt: skip
    llm: Any = engine._llm
    async for _ in llm.generate(tokens_input(prompt), params, f"bare-{time.time_ns()}"):
        pass


async def _in_turn(
    legs: dict[str, Callable[[], Awaitable[Any]]], rounds: int, say: Callable[[str], None]
) -> dict[str, float]:
    """Time every leg once a round; return medians in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in legs}
    for number in range(rounds + 3):  # the first three warm up
        for name, leg in legs.items():
            begin = time.perf_counter()
            await leg()
            if number >= 3:
                times[name].append((time.perf_counter() - begin) * 1e3)
    medians = {name: statistics.median(found) for name, found in times.items()}
    say(", ".join(f"{name} {value:.1f} ms" for name, value in medians.items()))
    return medians


async def _cancel_ms(
    stub: rpc.CompletionServiceAsyncStub, engine: VllmEngine, request: pb.CompleteRequest
) -> float:
    """Return the milliseconds from a client's cancel to an engine that holds no request."""
    long = pb.CompleteRequest()
    long.CopyFrom(request)
    long.options.max_tokens = 512
    call = stub.Complete(long)
    while not await engine.running():
        if call.done():
            raise CaretError("a request meant to be cancelled ended by itself")
        await asyncio.sleep(0)
    begin = time.perf_counter()
    call.cancel()
    while await engine.running():
        pass
    return (time.perf_counter() - begin) * 1e3
