"""``NextBytes`` and ``Score`` over a real socket; the fake engine's model is a law over bytes."""

import math

import grpc
import pytest

from completion.wire import completion_pb2 as pb

PREFIX = b"def total(values):\n    total = 0\n    for value in val"


def _document(prefix=PREFIX, suffix=b":\n"):
    return pb.Document(path="a.py", language_id="python", prefix=prefix, suffix=suffix)


async def _code(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize("healing", [pb.HEALING_EXACT, pb.HEALING_ONE_TOKEN, pb.HEALING_OFF])
async def test_the_outcomes_are_a_law(serving, healing):
    async with serving() as (_, stub):
        answer = await stub.NextBytes(pb.NextBytesRequest(document=_document(), healing=healing))
    whole = sum(map(math.exp, answer.log_probs)) + math.exp(answer.end_log_prob)
    assert len(answer.log_probs) == 256
    assert whole == pytest.approx(1.0, abs=1e-5)
    assert 0 <= answer.omitted_mass_bound <= 1e-3
    assert answer.cover_contexts >= 1
    # The fake model reads the middle alone: with the word moved there it begins its reply.
    likely = max(range(256), key=lambda b: answer.log_probs[b])
    assert likely == ord("u" if healing == pb.HEALING_OFF else "v")


async def test_the_score_of_a_text_is_the_product_of_its_bytes(serving):
    async with serving() as (_, stub):
        scored = await stub.Score(pb.ScoreRequest(document=_document(), texts=[b"ues", b""]))
        chain, so_far = 0.0, PREFIX
        for byte in b"ues":
            step = await stub.NextBytes(pb.NextBytesRequest(document=_document(so_far)))
            chain += step.log_probs[byte]
            so_far += bytes([byte])
    assert scored.log_probs[1] == pytest.approx(0.0, abs=1e-6)
    assert scored.log_probs[0] == pytest.approx(chain, abs=1e-4)


async def test_an_identifier_s_end_takes_off_what_goes_on(serving):
    async with serving() as (_, stub):
        document = _document()
        edge = pb.ScoreRequest.EDGE_IDENTIFIER_END
        texts = [b"ue", b"ues"]
        anyhow = await stub.Score(pb.ScoreRequest(document=document, texts=texts))
        ended = await stub.Score(pb.ScoreRequest(document=document, texts=texts, edge=edge))
        goes_on = []
        for text in texts:
            step = await stub.NextBytes(pb.NextBytesRequest(document=_document(PREFIX + text)))
            word = [b for b in range(256) if b >= 128 or b == 95 or chr(b).isalnum()]
            goes_on.append(sum(math.exp(step.log_probs[b]) for b in word))
    for number in range(2):
        expected = anyhow.log_probs[number] + math.log1p(-goes_on[number])
        assert ended.log_probs[number] == pytest.approx(expected, abs=1e-3)
    assert ended.log_probs[0] < anyhow.log_probs[0] - 1, "'ue' goes on with 's'"


async def test_a_raw_prompt_has_no_template_and_no_suffix(serving):
    async with serving() as (_, stub):
        first = await stub.NextBytes(
            pb.NextBytesRequest(document=_document(b"abcdabc", b"zzz"), raw_prompt=True)
        )
        other = await stub.NextBytes(
            pb.NextBytesRequest(document=_document(b"abcdabc", b""), raw_prompt=True)
        )
    assert list(first.log_probs) == list(other.log_probs)


@pytest.mark.parametrize(
    "prefix", [b"", b"a", b"\x80", b"x = '\xf0\x9f", b"x\n" + b" " * 1024, b"<|fim_middle|>"]
)
@pytest.mark.parametrize("raw", [False, True])
async def test_odd_prefixes_have_a_law_too(serving, prefix, raw):
    async with serving() as (_, stub):
        answer = await stub.NextBytes(
            pb.NextBytesRequest(document=_document(prefix, b""), raw_prompt=raw)
        )
    whole = sum(map(math.exp, answer.log_probs)) + math.exp(answer.end_log_prob)
    assert whole == pytest.approx(1.0, abs=1e-5)


async def test_wrong_fields_are_named_with_their_limit(serving):
    async with serving() as (_, stub):
        many = pb.ScoreRequest(document=_document(), texts=[b"x"] * 257)
        assert await _code(stub.Score(many)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "texts must be at most 256 texts",
        )
        long = pb.ScoreRequest(document=_document(), texts=[b"x", b"y" * 4097])
        code, details = await _code(stub.Score(long))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert details.startswith("texts[1] must be at most 4096 bytes")
        code, details = await _code(stub.NextBytes(pb.NextBytesRequest(healing=9)))
        assert (code, details) == (grpc.StatusCode.INVALID_ARGUMENT, "healing is unknown")
        code, details = await _code(stub.Score(pb.ScoreRequest(edge=7)))
        assert (code, details) == (grpc.StatusCode.INVALID_ARGUMENT, "edge is unknown")
