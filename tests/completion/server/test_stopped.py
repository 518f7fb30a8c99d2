"""The engine is told to stop at the very byte at which the stop rule knows the end."""

from __future__ import annotations

import pytest

from completion.engine.fake import FakeEngine
from completion.wire import completion_pb2 as pb

ENDLESS = {
    "go": (b"func f() {\n\t", b"g()\n}", b"\n\nfunc h() {\n\tg()\n}" * 50),
    "javascript": (b"function f() {\n  ", b"g();\n}", b"\n\nfunction h() {\n  g();\n}" * 50),
    "ruby": (b"def f\n  ", b"g\nend", b"\n\ndef h\n  g\nend" * 50),
    "python": (b"def f():\n    ", b"g()", b"\n\n\ndef h():\n    g()" * 50),
}


class Counting(FakeEngine):
    """Counts the tokens that were asked of it."""

    said = 0

    async def generate(self, prompt, sampling, stats):
        async for step in super().generate(prompt, sampling, stats):
            self.said += len(step.token_ids)
            yield step


@pytest.mark.parametrize("language", sorted(ENDLESS))
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_engine_is_aborted_where_the_block_is_complete(serving, language, streamed):
    prefix, body, more = ENDLESS[language]
    engine = Counting(reply=body + more)
    request = pb.CompleteRequest(
        document=pb.Document(language_id=language, prefix=prefix, suffix=b"\n"),
        options=pb.GenerationOptions(max_tokens=400, healing=pb.HEALING_OFF),
        trigger=pb.CompleteRequest.TRIGGER_INVOKED,
    )
    async with serving(engine) as (_, stub):
        if streamed:
            chunks = [chunk async for chunk in stub.StreamComplete(request)]
            answer = chunks[-1].summary
        else:
            answer = await stub.Complete(request)
        assert await engine.running() == 0
    (candidate,) = answer.candidates
    assert candidate.text == body
    assert candidate.stop_reason == pb.STOP_REASON_SYNTAX
    assert engine.said == answer.usage.generated_tokens
    assert engine.said <= len(body) + 4, "a byte is a token here"
