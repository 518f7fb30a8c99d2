from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from completion.errors import UsageError
from tests.training.tiny import TRAIN, VOCABULARY
from training.tokenizer import (
    END,
    FIM_PAD,
    SENTINELS,
    load_text_encoder,
    load_tokenizer,
    sentinels_of,
    token_bytes,
    train_tokenizer,
)


def pieces(encoder: Tokenizer, text: str) -> list[bytes]:
    table = token_bytes(encoder)
    return [table[i] for i in encoder.encode(text).ids]


def test_sentinels_take_the_first_ids_in_qwens_names(encoder: Tokenizer) -> None:
    assert [encoder.id_to_token(i) for i in range(len(SENTINELS))] == list(SENTINELS)
    assert encoder.get_vocab_size() == VOCABULARY


@pytest.mark.parametrize("sentinel", SENTINELS)
def test_sentinels_name_in_a_file_never_becomes_its_id(encoder: Tokenizer, sentinel: str) -> None:
    text = f"x = '{sentinel}'  # {sentinel}\n"
    ids = encoder.encode(text).ids
    assert not set(ids) & set(range(len(SENTINELS)))
    assert encoder.decode(ids, skip_special_tokens=False) == text


def test_every_byte_is_in_the_vocabulary(encoder: Tokenizer) -> None:
    table = token_bytes(encoder)
    assert {bytes([b]) for b in range(256)} <= set(table)
    assert len(set(table[len(SENTINELS) :])) == VOCABULARY - len(SENTINELS)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_text_survives_the_round_trip(text: str) -> None:
    encoder = _encoder()
    ids = encoder.encode(text).ids
    table = token_bytes(encoder)
    assert b"".join(table[i] for i in ids) == text.encode()
    assert encoder.decode(ids, skip_special_tokens=False) == text


@given(st.text(alphabet="\r\n\t ax_1.(é\u2028\x0b"))
def test_no_token_spans_a_line_end(text: str) -> None:
    for piece in pieces(_encoder(), text):
        assert piece in {b"\n", b"\r", b"\r\n"} or not set(piece) & set(b"\r\n")


def test_digits_are_single_and_indentation_is_a_run(encoder: Tokenizer) -> None:
    assert pieces(encoder, "1234") == [b"1", b"2", b"3", b"4"]
    assert pieces(encoder, "\n        total")[:2] == [b"\n", b"       "]
    assert pieces(encoder, "\n\n    ")[:2] == [b"\n", b"\n"]


def test_transformers_loads_the_folder_without_remote_code(tokenizer_folder: Path) -> None:
    loaded = AutoTokenizer.from_pretrained(str(tokenizer_folder))
    assert (loaded.eos_token, loaded.bos_token, loaded.pad_token) == (END, END, FIM_PAD)
    text = TRAIN[0].text
    ids = loaded(text, add_special_tokens=False)["input_ids"]
    assert ids == load_text_encoder(tokenizer_folder).encode(text).ids
    assert loaded.decode(ids) == text
    assert loaded("<|fim_middle|>", add_special_tokens=False)["input_ids"] == [
        sentinels_of(load_tokenizer(tokenizer_folder)).fim_middle
    ]


def test_vocabulary_without_room_for_all_bytes_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="--vocabulary 100"):
        train_tokenizer(["x"], 100)


def test_missing_tokenizer_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no tokenizer\.json"):
        load_tokenizer(tmp_path)


_CACHE: list[Tokenizer] = []


def _encoder() -> Tokenizer:
    if not _CACHE:
        tokenizer = train_tokenizer([d.text for d in TRAIN], VOCABULARY)
        tokenizer.encode_special_tokens = True
        _CACHE.append(tokenizer)
    return _CACHE[0]
