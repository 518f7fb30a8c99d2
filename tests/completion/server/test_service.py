"""The handlers over real gRPC, with the fake engine."""

import asyncio
import logging
import stat
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import generate_latest

from completion.engine.fake import FakeEngine
from completion.errors import UsageError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.channel import SERVICE_NAME, open_channel

BLOCK = b"x = 1\nprint(x)\n\ndef total(x):\n"


def request(prefix=b"import os\n\nname = os.", suffix=b"\n", path="a.py", **options):
    return pb.CompleteRequest(
        document=pb.Document(path=path, prefix=prefix, suffix=suffix),
        options=pb.GenerationOptions(**options),
    )


async def code_of(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details()


async def idle(engine):
    while await engine.running():
        await asyncio.sleep(0.001)


async def test_complete_answers_with_candidate_usage_and_timings(serving):
    async with serving() as (_, stub):
        answer = await stub.Complete(request())
    (candidate,) = answer.candidates
    assert candidate.text == b"value = compute(value)"
    assert candidate.stop_reason == pb.STOP_REASON_SYNTAX
    assert candidate.tokens == len(candidate.text)
    assert candidate.log_prob == pytest.approx(-0.5 * candidate.tokens)
    assert answer.completion_id
    assert answer.model == "fake"
    assert answer.usage.prompt_tokens > 0
    assert answer.timings.total >= answer.timings.first_line >= answer.timings.first_token > 0


async def test_raw_text_is_what_the_model_said_before_it_was_cut(serving):
    async with serving(FakeEngine(reply=b"a()\nb()\nc()\n")) as (_, stub):
        answer = await stub.Complete(request(include_raw=True))
    (candidate,) = answer.candidates
    assert candidate.text == b"a()"
    assert candidate.raw_text == b"a()\nb()\nc()\n"
    assert candidate.raw_stop_reason == pb.STOP_REASON_MODEL


async def test_candidates_differ_and_each_is_stopped_by_itself(serving):
    async with serving() as (_, stub):
        answer = await stub.Complete(request(candidates=4))
    texts = [candidate.text for candidate in answer.candidates]
    assert len(set(texts)) == len(texts) == 4
    assert all(c.stop_reason == pb.STOP_REASON_SYNTAX for c in answer.candidates)


class FailsOnce(FakeEngine):
    """The first candidate fails while the others are under way."""

    failed = False

    async def generate(self, prompt, sampling, stats):
        first, self.failed = not self.failed, True
        async for step in super().generate(prompt, sampling, stats):
            if first:
                raise RuntimeError(bytes(t for t in prompt if t < 256))
            yield step


async def test_when_one_candidate_fails_the_others_are_not_left_running(serving, caplog):
    engine = FailsOnce(delay_ms=20, reply=b"a" * 400)
    caplog.set_level(logging.DEBUG, logger="caret")
    async with serving(engine) as (_, stub):
        code, details = await code_of(stub.Complete(request(prefix=b"secret = ", candidates=3)))
        assert await engine.running() == 0
    assert code == grpc.StatusCode.INTERNAL
    assert "handler failed" in caplog.text
    logged = [*caplog.messages, *(str(vars(record)) for record in caplog.records)]
    assert not any("secret" in line for line in [details, *logged])


async def test_the_log_probability_is_of_the_text_that_is_left(serving):
    ask = request(prefix=b"x = f(", suffix=b") + y\n")
    async with serving(FakeEngine(reply=b"abc)")) as (_, stub):
        (candidate,) = (await stub.Complete(ask)).candidates
    assert candidate.text == b"abc", "the bracket is there already"
    assert candidate.tokens == 3
    assert candidate.log_prob == pytest.approx(-1.5)


async def test_a_selected_item_opens_every_answer(serving):
    chosen = request(prefix=b"name = os.pa", candidates=2)
    chosen.selected_completion.CopyFrom(pb.SelectedCompletion(text=b"path", replace_before=2))
    async with serving() as (_, stub):
        answer = await stub.Complete(chosen)
    assert answer.candidates
    assert all(c.text.startswith(b"path") and c.replace_before == 2 for c in answer.candidates)


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
async def test_streamed_lines_make_up_the_answer_and_are_never_taken_back(serving, eol):
    block = BLOCK.replace(b"\n", eol.encode())
    ask = request(prefix=block, suffix=b"")
    ask.document.eol = eol
    reply = b"    a = 1\n    b = 2\n\n    c = 3\nprint(a)\n"
    async with serving(FakeEngine(reply=reply)) as (_, stub):
        whole = await stub.Complete(ask)
        chunks = [chunk async for chunk in stub.StreamComplete(ask)]
    text = b"".join(chunk.text for chunk in chunks)
    assert text == whole.candidates[0].text
    assert text.count(eol.encode()) >= 2
    assert len(chunks) > 2, "a block goes out line by line"
    assert all(not chunk.text.rstrip(b"\r\n").endswith(b"\r") for chunk in chunks)
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].summary.candidates[0].text == text
    assert {chunk.completion_id for chunk in chunks} == {chunks[-1].summary.completion_id} != {""}


async def test_the_deadline_gives_what_there_is(serving):
    async with serving(FakeEngine(delay_ms=20, reply=b"a" * 400)) as (_, stub):
        answer = await stub.Complete(request(), timeout=0.4)
    (candidate,) = answer.candidates
    assert candidate.stop_reason == pb.STOP_REASON_DEADLINE
    assert 0 < len(candidate.text) < 400


async def test_nothing_before_the_deadline_is_an_error(serving):
    engine = FakeEngine(delay_ms=5000)
    async with serving(engine) as (_, stub):
        code, _ = await code_of(stub.Complete(request(), timeout=0.2))
        assert code == grpc.StatusCode.DEADLINE_EXCEEDED
        await idle(engine)


async def test_a_full_queue_refuses_at_once_and_the_others_are_served(serving):
    async with serving(FakeEngine(delay_ms=5), max_running=1, max_queued=1) as (server, stub):
        first = asyncio.ensure_future(stub.Complete(request()))
        second = asyncio.ensure_future(stub.Complete(request()))
        while server.service.admission.waiting < 1:
            await asyncio.sleep(0.001)
        code, details = await code_of(stub.Complete(request()))
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "queue is full" in details
        assert not first.done(), "refused at once, not after waiting"
        answers = await asyncio.gather(first, second)
    assert all(answer.candidates for answer in answers)
    assert answers[1].timings.queue > 0


async def test_a_thousand_cancelled_requests_leave_nothing_running(serving):
    engine = FakeEngine(delay_ms=1000)
    async with serving(engine, max_running=64, max_queued=1000) as (server, stub):
        calls = [stub.Complete(request()) for _ in range(1000)]
        while server.service.admission.running < 64:
            await asyncio.sleep(0.001)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await idle(engine)
        while server.service.admission.running or server.service.admission.waiting:
            await asyncio.sleep(0.001)
        engine._delay = 0.0
        assert (await stub.Complete(request())).candidates


async def test_a_cancelled_stream_frees_the_engine(serving):
    engine = FakeEngine(delay_ms=10, reply=b"    a = 1\n" * 2 + b"    b = 2\n" * 40)
    async with serving(engine) as (_, stub):
        call = stub.StreamComplete(request(prefix=BLOCK, suffix=b""))
        assert (await call.read()).text
        call.cancel()
        await idle(engine)


async def test_the_limit_of_a_message_is_held(serving):
    async with serving(max_message_bytes=1 << 16) as (_, stub):
        code, _ = await code_of(stub.Complete(request(prefix=b"a" * (1 << 17))))
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await stub.GetModel(pb.GetModelRequest())).max_message_bytes == 1 << 16


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (request(candidates=99), "options.candidates must be at most"),
        (request(temperature=-1), "options.temperature must be between"),
        (request(max_tokens=100_000), "options.max_tokens must be at most"),
    ],
)
async def test_a_wrong_field_is_named(serving, wrong, said):
    async with serving() as (_, stub):
        code, details = await code_of(stub.Complete(wrong))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert said in details


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0\1\2",
        b"\xff\xfe",
        b"<|fim_middle|><|endoftext|>",
        "é".encode()[:1],
        b"\r",
        b"\n" * 9,
    ],
)
async def test_any_bytes_around_the_cursor_are_answered(serving, text):
    async with serving() as (_, stub):
        answer = await stub.Complete(request(prefix=text, suffix=text))
        shown = await stub.Explain(request(prefix=text, suffix=text))
    assert answer.candidates or answer.declined
    assert list(shown.token_ids).count(256 + 3) == 1, "one middle sentinel, ours"


async def test_explain_shows_the_prompt_and_what_was_left_out(serving):
    ask = request()
    ask.snippets.append(pb.Snippet(path="b.py", text=b"def helper(): ...\n", relevance=0.5))
    ask.snippets.append(pb.Snippet(path="c.py", text=b"def helper(): ...\n", relevance=0.4))
    async with serving() as (_, stub):
        shown = await stub.Explain(ask)
    assert b"<|file_sep|>b.py\ndef helper(): ...\n" in shown.prompt
    assert shown.prompt.endswith(b"<|fim_middle|>")
    assert [s.path for s in shown.used] == ["b.py"]
    assert [(d.path, d.reason) for d in shown.dropped] == [("c.py", "duplicate")]
    assert shown.arm == "one_token_psm"
    assert 0 < shown.stable_tokens < len(shown.token_ids)
    assert shown.response.candidates


async def test_an_unfinished_word_is_spelled_again_and_not_repeated(serving):
    known = b"total_weight = 1\nprint(total_weight)\nx = total_w"
    async with serving() as (_, stub):
        healed = await stub.Complete(request(prefix=known, suffix=b"\n"))
        off = await stub.Explain(request(prefix=known, suffix=b"\n", healing=pb.HEALING_OFF))
        shown = await stub.Explain(request(prefix=known, suffix=b"\n"))
    assert healed.usage.healed_bytes == len(b" total_w")
    assert not healed.candidates[0].text.startswith(b"total")
    assert off.arm == "naive_psm"
    assert off.response.usage.healed_bytes == 0
    assert b"x = total_w<|fim_suffix|>" in off.prompt
    assert b"x =<|fim_suffix|>" in shown.prompt


async def test_the_exact_arm_covers_the_word_and_shows_the_cover(serving):
    known = b"total_weight = 1\nprint(total_weight)\nx = total_w"
    async with serving(arm="exact_psm_word") as (_, stub):
        model = await stub.GetModel(pb.GetModelRequest())
        healed = await stub.Complete(request(prefix=known, suffix=b"\n"))
        shown = await stub.Explain(request(prefix=known, suffix=b"\n"))
        one = await stub.Explain(request(prefix=known, suffix=b"\n", healing=pb.HEALING_ONE_TOKEN))
        off = await stub.Explain(request(prefix=known, suffix=b"\n", healing=pb.HEALING_OFF))
    assert (model.arm, model.healing, model.healing_reason) == (
        "exact_psm_word", pb.HEALING_EXACT, "")  # fmt: skip
    assert (shown.arm, one.arm, off.arm) == ("exact_psm_word", "one_token_psm", "naive_psm")
    assert healed.usage.healed_bytes == len(b" total_w")
    assert healed.usage.cover_contexts == len(shown.cover) >= 1
    assert shown.cover[0].remainder == b" total_w"
    assert shown.cover[0].log_weight == 0.0
    assert not healed.candidates[0].text.startswith(b"total")


async def test_an_exact_arm_gives_no_more_candidates_than_there_are_leaves(serving):
    known = b"total_weight = 1\nprint(total_weight)\nx = total_w"
    ask = request(prefix=known, suffix=b"\n", candidates=3, include_raw=True)
    async with serving(arm="exact_psm_word") as (_, stub):
        answer = await stub.Complete(ask)
    assert [c.raw_text for c in answer.candidates] == [b"value = compute(value)\n"]
    assert answer.usage.cover_contexts == len(b" total_w")  # bytes alone: one leaf, no other


async def test_get_model_says_what_is_served(serving):
    async with serving() as (_, stub):
        model = await stub.GetModel(pb.GetModelRequest())
    assert (model.name, model.engine, model.fim_template) == ("fake", "fake 1", "qwen")
    assert model.api_revision >= 1


class SlowToLoad(FakeEngine):
    def __init__(self):
        super().__init__()
        self.loading, self.may_load = asyncio.Event(), asyncio.Event()

    async def start(self):
        self.loading.set()
        await self.may_load.wait()


async def test_while_loading_it_answers_unavailable_and_not_serving(serving, address):
    engine = SlowToLoad()
    starting = serving(engine)
    start = asyncio.create_task(starting.__aenter__())
    await engine.loading.wait()
    channel = open_channel(address)
    health = health_pb2_grpc.HealthStub(channel)
    check = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
    assert (await health.Check(check)).status == health_pb2.HealthCheckResponse.NOT_SERVING
    stub = rpc.CompletionServiceStub(channel)
    refused = await code_of(stub.Complete(request()))
    assert refused == (grpc.StatusCode.UNAVAILABLE, "the model is loading")
    engine.may_load.set()
    await start
    assert (await stub.Complete(request())).candidates
    assert (await health.Check(check)).status == health_pb2.HealthCheckResponse.SERVING
    await channel.close()
    await starting.__aexit__(None, None, None)


async def test_a_dead_engine_does_not_take_the_other_figures_with_it(serving):
    class Dead(FakeEngine):
        async def running(self):
            raise RuntimeError("dead")

    async with serving(Dead()) as (server, stub):
        await stub.Complete(request())
        shown = (await asyncio.to_thread(generate_latest, server.metrics.registry)).decode()
    assert 'caret_requests_total{code="OK",method="Complete"} 1.0' in shown
    assert "caret_requests_running 0.0" in shown
    assert "caret_engine_running" not in shown


async def test_reflection_lists_the_service(serving):
    async with serving() as (server, _):
        channel = open_channel(server.address)
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in stub.ServerReflectionInfo(iter([ask])):
            names = [service.name for service in answer.list_services_response.service]
        await channel.close()
    assert SERVICE_NAME in names


async def test_the_socket_is_the_owners_alone_and_goes_away(serving):
    async with serving() as (server, _):
        path = Path(server.address.path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_socket_in_use_is_refused_and_a_dead_one_replaced(serving):
    async with serving() as (server, stub):
        with pytest.raises(UsageError, match="in use by a running server"):
            async with serving():
                pass
        assert (await stub.Complete(request())).candidates, "the first one is unharmed"
        path = Path(server.address.path)
    import socket

    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving() as (_, stub):
        assert (await stub.Complete(request())).candidates
