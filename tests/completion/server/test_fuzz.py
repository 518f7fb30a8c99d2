"""Any message at all over every method, proper or mangled: each call ends with a status, the server lives.

``CARET_FUZZ_SECONDS`` says for how long (default 5).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from completion.engine.fake import FakeEngine
from completion.wire import completion_pb2 as pb
from completion.wire.channel import SERVICE_NAME, open_channel, wait_until_serving
from tests.fuzzing import fuzz

SECONDS = float(os.environ.get("CARET_FUZZ_SECONDS", "5"))
EXAMPLES = 40
"""Of one round; the clock is looked at between rounds."""
PATIENT_S = 60.0
"""A call without a deadline of its own that takes so long hangs."""

SERVICE = pb.DESCRIPTOR.services_by_name["CompletionService"]
METHODS = {method.name for method in SERVICE.methods}
CODE = grpc.StatusCode
EXPECTED = {
    CODE.OK, CODE.INVALID_ARGUMENT, CODE.RESOURCE_EXHAUSTED, CODE.FAILED_PRECONDITION,
    CODE.DEADLINE_EXCEEDED, CODE.CANCELLED,
}  # fmt: skip
BROKEN = "Internal error from Core"
"""What gRPC's client in Python says, and no server, of a stream that was ended while it still sent."""
TEXTS = (
    b"", b"x", b"def f(x):\n    return x", b"\xff\xfe", "世界🙂\u202e".encode(), b"\0" * 3, b"\x1b[2J",
    b"<|fim_middle|><|endoftext|>", b"a" * 70_000, b"\n" * 5000, b"\r\n\t \r", b"((((" * 400,
)  # fmt: skip
WORDS = (
    "", "python", "a.py", "../../etc/passwd", "\0", "\x1b]0;x\x07", "🙂", "x" * 300, "code", "\n",
    "0123456789abcdef", "fedcba9876543210" * 2, "x" * 5000,
)  # fmt: skip

ID = "0123456789abcdef" * 2
_DOCUMENT = pb.Document(path="a.py", language_id="python", prefix=b"name = val", suffix=b"\n")
PROPER: dict[str, list[Any]] = {
    "CompleteRequest": [
        pb.CompleteRequest(document=_DOCUMENT, workspace_id=ID),
        pb.CompleteRequest(document=_DOCUMENT, options=pb.GenerationOptions(candidates=3)),
    ],
    "GetModelRequest": [pb.GetModelRequest()],
    "NextBytesRequest": [pb.NextBytesRequest(document=_DOCUMENT, workspace_id=ID)],
    "ScoreRequest": [pb.ScoreRequest(document=_DOCUMENT, texts=[b"", b"ue", b"id"])],
    "WorkspaceChange": [
        pb.WorkspaceChange(workspace_id=ID, path="b.py", text=b"name = value\n" * 9, version=1),
        pb.WorkspaceChange(
            workspace_id=ID,
            path="b.py",
            base_version=1,
            version=2,
            edits=[pb.Edit(start=3, end=5, text=b"x")],
        ),
        pb.WorkspaceChange(workspace_id=ID, path="b.py", removed=True, version=3),
        pb.WorkspaceChange(workspace_id=ID, close=True),
    ],
    "FeedbackEvent": [
        pb.FeedbackEvent(event_id="e", completion_id="c", kind=pb.FeedbackEvent.SHOWN)
    ],
}
"""By the name of their type."""

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}


def values(spec: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Return values that a field can hold, those near its edges and of no meaning among them."""
    kind = spec.cpp_type
    if kind == FieldDescriptor.CPPTYPE_MESSAGE:
        return messages(spec.message_type)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return st.floats(width=32) | st.sampled_from([0.0, 0.5, 1.0, float("nan"), float("inf")])
    if kind in _INTEGERS:
        low, high = _INTEGERS[kind]
        return st.integers(0, 4) | st.sampled_from([low, high]) | st.integers(low, high)
    if spec.type == FieldDescriptor.TYPE_BYTES:
        return st.sampled_from(TEXTS) | st.binary(max_size=200)
    return st.sampled_from(WORDS) | st.text(max_size=40)


def put(message: Any, spec: FieldDescriptor, drawn: Any) -> None:
    """Set a field to what :func:`field_values` has drawn for it."""
    message.ClearField(spec.name)
    if spec.is_repeated:
        getattr(message, spec.name).extend(drawn)
    elif spec.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        getattr(message, spec.name).CopyFrom(drawn)
    else:
        setattr(message, spec.name, drawn)


def field_values(spec: FieldDescriptor) -> st.SearchStrategy[Any]:
    return st.lists(values(spec), max_size=4) if spec.is_repeated else values(spec)


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor) -> Any:
    """Draw a proper message: every field set or not, by its type alone."""
    message = message_factory.GetMessageClass(descriptor)()
    for spec in descriptor.fields:
        if draw(st.booleans()):
            put(message, spec, draw(field_values(spec)))
    return message


@st.composite
def nearly(draw: st.DrawFn, descriptor: Descriptor) -> Any:
    """Draw a message that would be answered, with one field or two as they may come."""
    message = message_factory.GetMessageClass(descriptor)()
    message.CopyFrom(draw(st.sampled_from(PROPER[descriptor.name])))
    for _ in range(draw(st.integers(0, 2))):
        inner = message
        if draw(st.booleans()) and "document" in descriptor.fields_by_name:
            inner = message.document
        if inner.DESCRIPTOR.fields:
            spec = draw(st.sampled_from(list(inner.DESCRIPTOR.fields)))
            put(inner, spec, draw(field_values(spec)))
    return message


@st.composite
def requests(draw: st.DrawFn, descriptor: Descriptor) -> bytes:
    """Draw the bytes of a message: as they are, or with some of them changed, lost or added."""
    made = draw(st.sampled_from([nearly, nearly, messages]))
    data = bytearray(draw(made(descriptor)).SerializeToString())
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 3]))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["change", "cut", "add"])):
            case "change" if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 8))]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(data)


@dataclass
class Call:
    """One call as it will be made."""

    method: str
    requests: list[bytes]
    deadline_s: float
    cancel_after: int | None
    """Answers after which it is given up; ``None``: it is not."""
    half_closed: bool
    """Whether the client says that nothing more comes."""


@st.composite
def calls(draw: st.DrawFn) -> Call:
    method = draw(st.sampled_from(list(SERVICE.methods)))
    least, most = (0, 5) if method.client_streaming else (1, 1)
    return Call(
        method=method.name,
        requests=draw(st.lists(requests(method.input_type), min_size=least, max_size=most)),
        deadline_s=draw(st.sampled_from([PATIENT_S] * 6 + [1e-4, 0.005, 0.05])),
        cancel_after=draw(st.sampled_from([None] * 4 + [0, 1])),
        half_closed=draw(st.sampled_from([True] * 5 + [False])),
    )


@dataclass
class Fuzzer:
    """Makes calls on a channel, as bytes, and keeps count of how they ended."""

    channel: grpc.aio.Channel
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def make(self, call: Call) -> None:
        method = SERVICE.methods_by_name[call.method]
        asks = "stream" if method.client_streaming else "unary"
        answers = "stream" if method.server_streaming else "unary"
        start = getattr(self.channel, f"{asks}_{answers}")(f"/{SERVICE_NAME}/{call.method}")
        held = asyncio.Event()

        async def sent() -> AsyncIterator[bytes]:
            for one in call.requests:
                yield one
            if not call.half_closed:
                await held.wait()

        # A stream that stays open ends by its deadline at the latest.
        waits = call.deadline_s if call.half_closed or asks == "unary" else 0.2
        made = start(sent() if asks == "stream" else call.requests[0], timeout=waits)
        try:
            if answers == "stream":
                seen = 0
                async for _ in made:
                    seen += 1
                    if call.cancel_after is not None and seen > call.cancel_after:
                        made.cancel()
            else:
                if call.cancel_after is not None:
                    await asyncio.sleep(0)
                    made.cancel()
                await made
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            pass
        finally:
            held.set()
        status, details = await made.code(), await made.details() or ""
        self.ended[call.method, status.name] += 1
        broken = method.client_streaming and status is CODE.INTERNAL and details == BROKEN
        assert status in EXPECTED or broken, f"{call.method}: {status.name}: {details}"
        if waits >= PATIENT_S:
            assert status is not CODE.DEADLINE_EXCEEDED, f"{call.method} hangs"


@pytest.mark.timeout(300 + 2 * SECONDS)
async def test_every_call_ends_with_a_status_and_the_server_goes_on(serving):
    engine = FakeEngine()
    end = time.monotonic() + SECONDS
    async with serving(engine, "exact_spm", max_queued=1000) as (server, stub):
        channel = open_channel(server.address)
        fuzzer, loop = Fuzzer(channel), asyncio.get_running_loop()
        sane = pb.CompleteRequest(document=pb.Document(path="a.py", prefix=b"x = "))

        async def together(batch: list[Call]) -> None:
            await asyncio.gather(*map(fuzzer.make, batch))
            assert (await stub.Complete(sane)).candidates[0].text == b"value = compute(value)"

        batches = st.lists(calls(), min_size=1, max_size=4)
        for number in itertools.count(int(time.time())):
            await asyncio.to_thread(fuzz, batches, together, loop, number=number, examples=EXAMPLES)
            if time.monotonic() > end and {method for method, _ in fuzzer.ended} == METHODS:
                break
        await wait_until_serving(channel, timeout_s=10)
        await channel.close()
        while await engine.running() or server.service.admission.busy:
            await asyncio.sleep(0.001)  # nothing is left of what was cancelled, or this hangs
        lost = asyncio.to_thread(_failures, server.metrics.registry)
        assert await lost == 0, "handlers failed with an error of their own"
    for (method, status), count in sorted(fuzzer.ended.items()):
        print(f"{method:16} {status:20} {count}")


def _failures(registry: Any) -> float:
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return sum(
        sample.value for sample in samples
        if sample.name == "caret_requests_total" and sample.labels["code"] == "INTERNAL"
    )  # fmt: skip
