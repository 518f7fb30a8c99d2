import json
import subprocess
import sys
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from completion.prompt import encoder as encoder_module
from completion.prompt.encoder import PIECE_CHARS, TextEncoder
from completion.prompt.templates import TEMPLATES
from tests.completion.families import BY_NAME, CASES, LINES, tokenizer_json
from tests.completion.unmapped import LOSING, WHY, unmapped_json

NAMES = list(BY_NAME)
SENTINELS = sorted(
    {name for template in TEMPLATES for name in (*template.stop_names, *template.sentinels)}
    | {name for case in CASES for name in (*case.special, *case.plain)}
    | {"<PRE>", " <SUF>", "<fim_prefix", "|fim_middle|>", "<|fim_<|fim_prefix|>prefix|>", "<0x41>"}
)
HARD = [
    "'s",
    "don't",
    "\r\n",
    "\n\n",
    "  ",
    "\t",
    "e\u0301",
    "é",
    "世界",
    "🙂",
    "▁",
    "\x00",
    "\u3000",
    "();\n",
]
BLANKS = ["", " ", "    ", "\t", "   \n", "\n\n"]
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(SENTINELS),
        st.sampled_from(HARD),
        st.sampled_from(LINES),
        st.text(max_size=8),
    ),
    max_size=12,
).map("".join)
BYTES = st.lists(
    st.one_of(st.binary(max_size=6), TEXTS.map(lambda t: t.encode("utf-8", "replace"))), max_size=4
).map(b"".join)


@cache
def encoder(name: str) -> TextEncoder:
    return TextEncoder.from_json(tokenizer_json(name))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(data=BYTES)
@example(data="é".encode()[:1])
@example(data="x\n🙂".encode()[:-1])
@example(data=b"\xff\xc0 a")
def test_any_bytes_round_trip_and_no_sentinel_comes_of_them(name, data):
    ids = encoder(name).encode(data)
    vocabulary = encoder(name).vocabulary
    assert vocabulary.bytes_of(ids) == data
    assert not vocabulary.special_ids.intersection(ids)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", ["", " ", "x", "\n", "<"])
def test_text_that_spells_a_sentinel_is_ordinary_text(name, before):
    vocabulary = encoder(name).vocabulary
    for sentinel in SENTINELS:
        text = (before + sentinel + "y").encode()
        ids = encoder(name).encode(text)
        assert not vocabulary.special_ids.intersection(ids), sentinel
        assert vocabulary.bytes_of(ids) == text


def test_a_sentinel_that_the_model_itself_would_produce_is_taken_apart():
    """Vocabularies with ``ignore_merges`` give a whole word its id, sentinel or not."""
    tree = json.loads(tokenizer_json("qwen"))
    tree["model"]["ignore_merges"] = True
    evil = "<|evil|>"
    token_id = tree["added_tokens"][-1]["id"] + 1
    tree["added_tokens"].append({**tree["added_tokens"][-1], "id": token_id, "content": evil})
    tree["model"]["vocab"][evil] = token_id
    tree["pre_tokenizer"] = tree["pre_tokenizer"]["pretokenizers"][-1]  # no split before BPE
    made = TextEncoder.from_json(json.dumps(tree))
    ids = made.encode(evil.encode())
    assert token_id not in ids
    assert made.vocabulary.bytes_of(ids) == evil.encode()


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_code_is_encoded_as_the_model_saw_it(name):
    """The reference is the untouched tokenizer, without what it puts before a text."""
    tokenizer = Tokenizer.from_str(tokenizer_json(name))
    code = "\n".join(LINES).replace("ö", "o") + "\n"  # DeepSeek's own tokenizer loses ö
    ids = tokenizer.encode(code, add_special_tokens=False).ids
    dummy = encoder(name).vocabulary.dummy_prefix
    assert encoder(name).encode(code.encode(), dummy_prefix=dummy) == ids
    if dummy:
        assert encoder(name).encode(code.encode()) != ids


@pytest.mark.parametrize("name", NAMES)
def test_indentation_tokens_of_the_model_are_used_under_their_own_ids(name):
    own = encoder(name)
    for text, token_id in own.vocabulary.text_tokens.items():
        if "▁" not in text:
            assert own.encode(b"x" + text.encode() + b"y").count(token_id) == 1


def test_unicode_is_not_normalised():
    decomposed = "e\u0301".encode()
    assert encoder("qwen").vocabulary.bytes_of(encoder("qwen").encode(decomposed)) == decomposed


@pytest.fixture(scope="module")
def short_pieces():
    """Pieces so short that a few lines make many of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_module, "PIECE_CHARS", 12)
        yield


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(
        st.tuples(st.sampled_from(BLANKS), st.sampled_from([*LINES, *HARD])), min_size=3, max_size=9
    ),
    end=st.sampled_from(["\n", ";\n", "\n\n", " \n", "();\n"]),
)
def test_pieces_have_the_tokens_that_the_whole_has(short_pieces, name, lines, end):
    text = end.join(blank + line for blank, line in lines)
    own = encoder(name)
    assert own.encode(text.encode()) == own._encode(text)


@pytest.mark.parametrize("name", NAMES)
def test_long_texts_are_encoded_in_pieces(name):
    own = encoder(name)
    assert len(own._split(("\n".join(LINES) + "\n") * 30)) > 5


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(text=TEXTS, more=st.one_of(st.sampled_from(HARD), st.text(min_size=1, max_size=3)))
def test_typing_leaves_the_stable_tokens_alone(name, text, more):
    own = encoder(name)
    data = ("x = 1\n" + text).encode("utf-8", "replace")
    stable = own.encode(data[: own.stable_bytes(data)])
    for grown in (data, data + more.encode("utf-8", "replace"), data + b"\n", data + b"\xe3"):
        assert own.encode(grown)[: len(stable)] == stable


def test_stability_does_not_trust_half_a_character():
    """The first byte of U+3000 may still become a blank, which may join the line end before it."""
    own = encoder("starcoder2")
    data = b"a = 1\nb = 2\n\xe3"
    assert own.stable_bytes(data) == len(b"a = 1\n")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "starcoder1"])
def test_indented_code_is_cut_too(name):
    """One class may fill a file. (``starcoder1`` has GPT-2's split and indentation tokens too.)"""
    code = b"class A:\n" + b"    x = 1\n        y = 2\n" * 100
    assert encoder(name).stable_bytes(code + b"    z") > len(code) - 4


def test_a_keystroke_encodes_one_piece_only():
    calls: list[int] = []
    known = encoder("qwen")

    def counted(text: str) -> list[int]:
        calls.append(len(text))
        return known._encode_text(text)

    own = TextEncoder(known.vocabulary, counted)
    text = ("\n".join(LINES) + "\n") * 100
    own.encode(text.encode())
    calls.clear()
    own.encode(text.encode() + b"r")
    assert sum(calls) < 3 * PIECE_CHARS


@pytest.mark.parametrize("name", NAMES)
def test_a_tokenizer_that_loses_nothing_is_mapped(name):
    assert encoder(name).unmapped == ""


@cache
def unmapped(name: str) -> TextEncoder:
    return TextEncoder.from_json(unmapped_json(name))


@pytest.mark.parametrize("name", list(WHY))
def test_what_cannot_be_mapped_to_bytes_says_why(name):
    assert unmapped(name).unmapped == WHY[name]


@pytest.mark.parametrize("name", list(WHY))
@settings(max_examples=60, deadline=None)
@given(data=BYTES)
@example(data=b"\xa9\xff")
@example(data="é\n世 <|fim_middle|> <unk>".encode())
def test_text_that_cannot_be_mapped_is_encoded_without_a_sentinel_all_the_same(name, data):
    ids = unmapped(name).encode(data)
    assert not unmapped(name).vocabulary.special_ids.intersection(ids)
    assert all(0 <= i < len(unmapped(name).vocabulary) for i in ids)


@pytest.mark.parametrize("name", [name for name in WHY if name not in LOSING])
def test_what_has_no_token_is_one_question_mark_and_the_rest_is_as_the_model_saw_it(name):
    own = unmapped(name)
    text = "    return self.items[0]  # caf\u00e9 \u4e16 one\n\treturn x"
    known = {char: own.vocabulary.bytes_of(own.encode(char.encode())) for char in set(text)}
    lost = {char for char, spelled in known.items() if spelled != char.encode()}
    assert lost
    assert all(known[char] == b"?" for char in lost)
    shown = "".join("?" if char in lost else char for char in text)
    assert own.vocabulary.bytes_of(own.encode(text.encode())).decode() == shown
    line = text[: text.index("  #")]
    tokenizer = Tokenizer.from_str(unmapped_json(name))
    direct = tokenizer.encode(line, add_special_tokens=False).ids
    assert own.encode(line.encode())[-6:] == direct[-6:]


@pytest.mark.parametrize("name", LOSING)
def test_a_tokenizer_that_loses_text_is_taken_at_its_word(name):
    tokenizer = Tokenizer.from_str(unmapped_json(name))
    for line in LINES:
        direct = tokenizer.encode(line, add_special_tokens=False).ids
        if unmapped(name).vocabulary.special_ids.isdisjoint(direct):
            assert unmapped(name).encode(line.encode()) == direct


def test_a_literal_piece_of_bytes_spoils_its_own_line_only():
    """Unigram finds the piece ``<0x0A>`` in a text that says so."""
    own = encoder("unigram")
    clean = "\n".join(LINES) + "\n"
    ids, alone = own.encode((clean + "<0x0A>\n").encode()), own.encode(clean.encode())
    assert own.vocabulary.bytes_of(ids) == (clean + "<0x0A>\n").encode()
    assert ids[: len(alone) - 1] == alone[:-1]


def test_prompt_modules_load_no_heavy_library():
    code = (
        "import sys, completion.prompt.builder\n"
        "heavy = {'torch', 'transformers', 'vllm', 'tokenizers'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
