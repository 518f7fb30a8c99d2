"""Who may call, over real gRPC: tokens, certificates, limits; and what one caller has of another."""

import asyncio
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import generate_latest

from completion.engine.fake import FakeEngine
from completion.errors import UsageError
from completion.server.workspaces import MOST_OF_ONE_CALLER
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.channel import (
    SERVICE_NAME,
    NotServing,
    open_channel,
    wait_until_serving,
)
from completion.wire.credentials import Credentials
from completion.wire.token_sender import token_senders

ALICE, BOB = "a" * 32, "b" * 32
ID = "0123456789abcdef" * 2
PORT = "127.0.0.1:0"
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


def request(prefix=b"import os\n\nname = os.", **more):
    return pb.CompleteRequest(document=pb.Document(path="a.py", prefix=prefix), **more)


async def changes(*texts, identity=ID, **more):
    for number, text in enumerate(texts, 1):
        yield pb.WorkspaceChange(
            workspace_id=identity, path=f"{number}.py", text=text, version=number, **more
        )


async def once(value):
    yield value


EACH = {
    "Complete": lambda stub: stub.Complete(request()),
    "StreamComplete": lambda stub: anext(aiter(stub.StreamComplete(request()))),
    "Explain": lambda stub: stub.Explain(request()),
    "GetModel": lambda stub: stub.GetModel(pb.GetModelRequest()),
    "NextBytes": lambda stub: stub.NextBytes(pb.NextBytesRequest()),
    "Score": lambda stub: stub.Score(pb.ScoreRequest()),
    "SyncWorkspace": lambda stub: anext(aiter(stub.SyncWorkspace(changes(b"x = 1")))),
    "RecordFeedback": lambda stub: stub.RecordFeedback(once(pb.FeedbackEvent())),
}


async def code_of(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details()


@pytest.fixture
def tokens(private):
    return private("tokens", f"alice {ALICE}\nbob {BOB}\n")


@asynccontextmanager
async def calling(server, credentials):
    channel = open_channel(server.address, credentials)
    try:
        yield rpc.CompletionServiceStub(channel)
    finally:
        await channel.close()


@pytest.fixture
def alice(private):
    return Credentials(token_file=private("alice", ALICE + "\n"))


@pytest.fixture
def bob(private):
    return Credentials(token_file=private("bob", f"bob {BOB}\n"))


def test_every_method_is_tried():
    assert set(EACH) == {
        m.name for m in pb.DESCRIPTOR.services_by_name["CompletionService"].methods
    }


@pytest.mark.parametrize("method", EACH)
async def test_without_a_token_nothing_is_answered_and_nothing_reaches_the_service(
    serving, tokens, private, method
):
    wrong = Credentials(token_file=private("wrong", "c" * 32))
    async with serving(token_file=tokens) as (server, stub):
        assert await code_of(EACH[method](stub)) == (
            UNAUTHENTICATED, "this server wants a token: set client.token_file",
        )  # fmt: skip
        async with calling(server, wrong) as other:
            code, details = await code_of(EACH[method](other))
        text = (await asyncio.to_thread(generate_latest, server.metrics.registry)).decode()
    assert code is UNAUTHENTICATED
    assert "none of this server's" in details
    line = f'caret_requests_total{{code="UNAUTHENTICATED",method="{method}"}} 2.0'
    assert line in text
    assert 'code="OK"' not in text


@pytest.mark.parametrize("method", EACH)
async def test_with_a_token_every_method_answers(serving, tokens, alice, method):
    async with serving(token_file=tokens, credentials=alice) as (_, stub):
        if method == "RecordFeedback":
            code, _ = await code_of(EACH[method](stub))
            assert code is grpc.StatusCode.INVALID_ARGUMENT, "the service read it"
        else:
            await EACH[method](stub)


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", f"Basic {ALICE}", ALICE, f"bearer {ALICE}", f"Bearer {ALICE}{ALICE}"],
)
async def test_a_header_that_is_no_bearer_token_is_none(serving, tokens, value):
    async with serving(token_file=tokens) as (_, stub):
        call = stub.GetModel(pb.GetModelRequest(), metadata=(("authorization", value),))
        code, _ = await code_of(call)
    assert code is UNAUTHENTICATED


async def test_whether_it_is_alive_may_be_asked_by_anybody_and_its_methods_may_not(serving, tokens):
    async with serving(token_file=tokens) as (server, _):
        channel = open_channel(server.address)
        health = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        assert (await health.Check(asked)).status == health_pb2.HealthCheckResponse.SERVING
        assert (await anext(aiter(health.Watch(asked)))).status
        listing = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        code, _ = await code_of(anext(aiter(stub.ServerReflectionInfo(once(listing)))))
        await channel.close()
    assert code is UNAUTHENTICATED


async def test_a_token_that_was_taken_away_is_none_from_the_next_call_on(
    serving, tokens, alice, private
):
    async with serving(token_file=tokens, credentials=alice) as (_, stub):
        await stub.GetModel(pb.GetModelRequest())
        private("tokens", f"bob {BOB}\n")
        code, _ = await code_of(stub.GetModel(pb.GetModelRequest()))
    assert code is UNAUTHENTICATED


# TLS ------------------------------------------------------------------------------------------


def tls(folder, **changes):
    files = {"tls_cert": "server.pem", "tls_key": "server.key", **changes}
    return {"listen": PORT, **{key: str(folder / name) for key, name in files.items()}}


def known(folder, name="", ca="ca", **more):
    own = {"tls_cert": f"{folder}/{name}.pem", "tls_key": f"{folder}/{name}.key"} if name else {}
    return Credentials(tls_ca=str(folder / f"{ca}.pem"), **own, **more)


async def test_a_server_with_tls_and_tokens_answers_who_has_both(
    serving, certificates, tokens, alice
):
    credentials = known(certificates, token_file=alice.token_file)
    async with serving(**tls(certificates), token_file=tokens, credentials=credentials) as (
        server,
        stub,
    ):
        await stub.Complete(request())
        async with calling(server, known(certificates)) as without:
            code, _ = await code_of(without.Complete(request()))
        assert code is UNAUTHENTICATED


async def reached(server, credentials):
    channel = open_channel(server.address, credentials)
    try:
        await wait_until_serving(channel, timeout_s=0.5)
    except NotServing:
        return False
    finally:
        await channel.close()
    return True


async def test_clear_text_and_another_authority_end_before_anything_is_sent(serving, certificates):
    async with serving(**tls(certificates), credentials=known(certificates)) as (server, stub):
        await stub.Complete(request())
        assert not await reached(server, Credentials())
        assert not await reached(server, known(certificates, ca="other"))
        assert not await reached(server, Credentials(tls_ca="system"))


async def test_old_versions_of_tls_are_refused(serving, certificates):
    async with serving(**tls(certificates), credentials=known(certificates)) as (server, stub):
        await stub.Complete(request())
        done = {}
        for version in ("1_1", "1_2", "1_3"):
            process = await asyncio.create_subprocess_exec(
                "openssl", "s_client", "-connect", str(server.address), f"-tls{version}",
                "-alpn", "h2", "-cipher", "DEFAULT@SECLEVEL=0",
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            out, _ = await process.communicate()
            done[version] = b"BEGIN CERTIFICATE" in out
    assert done == {"1_1": False, "1_2": True, "1_3": True}


async def test_with_mutual_tls_who_has_no_certificate_is_not_connected(serving, certificates):
    options = tls(certificates, tls_client_ca="ca.pem")
    async with serving(**options, credentials=known(certificates, "alice")) as (server, stub):
        await stub.Complete(request())
        assert not await reached(server, known(certificates))
        async with calling(server, known(certificates, "nobody")) as without:
            code, details = await code_of(without.Complete(request()))
    assert (code, details) == (UNAUTHENTICATED, "the client's certificate has no common name")


# What is one caller's ---------------------------------------------------------------------------


class Salted(FakeEngine):
    """Remembers whose requests came."""

    def __init__(self, **options):
        super().__init__(**options)
        self.salts = []

    async def generate(self, prompt, sampling, stats):
        self.salts.append(sampling.cache_salt)
        async for step in super().generate(prompt, sampling, stats):
            yield step

    async def top_tokens(self, prompt, count, mixing=None, cache_salt=""):
        self.salts.append(cache_salt)
        return await super().top_tokens(prompt, count, mixing, cache_salt)


async def ask_everything(stub):
    document = pb.Document(path="a.py", prefix=b"name = val")
    await stub.Complete(
        pb.CompleteRequest(document=document, options=pb.GenerationOptions(candidates=3))
    )
    async for _ in stub.StreamComplete(pb.CompleteRequest(document=document)):
        pass
    await stub.Explain(pb.CompleteRequest(document=document, workspace_id=ID))
    await stub.NextBytes(pb.NextBytesRequest(document=document))
    await stub.Score(pb.ScoreRequest(document=document, texts=[b"ue"]))


@pytest.mark.parametrize("arm", ["one_token_psm", "exact_spm", "naive_psm"])
async def test_every_request_of_a_caller_has_its_salt_and_no_other_s(
    serving, tokens, alice, bob, arm
):
    engine = Salted()
    found = {}
    async with serving(engine, arm, token_file=tokens) as (server, _):
        for credentials in (alice, bob, alice):
            async with calling(server, credentials) as stub:
                async for _ in stub.SyncWorkspace(changes(b"name = value\n" * 9)):
                    pass
                engine.salts.clear()
                await ask_everything(stub)
                found.setdefault(credentials, []).extend(engine.salts)
    one, other = map(set, found.values())
    assert len(one) == len(other) == 1
    assert one != other
    assert "" not in one | other


async def test_on_a_server_of_one_user_nothing_is_salted(serving):
    engine = Salted()
    async with serving(engine) as (_, stub):
        await ask_everything(stub)
    assert set(engine.salts) == {""}


async def test_a_law_that_one_caller_asked_for_is_not_sooner_there_for_another(
    serving, tokens, alice, bob
):
    engine = Salted()
    asked = pb.NextBytesRequest(document=pb.Document(path="a.py", prefix=b"name = val"))
    counts = []
    async with serving(engine, "exact_spm", token_file=tokens) as (server, _):
        for credentials in (alice, alice, bob):
            async with calling(server, credentials) as stub:
                engine.salts.clear()
                await stub.NextBytes(asked)
                counts.append(len(engine.salts))
    assert counts[1] == 0, "the rows are remembered"
    assert counts[2] == counts[0] > 0


async def states(stub, *texts, identity=ID, **more):
    return [s async for s in stub.SyncWorkspace(changes(*texts, identity=identity, **more))]


async def test_the_same_id_of_two_callers_is_two_workspaces(serving, tokens, alice, bob):
    async with serving(token_file=tokens) as (server, _):
        async with calling(server, alice) as one, calling(server, bob) as other:
            assert (await states(one, b"x = 1\n", b"y = 2\n"))[-1].files == 2
            (state,) = await states(other, b"z = 3\n")
            assert (state.files, state.need_resync) == (1, True), "nothing of the other's is there"
            await states(other, b"", close=True)
            (state,) = await states(one, b"x = 2\n")
            assert (state.files, state.need_resync) == (2, False), "nor is it closed by the other"
        held = set(server.service._workspaces._held)
    assert len(held) == 1
    assert ID not in held


async def test_a_request_sees_its_caller_s_workspace_only(serving, tokens, alice, bob):
    engine = FakeEngine()
    seen = []
    generate = engine.generate

    def watched(prompt, sampling, stats):
        seen.append(sampling.mixing and sampling.mixing.workspace)
        return generate(prompt, sampling, stats)

    engine.generate = watched
    async with (
        serving(engine, token_file=tokens) as (server, _),
        calling(server, alice) as one,
        calling(server, bob) as other,
    ):
        await states(one, b"name = value\n")
        await one.Complete(request(workspace_id=ID))
        await other.Complete(request(workspace_id=ID))
        (of_alice,) = server.service._workspaces._held
        await other.Complete(request(workspace_id=of_alice))
    assert seen == [of_alice, None, None]


async def test_one_caller_does_not_take_all_the_room_for_workspaces(serving, tokens, alice, bob):
    async with serving(token_file=tokens) as (server, _):
        async with calling(server, alice) as one, calling(server, bob) as other:
            await states(other, b"mine = 1\n")
            for number in range(MOST_OF_ONE_CALLER + 3):
                await states(one, b"x = 1\n", identity=f"{number:032}")
            (state,) = await states(other, b"mine = 2\n")
        assert not state.need_resync
        assert len(server.service._workspaces._held) == MOST_OF_ONE_CALLER + 1


# Limits -----------------------------------------------------------------------------------------


async def test_a_caller_with_too_many_requests_at_once_is_refused_at_once(
    serving, tokens, alice, bob
):
    engine = FakeEngine(delay_ms=60_000)
    options = {"token_file": tokens, "max_running_per_caller": 2}
    async with serving(engine, **options, credentials=alice) as (server, stub):
        running = [asyncio.ensure_future(stub.Complete(request())) for _ in range(2)]
        while await engine.running() < 2:
            await asyncio.sleep(0.001)
        code, details = await code_of(stub.Complete(request()))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "max_running_per_caller is 2" in details
        async with calling(server, bob) as other:
            third = asyncio.ensure_future(other.Complete(request()))
            while await engine.running() < 3:
                assert not third.done()
                await asyncio.sleep(0.001)
            for call in (*running, third):
                call.cancel()
            await asyncio.gather(*running, third, return_exceptions=True)
        while await engine.running():
            await asyncio.sleep(0.001)
        engine._delay = 0
        await stub.Complete(request())


async def test_a_caller_with_too_many_calls_in_a_second_is_refused_at_once(
    serving, tokens, alice, bob
):
    options = {"token_file": tokens, "max_per_second_per_caller": 0.001}
    async with serving(**options, credentials=alice) as (server, stub):
        await stub.GetModel(pb.GetModelRequest())
        for method, call in EACH.items():
            code, details = await code_of(call(stub))
            assert code is grpc.StatusCode.RESOURCE_EXHAUSTED, method
            assert "max_per_second_per_caller is 0.001" in details
        async with calling(server, bob) as other:
            await other.GetModel(pb.GetModelRequest())


# What a client sends where ----------------------------------------------------------------------


async def test_a_token_never_goes_to_another_machine_in_clear_text(alice, certificates):
    from completion.wire.address import parse_address

    elsewhere = parse_address("192.0.2.1:50151")
    with pytest.raises(UsageError, match=r"not sent to 192\.0\.2\.1:50151 without encryption"):
        open_channel(elsewhere, alice)
    for address, credentials in (
        (elsewhere, known(certificates, token_file=alice.token_file)),
        (parse_address("127.0.0.1:1"), alice),
        (parse_address("unix:/tmp/none"), alice),
        (elsewhere, Credentials()),
    ):
        await open_channel(address, credentials).close()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"token_file": "/nowhere"}, "client.token_file /nowhere cannot be read"),
        ({"tls_ca": "/nowhere"}, "client.tls_ca /nowhere cannot be read"),
        ({"token_file": "token"}, "client.token_file must be a full path, not token"),
        ({"tls_ca": "./ca.pem"}, "client.tls_ca must be a full path"),
        ({"tls_ca": "system", "tls_cert": "/nowhere"}, "go together"),
        ({"tls_ca": "system", "tls_cert": "/no", "tls_key": "/no"}, "tls_cert /no cannot be read"),
    ],
)
async def test_files_of_a_client_that_cannot_be_had_are_said(files, said):
    from completion.wire.address import parse_address

    with pytest.raises(UsageError, match=said):
        open_channel(parse_address("127.0.0.1:1"), Credentials(**files))


def test_a_client_s_token_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "token"
    path.write_text(ALICE)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        Credentials(token_file=str(path)).token()


def test_there_is_a_sender_for_each_kind_of_call():
    kinds = {base for sender in token_senders("t") for base in type(sender).__mro__}
    for kind in ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream"):
        assert getattr(grpc.aio, f"{kind}ClientInterceptor") in kinds
