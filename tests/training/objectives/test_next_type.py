from __future__ import annotations

import itertools
import math

import pytest
import torch
from tokenizers import Tokenizer

from completion.syntax.languages import language_for
from completion.syntax.token_types import TYPE_IDS, TYPES
from tests.training.tiny import TRAIN
from training.objectives.byte_types import byte_types
from training.objectives.names import names_of
from training.objectives.next_type import IDENTIFIERS, MASKED, DocumentTypes, TokenTyper, TypeHead
from training.objectives.places import Places, parse_module
from training.tokenizer import token_bytes

PYTHON = language_for("python", "")


def document(text: str) -> DocumentTypes:
    tree = parse_module(text)
    names = names_of(Places(text), tree).found if tree else ()
    return DocumentTypes(text, byte_types(text, PYTHON, names))


def typed(text: str, *tokens: str) -> list[tuple[str, str]]:
    """The types of a text cut into ``tokens``, whatever a tokenizer would do."""
    assert "".join(tokens) == text
    spelled = [token.encode() for token in tokens]
    typer = TokenTyper(spelled)
    ids = list(range(len(tokens)))
    types = typer.behind(document(text), 0, ids)
    assert typer.before(document(text), len(text), ids) == types
    return [(token, TYPES[kind]) for token, kind in zip(tokens, types, strict=True)]


def test_token_has_the_type_under_its_first_byte_that_is_no_blank() -> None:
    tokens = ("def", " gr", "ow", "(", "by", "):", "\n", "   ", " return", " by", "+", "1", "\n")
    assert typed("".join(tokens), *tokens) == [
        ("def", "KEYWORD"), (" gr", "FUNCTION"), ("ow", "FUNCTION"), ("(", "("),
        ("by", "PARAMETER"), ("):", ")"), ("\n", "INDENT"), ("   ", "NONE"),
        (" return", "KEYWORD"), (" by", "PARAMETER"), ("+", "+"), ("1", "NUMBER"), ("\n", "EOL"),
    ]  # fmt: skip


def test_indent_and_dedent_ride_on_the_line_end_right_before() -> None:
    tokens = ("if", " x", ":", "\n", "\n", " ", " y", "\r\n", "# c", "\n", "z", "\n")
    assert [kind for _, kind in typed("".join(tokens), *tokens)] == [
        "KEYWORD", "VARIABLE", ":", "EOL", "INDENT", "NONE", "VARIABLE", "EOL", "COMMENT", "DEDENT",
        "VARIABLE", "EOL",
    ]  # fmt: skip


def test_blanks_and_line_ends_of_a_string_are_its_own() -> None:
    tokens = ('"""', "a", "\n", "  ", "b", '"""', " ", "#", " c", "\n")
    kinds = [kind for _, kind in typed("".join(tokens), *tokens)]
    assert kinds == [*["STRING"] * 6, "NONE", "COMMENT", "COMMENT", "EOL"]


def test_token_that_ends_inside_a_character_keeps_places_right() -> None:
    text = "größe = é.ñ\n"
    raw = text.encode()
    cuts = [0, 3, 4, 7, 9, 11, 12, 13, 15, 16]
    spelled = [raw[a:b] for a, b in itertools.pairwise(cuts)]
    typer = TokenTyper(spelled)
    types = [TYPES[t] for t in typer.behind(document(text), 0, list(range(len(spelled))))]
    assert b"".join(spelled) == raw
    assert types == [
        "VARIABLE", "VARIABLE", "VARIABLE", "=", "VARIABLE", "VARIABLE", ".", "ATTRIBUTE", "EOL",
    ]  # fmt: skip


def test_code_that_does_not_parse_has_plain_names() -> None:
    tokens = ("def", " f", "(:", "\n", "x", " =", " 'a", "\n")
    assert [kind for _, kind in typed("".join(tokens), *tokens)] == [
        "KEYWORD", "NAME", "(", "EOL", "NAME", "=", "STRING", "EOL",
    ]  # fmt: skip


def test_a_piece_from_either_side_has_the_types_of_the_whole(encoder: Tokenizer) -> None:
    text = TRAIN[0].text
    typer, types = TokenTyper(token_bytes(encoder)), document(text)
    whole = encoder.encode(text).ids
    expected = typer.behind(types, 0, whole)
    assert typer.before(types, len(text), whole[5:]) == expected[5:]
    assert typer.behind(types, 0, whole[:-5]) == expected[:-5]
    for cut in (7, 101, 350):
        ids = encoder.encode(text[cut : cut + 90]).ids
        assert typer.behind(types, cut, ids) == typer.before(types, cut + 90, ids)
    assert typer.before(types, 10, []) == []


def test_classes_tag_identifiers_and_nothing_else() -> None:
    """CodeT5's tags by hand; a keyword argument and an attribute are identifiers, True is none."""
    tokens = (
        "import", " os", "\n", "def", " f", "(", "a", "):", "\n", "    ", "return", " f", "(", "a",
        "=", "True", ",", " 'a'", ",", " os", ".", "sep", ",", " 1", ")", "  ", "# a", "\n",
    )  # fmt: skip
    tagged = [t for t, kind in typed("".join(tokens), *tokens) if TYPE_IDS[kind] in IDENTIFIERS]
    assert tagged == [" os", " f", "a", " f", "a", " os", "sep"]
    broken = ("def", " f", "(:", "\n", "x", " =", " 1", "\n")
    tagged = [t for t, kind in typed("".join(broken), *broken) if TYPE_IDS[kind] in IDENTIFIERS]
    assert tagged == [" f", "x"]


def test_loss_is_the_cross_entropy_of_what_is_labelled() -> None:
    head = TypeHead(3)
    hidden, labels = torch.randn(1, 3, 3), torch.tensor([[5, MASKED, 9]])
    assert head.loss(hidden, labels).item() == pytest.approx(2 * math.log(len(TYPES)), rel=1e-6)
    assert head.count(labels) == 2
    with torch.no_grad():
        head.weight[TYPE_IDS["EOL"]] = torch.tensor([4.0, 0.0, 0.0])
    sure = head.loss(torch.tensor([[[1.0, 0, 0]]]), torch.tensor([[TYPE_IDS["EOL"]]]))
    rest = len(TYPES) - 1
    assert sure.item() == pytest.approx(math.log(math.exp(4) + rest) - 4, rel=1e-6)
