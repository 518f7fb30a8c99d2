"""Which candidates are kept, in which order, and what is said where none would be shown."""

import pytest

from completion.engine.fake import FakeEngine
from completion.wire import completion_pb2 as pb


class Offers(FakeEngine):
    """Its most probable first bytes are ``firsts``, and each candidate ends behind its first."""

    def __init__(self, *firsts):
        super().__init__(reply=b"")
        self.firsts = firsts

    async def top_tokens(self, prompt, count, mixing=None, cache_salt=""):
        return [(first[0], -1.0 - i) for i, first in enumerate(self.firsts)][:count]


def request(**options):
    return pb.CompleteRequest(
        document=pb.Document(path="a.py", prefix=b"x = (", suffix=b")\n"),
        options=pb.GenerationOptions(**options),
        trigger=pb.CompleteRequest.TRIGGER_INVOKED,  # its answers of one character are worth it then
    )


async def test_raw_texts_that_differ_stay_though_the_filters_leave_the_same_of_them(serving):
    async with serving(Offers(b" ", b"\t", b"7")) as (_, stub):
        shown = await stub.Complete(request(candidates=3))
        raw = await stub.Complete(request(candidates=3, include_raw=True))
    assert [c.text for c in shown.candidates] == [b"7"]
    assert shown.declined == "", "there is one to show"
    assert [c.raw_text for c in raw.candidates] == [b" ", b"\t", b"7"]
    assert [c.text for c in raw.candidates] == [b"", b"", b"7"]


async def test_equal_raw_texts_are_one(serving):
    async with serving(Offers(b"7", b"7", b"8")) as (_, stub):
        raw = await stub.Complete(request(candidates=3, include_raw=True))
    assert [c.raw_text for c in raw.candidates] == [b"7", b"8"]


async def test_why_the_first_would_not_be_shown_is_said_beside_its_raw_text(serving):
    async with serving(Offers(b" ", b"7")) as (_, stub):
        raw = await stub.Complete(request(candidates=2, include_raw=True))
    assert raw.declined == "filtered:blank"
    assert raw.candidates[0].raw_text == b" "


async def test_a_later_one_that_is_filtered_is_no_reason_to_decline(serving):
    async with serving(Offers(b"7", b" ")) as (_, stub):
        raw = await stub.Complete(request(candidates=2, include_raw=True))
        shown = await stub.Complete(request(candidates=2))
    assert raw.declined == shown.declined == ""
    assert [c.raw_text for c in raw.candidates] == [b"7", b" "]


async def test_one_that_was_filtered_to_nothing_has_no_better_place_for_that(serving):
    async with serving(Offers(b"7", b"8", b" ")) as (_, stub):
        raw = await stub.Complete(request(candidates=3, include_raw=True))
    assert [c.raw_text for c in raw.candidates] == [b"7", b"8", b" "]


@pytest.mark.parametrize("include_raw", [True, False])
async def test_nothing_to_show_says_why(serving, include_raw):
    async with serving(FakeEngine(reply=b"  ")) as (_, stub):
        answer = await stub.Complete(request(include_raw=include_raw))
    assert answer.declined == "filtered:blank"
    assert [c.raw_text for c in answer.candidates] == ([b"  "] if include_raw else [])
