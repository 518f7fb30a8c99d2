import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from completion.errors import CaretError
from completion.healing.vocabulary import NEVER_IN_UTF8, Vocabulary, byte_alphabet
from tests.completion.families import BY_NAME, CASES, LINES, tokenizer_json
from tests.completion.unmapped import WHY, unmapped_json

BYTE_LEVEL = [case.name for case in CASES if case.split in ("gpt2", "qwen", "deepseek")]
SENTENCEPIECE = [case.name for case in CASES if case.name not in BYTE_LEVEL]
LOSSY = (
    "▁" + "õ÷ÁýÀÿøúþüùöû"
)  # SentencePiece's space, DeepSeek's bytes: their own tokenizers lose these
CODE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=LOSSY), max_size=40)


def vocabulary(name: str) -> Vocabulary:
    return Vocabulary.from_json(tokenizer_json(name))


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_byte_has_a_token_of_exactly_that_byte(name):
    known = vocabulary(name)
    for byte in range(256):
        assert known.token_bytes[known.byte_ids[byte]] == bytes([byte])
        assert not known.is_special(known.byte_ids[byte])


@pytest.mark.parametrize("name", BYTE_LEVEL)
@settings(max_examples=60, deadline=None)
@given(text=CODE)
def test_byte_level_tokens_spell_the_text(name, text):
    ids = Tokenizer.from_str(_without_normalizer(name)).encode(text, add_special_tokens=False).ids
    known = vocabulary(name)
    if not any(known.is_special(i) for i in ids):
        assert known.bytes_of(ids) == text.encode()


@pytest.mark.parametrize("name", SENTENCEPIECE)
@settings(max_examples=60, deadline=None)
@given(text=CODE)
def test_sentencepiece_tokens_spell_the_text_after_the_space_they_put_before_it(name, text):
    known = vocabulary(name)
    tokenizer = Tokenizer.from_str(tokenizer_json(name))
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    if any(known.is_special(i) for i in ids):
        return
    spelled = known.bytes_of(ids)
    assert spelled in (text.encode(), b" " + text.encode())
    if known.dummy_prefix and text and not text[0].isspace():
        assert spelled.startswith(b" ")


def test_only_llama_like_tokenizers_put_a_space_first():
    found = {case.name: vocabulary(case.name).dummy_prefix for case in CASES}
    assert {name for name, dummy in found.items() if dummy} == {"codellama", "codestral"}


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_sentinel_is_special_even_where_the_tokenizer_says_it_is_not(name):
    known = vocabulary(name)
    case = BY_NAME[name]
    text_like = set(known.text_tokens)
    for token in (*case.special, *case.plain):
        if token in text_like or (name == "deepseek" and len(token) == 1):
            continue
        assert known.is_special(known.special[token]), token
        assert known.token_bytes[known.special[token]] == b""


def test_indentation_and_html_tokens_are_text():
    star, gemma = vocabulary("starcoder1"), vocabulary("codegemma")
    assert star.token_bytes[star.text_tokens["    "]] == b"    "
    assert gemma.token_bytes[gemma.text_tokens["▁▁"]] == b"  "
    assert gemma.token_bytes[gemma.text_tokens["\n\n"]] == b"\n\n"
    assert gemma.token_bytes[gemma.text_tokens["<table>"]] == b"<table>"
    assert "<unused0>" in gemma.special


def test_deepseek_added_tokens_that_stand_for_bytes_are_bytes_not_letters():
    known = vocabulary("deepseek")
    token_id = Tokenizer.from_str(tokenizer_json("deepseek")).token_to_id("õ")
    assert known.byte_ids[0xF5] == token_id
    assert known.token_bytes[token_id] == b"\xf5"


def test_ids_past_the_end_stand_for_nothing():
    known = vocabulary("qwen")
    assert known.is_special(len(known))
    assert known.bytes_of([len(known) + 5, -1]) == b""


def test_a_byte_without_a_token_is_missing_unless_no_text_can_hold_it():
    tree = json.loads(tokenizer_json("qwen"))
    alphabet = byte_alphabet()
    kept = dict(tree["model"]["vocab"])
    for byte in NEVER_IN_UTF8:
        kept.pop(alphabet[byte])
    tree["model"]["vocab"] = kept
    known = Vocabulary.from_json(json.dumps(tree))
    assert (known.byte_ids[0xFF], known.missing_byte) == (-1, None)
    kept.pop(alphabet[0x80])
    assert Vocabulary.from_json(json.dumps(tree)).missing_byte == 0x80


@pytest.mark.parametrize("name", list(WHY))
def test_pieces_that_cannot_be_mapped_are_spelled_as_their_own_decoder_does(name):
    known = Vocabulary.from_json(unmapped_json(name))
    tokenizer = Tokenizer.from_str(unmapped_json(name))
    for line in LINES:
        ids = tokenizer.encode(line.strip(), add_special_tokens=False).ids
        if known.special_ids.isdisjoint(ids):
            spelled = known.bytes_of(ids).decode("utf-8", "replace")
            assert spelled.split() == tokenizer.decode(ids).split()


def test_a_piece_that_is_there_twice_has_its_bytes_twice():
    tree = json.loads(tokenizer_json("unigram"))
    pieces = tree["model"]["vocab"]
    ids = [next(i for i, (piece, _) in enumerate(pieces) if piece == "self"), len(pieces) - 1]
    pieces[-1] = ["self", -20.0]
    table = Vocabulary.from_json(json.dumps(tree)).token_bytes
    assert [table[i] for i in ids] == [b"self", b"self"]


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"model": {"type": "Unigram", "vocab": []}}',
        '{"model": {"type": "Unigram", "vocab": {"a": 1}}}',
        '{"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 7}}',
        '{"model": {"type": "Unigram", "vocab": [["a"]]}}',
        '{"model": {"type": "BPE", "vocab": {"a": "x"}, "merges": []}}',
        '{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}',
        '{"model": {"type": "BPE", "vocab": {"a": 99999999999}, "merges": []}}',
        '{"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": [{"id": 1}]}',
        '{"model": {"type": "Tree", "vocab": {"a": 0}}}',
    ],
)
def test_what_is_no_known_tokenizer_is_one_line(broken):
    with pytest.raises(CaretError) as caught:
        Vocabulary.from_json(broken)
    assert "\n" not in caught.value.message


def _without_normalizer(name: str) -> str:
    return json.dumps({**json.loads(tokenizer_json(name)), "normalizer": None})
