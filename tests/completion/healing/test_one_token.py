"""The unfinished word under a mask."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.healing.one_token import LONGEST, Speller, typed_word
from completion.healing.vocabulary import Vocabulary, byte_alphabet

PIECES = ["Ġr", "re", "Ġre", "Ġret", "Ġreturn", "Ġretry", "ret", "urn", "return", "Ã©"]


def _vocabulary():
    vocab = {char: i for i, char in enumerate(byte_alphabet())}
    vocab |= {piece: 256 + i for i, piece in enumerate(PIECES)}
    tree = {
        "added_tokens": [{"id": 300, "content": "<|endoftext|>", "special": True}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        "model": {"type": "BPE", "vocab": vocab, "merges": []},
    }
    return Vocabulary.from_json(json.dumps(tree))


vocabulary = _vocabulary()


@pytest.mark.parametrize(
    ("prefix", "word"),
    [
        (b"", b""),
        (b"ret", b"ret"),
        (b"    ret", b" ret"),
        (b"\tret", b"ret"),
        (b"foo(ba", b"ba"),
        (b"foo.ba", b"ba"),
        (b"x = ", b" "),
        (b"x\n        ", b" "),
        (b"x\n\t", b""),
        (b"x\n", b""),
        (b"foo(", b""),
        (b"# caf\xc3", b" caf\xc3"),
        (b"a" * (LONGEST + 1), b""),
        (b"x" * 100 + b" " + b"a" * (LONGEST - 1), b" " + b"a" * (LONGEST - 1)),
    ],
)
def test_the_word_at_the_cursor_goes_with_its_space(prefix, word):
    assert typed_word(prefix) == word


@given(st.binary(min_size=1, max_size=8) | st.sampled_from([b" ret", b"ret", b" r", b"\xc3"]))
def test_allowed_is_every_token_that_agrees_with_what_was_typed(typed):
    expected = {
        i
        for i, text in enumerate(vocabulary.token_bytes)
        if text and (text.startswith(typed) or typed.startswith(text))
    }
    found = Speller(vocabulary).allowed(typed)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_a_special_token_is_never_allowed():
    assert 300 not in Speller(vocabulary).allowed(b"<")
