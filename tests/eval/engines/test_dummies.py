"""What the dummies say, which is what every suite's figures of them rest on."""

import pytest

from eval.engines.dummies import Half, Oracle, Silent
from eval.item import Answer, Ask
from tests.eval.tiny import item


@pytest.mark.parametrize(
    ("reference", "half"),
    [(b"", b""), (b"a", b""), (b"abc", b"a"), ("äöü€".encode(), "äö".encode()),
     (b"\xff\xfeab", b"\xff\xfe"), (b"\xe2\x82", b"\xe2"), (b"a\r\nb", b"a\r")],
)  # fmt: skip
async def test_half_is_by_characters_and_keeps_bytes_that_are_none(reference, half):
    one = item(0, "")
    object.__setattr__(one, "reference", reference)
    answer = await Half().answer(one, Ask())
    assert answer.raw == answer.cut == half
    assert answer.ranked == (half,)


async def test_the_oracle_says_the_reference_and_silence_says_nothing():
    one = item(0, "return x")
    answer = await Oracle().answer(one, Ask(candidates=10))
    assert (answer.raw, answer.cut, answer.raw_end) == (b"return x", b"return x", "model")
    assert answer.ranked == (b"return x",)
    assert await Silent().answer(one, Ask()) == Answer(declined="silent")


async def test_they_say_who_they_are():
    for kind in (Oracle, Silent, Half):
        assert (await kind().start()).name == kind.name
