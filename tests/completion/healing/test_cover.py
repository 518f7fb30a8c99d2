"""Covers under real kinds of tokenizers: what is settled, and which contexts there are."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.engine.locate import locate
from completion.healing.cover import MOST_BYTES, Covers
from completion.healing.sorted_vocabulary import SortedVocabulary
from completion.prompt.encoder import TextEncoder
from tests.completion.families import tokenizer_json

TOKENIZERS = [
    "bundled",
    "starcoder2",
    "qwen",
    "deepseek",
    "codellama",
    "codestral",
    "codegemma",
    "unigram",
]
"""GPT-2's split, Qwen's, DeepSeek's; SentencePiece without and with blanks as tokens."""
PIECES = [
    " ", "  ", "    ", "\t", "\n", "\n\n", ":\n", "):", "();", "x", "ret", "return", "self", "_", "1",
    "25", "'", "don't", "'s", '"', '"""', "é", "naïve", "世", "世界", "🙂", "(", "[0]", ".", ", ", " = ",
    "#", "-----", "Wörter", "\r", "→", "=", "A", "HTTP",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join)


@cache
def _tokenizer(name):
    if name == "bundled":
        encoder = TextEncoder.from_json((locate("bundled") / "tokenizer.json").read_text("utf-8"))
    else:
        encoder = TextEncoder.from_json(tokenizer_json(name))
    table = encoder.vocabulary.token_bytes
    return encoder, Covers(SortedVocabulary(table), table, encoder.encode)


def _split(encoder, covers, text):
    size = covers.back_off(text)
    return text[: len(text) - size], text[len(text) - size :]


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=60, deadline=None)
@given(texts, texts, st.data())
def test_no_continuation_changes_the_tokens_before_what_is_covered(name, text, more, data):
    encoder, covers = _tokenizer(name)
    whole = (text + more).encode()
    cut = data.draw(st.integers(0, len(whole)))
    settled, typed = _split(encoder, covers, whole[:cut])
    if len(typed) == MOST_BYTES:
        return  # backing off further is not tried
    ids = encoder.encode(whole)
    boundaries = {0}
    for token in ids:
        boundaries.add(max(boundaries) + len(encoder.vocabulary.token_bytes[token]))
    assert len(settled) in boundaries


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=60, deadline=None)
@given(texts, texts, st.data())
def test_every_canonical_encoding_of_a_continuation_is_in_the_cover(name, text, more, data):
    encoder, covers = _tokenizer(name)
    whole = (text + more).encode()
    cut = data.draw(st.integers(0, len(whole)))
    settled, typed = _split(encoder, covers, whole[:cut])
    at, context = 0, []
    for token in encoder.encode(whole):
        size = len(encoder.vocabulary.token_bytes[token])
        if at >= len(settled):
            if at + size >= cut:
                break
            context.append(token)
        at += size
    if typed and len(typed) < MOST_BYTES:
        assert tuple(context) in set(covers.contexts(typed))


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=40, deadline=None)
@given(texts, st.booleans())
def test_contexts_spell_what_was_typed_and_come_after_their_parents(name, text, exact):
    encoder, covers = _tokenizer(name)
    typed = text.encode()[:24]
    contexts = covers.contexts(typed, exact=exact)
    assert contexts[0] == ()
    assert len(set(contexts)) == len(contexts)
    seen = set()
    for ids in contexts:
        spelled = encoder.vocabulary.bytes_of(ids)
        assert typed.startswith(spelled)
        assert exact or len(spelled) < len(typed)
        assert not ids or ids[:-1] in seen
        seen.add(ids)


def test_a_space_that_may_open_a_word_is_covered_one_place_back():
    encoder, covers = _tokenizer("bundled")
    spelled = [encoder.vocabulary.bytes_of(ids) for ids in covers.contexts(b"    ")]
    assert b"   " in spelled  # three blanks, and the fourth goes with the word to come


def test_a_kilobyte_of_spaces_is_backed_off_within_the_limit():
    _, covers = _tokenizer("bundled")
    assert 0 < covers.back_off(b"x\n" + b" " * 1024) <= MOST_BYTES
    assert len(covers.contexts(b" " * MOST_BYTES)) <= 130


@pytest.mark.parametrize("text", [b"", b"a", b"\xf0\x9f", b"\x80", b"x = '\xe4\xb8", b"\xff\xfe"])
def test_odd_ends_of_text_have_a_cover(text):
    _, covers = _tokenizer("bundled")
    size = covers.back_off(text)
    assert 0 <= size <= len(text)
    assert covers.contexts(text[len(text) - size :])[0] == ()


def test_text_that_spells_a_sentinel_is_text():
    encoder, covers = _tokenizer("bundled")
    text = b"x = '<|fim_middle|>"
    settled, typed = _split(encoder, covers, text)
    assert settled + typed == text
    special = encoder.vocabulary.special_ids
    assert all(special.isdisjoint(ids) for ids in covers.contexts(typed, exact=True))


def test_real_files_cut_anywhere_need_few_contexts():
    encoder, covers = _tokenizer("bundled")
    source = (locate("bundled").parents[1] / "server" / "service.py").read_bytes()
    rng, counts = random.Random(0), []
    for _ in range(200):
        _, typed = _split(encoder, covers, source[: rng.randrange(200, len(source))])
        counts.append(len(covers.contexts(typed)))
    assert sum(counts) / len(counts) < 4
    assert sorted(counts)[196] <= 12


def test_doubled_byte_strings_are_all_in_the_cover():
    vocabulary = SortedVocabulary([b"a", b"b", b"ab", b"ab"])
    covers = Covers(vocabulary, (b"a", b"b", b"ab", b"ab"), lambda data: [2] * (len(data) // 2))
    low, high = vocabulary.starting_with(b"a")
    assert sorted(vocabulary.ids[low:high]) == [0, 2, 3]
    assert covers.contexts(b"a")[0] == ()
