import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.prompt.budget import Block, choose_blocks, choose_windows
from completion.prompt.windows import prefix_window, suffix_window
from tests.completion.families import LINES
from tests.completion.prompt.test_encoder import encoder

OWN = encoder("qwen")
ENCODE, VOCABULARY = OWN.encode, OWN.vocabulary


def source(lines: int, seed: int = 0) -> bytes:
    rng = random.Random(seed)
    made = (f"{rng.choice(LINES)}  # {rng.randrange(10**6)}" for _ in range(lines))
    return "\n".join(made).encode() + b"\n"


@settings(max_examples=60, deadline=None)
@given(
    text=st.one_of(st.binary(max_size=400), st.integers(0, 60).map(source)),
    limit=st.integers(0, 200),
    truncated=st.booleans(),
)
def test_windows_hold_their_limit_and_the_text_next_to_the_cursor(text, limit, truncated):
    before = prefix_window(text, limit, ENCODE, VOCABULARY, truncated=truncated)
    after = suffix_window(text, limit, ENCODE, VOCABULARY, truncated=truncated)
    assert before.tokens == len(ENCODE(before.text)) <= limit
    assert after.tokens == len(ENCODE(after.text)) <= limit
    assert text.endswith(before.text)
    assert text.startswith(after.text)


def test_a_text_that_fits_is_whole():
    text = source(5)
    assert prefix_window(text, 1000, ENCODE, VOCABULARY).whole
    assert suffix_window(text, 1000, ENCODE, VOCABULARY).whole


def test_a_cut_is_between_lines():
    text = source(80)
    before = prefix_window(text, 300, ENCODE, VOCABULARY)
    after = suffix_window(text, 300, ENCODE, VOCABULARY)
    assert text[: -len(before.text)].endswith(b"\n")
    assert after.text.endswith(b"\n")


def test_most_of_the_budget_is_used():
    text = source(200)
    for limit in (100, 400, 1000):
        assert prefix_window(text, limit, ENCODE, VOCABULARY).tokens >= limit * 0.6
        assert suffix_window(text, limit, ENCODE, VOCABULARY).tokens >= limit * 0.6


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sent", [0, 4000], ids=["whole document", "client cuts by bytes"])
def test_typing_moves_the_start_of_the_window_a_few_times_only(seed, sent):
    document = source(200, seed)
    typed = source(30, seed + 100)[:500]
    starts: list[bytes] = []
    for count in range(len(typed)):
        text = (document + typed[:count])[-sent:]
        window = prefix_window(text, 800, ENCODE, VOCABULARY, truncated=bool(sent))
        head = window.text[:40]
        if not starts or starts[-1] != head:
            starts.append(head)
    assert len(starts) <= 6


@pytest.mark.parametrize("seed", range(2))
def test_typing_moves_the_end_of_the_suffix_a_few_times_only(seed):
    suffix, typed = source(200, seed), source(30, seed + 50)[:400]
    ends = [
        len(choose_windows(typed[:n], suffix, 500, 0.75, ENCODE, VOCABULARY).suffix.text)
        for n in range(len(typed))
    ]
    assert sum(a != b for a, b in pairwise(ends)) <= 8


def test_a_window_called_firm_stays_when_one_more_character_is_typed():
    document, typed = source(120, 5), source(20, 6)[:400]
    firm = 0
    for count in range(len(typed)):
        window = prefix_window(document + typed[:count], 500, ENCODE, VOCABULARY)
        later = prefix_window(document + typed[: count + 1], 500, ENCODE, VOCABULARY)
        if window.firm:
            firm += 1
            assert later.text.startswith(window.text)
    assert firm > 200


def test_one_long_line_is_cut_at_a_character():
    text = ("x = '" + "世界" * 2000).encode()
    window = prefix_window(text, 120, ENCODE, VOCABULARY)
    assert 0 < window.tokens <= 120
    window.text.decode()


def test_a_short_suffix_leaves_its_share_to_the_prefix():
    text, short = source(100), b"\n"
    alone = choose_windows(text, b"", 400, 0.5, ENCODE, VOCABULARY)
    beside = choose_windows(text, short, 400, 0.5, ENCODE, VOCABULARY)
    assert alone.prefix.tokens > 250
    assert beside.prefix.tokens > 250
    assert beside.suffix.text == short


def test_a_short_prefix_leaves_its_share_to_the_suffix():
    windows = choose_windows(b"x = 1\n", source(100), 400, 0.75, ENCODE, VOCABULARY)
    assert windows.suffix.tokens > 250


def test_both_long_share_as_asked():
    windows = choose_windows(source(200), source(200, 9), 800, 0.75, ENCODE, VOCABULARY)
    assert windows.prefix.tokens + windows.suffix.tokens <= 800
    assert windows.prefix.tokens > windows.suffix.tokens > 100


def block(index: int, body: bytes, relevance: float = 0.5) -> Block:
    return Block(index=index, path=f"{index}.py", relevance=relevance, body=body, text=body)


def test_relevance_decides_what_is_dropped_and_never_the_order():
    blocks = [block(0, source(3, 1), 0.1), block(1, source(3, 2), 0.9), block(2, source(3, 3), 0.5)]
    size = [len(ENCODE(b.text)) for b in blocks]
    choice = choose_blocks(blocks, size[1] + size[2], ENCODE)
    assert [b.index for b in choice.kept] == [1, 2]
    assert [(b.index, reason) for b, reason in choice.dropped] == [(0, "budget")]
    everything = choose_blocks(blocks, sum(size), ENCODE)
    assert [b.index for b in everything.kept] == [0, 1, 2]
    assert everything.tokens == sum(size)


def test_a_block_is_whole_or_absent():
    big = block(0, source(100))
    assert choose_blocks([big], 50, ENCODE).kept == ()


def test_what_the_model_sees_anyway_is_a_duplicate():
    body = source(3)
    inside = block(1, body[: body.index(b"\n")], 0.9)
    choice = choose_blocks([block(0, body, 0.5), inside], 1000, ENCODE)
    assert [b.index for b in choice.kept] == [0]
    assert choice.dropped[0][1] == "duplicate"
    assert choose_blocks([block(0, body)], 1000, ENCODE, [b"x\n" + body]).kept == ()
    assert choose_blocks([block(0, b" \n")], 1000, ENCODE).dropped[0][1] == "empty"
