from __future__ import annotations

import ast
import random
from collections.abc import Sequence

import pytest
from tokenizers import AddedToken, Tokenizer

from tests.training.objectives.pairs import IDS
from training.objectives.masked_identifiers import (
    MOST,
    MaskedText,
    choose,
    lay_masked,
    maskable,
    spellings,
)
from training.objectives.names import names_of
from training.objectives.places import Places, Span
from training.tokenizer import SENTINELS

CODE = """from shapes import Circle
def area(total, name=None):
    # the name of it
    self.total = total
    for value in range(total):
        print(value, area(total=value), "a unit")
    unit = 1
    return Circle(x)
"""
SPELLED = [[0x80 + 3 * n, 0x81 + 3 * n, 0x82 + 3 * n] for n in range(MOST)]
"""Three ids a sentinel, none of them a letter's."""


def letters(text: str) -> list[int]:
    return [ord(c) for c in text]


def read(ids: Sequence[int]) -> str:
    """Letters and sentinels, as a person would write the example down."""
    out, at = "", 0
    while at < len(ids):
        if ids[at : at + 3] in SPELLED:
            out, at = f"{out}<{SPELLED.index(list(ids[at : at + 3]))}>", at + 3
        else:
            special = {IDS.fim_middle: "|", IDS.end: "$"}
            out, at = out + (special.get(ids[at]) or chr(ids[at])), at + 1
    return out


WHOLE = (0, len(CODE))


def found_in(window: Span = WHOLE, code: str = CODE) -> dict[str, list[Span]]:
    return maskable(code, window, names_of(Places(code), ast.parse(code)))


def laid(names: list[str]) -> MaskedText:
    found = found_in()
    chosen = {name: found[name] for name in names}
    masked = lay_masked(CODE, WHOLE, chosen, letters, SPELLED, IDS, limit=1000)
    assert masked
    return masked


def test_example_is_the_text_with_sentinels_and_the_list_of_names() -> None:
    masked = laid(["area", "total", "value"])
    assert read(masked.ids) == (
        "from shapes import Circle\n"
        "def <0>(<1>, name=None):\n"
        "    # the name of it\n"
        "    self.<1> = <1>\n"
        "    for <2> in range(<1>):\n"
        '        print(<2>, <0>(<1>=<2>), "a unit")\n'
        "    unit = 1\n"
        "    return Circle(x)\n"
        "|<0>area<1>total<2>value$"
    )


def test_loss_is_on_names_and_on_what_ends_them() -> None:
    """By hand, of the list alone: nothing of <0>, all of a name, the first id of the next mark."""
    masked = laid(["area", "total"])
    start = masked.ids.index(IDS.fim_middle) + 1
    assert not any(masked.trained[:start])
    yes, no = True, False
    assert masked.trained[start:] == [
        no, no, no, *[yes] * len("area"), yes, no, no, *[yes] * len("total"), yes,
    ]  # fmt: skip
    assert len(masked.trained) == len(masked.ids)


def test_names_that_can_be_asked_for_are_bound_here_and_told_nowhere() -> None:
    """Not self, range or print; not x, which is bound elsewhere; not name, which a comment tells,
    nor unit, which a string does."""
    assert set(found_in()) == {"Circle", "area", "total", "value"}
    assert [CODE[a:b] for a, b in found_in()["total"]] == ["total"] * 5


def test_name_is_asked_for_only_where_its_binding_is_in_sight() -> None:
    start = CODE.index("    for")
    assert set(found_in((start, len(CODE)))) == {"value"}
    assert set(found_in((0, start))) == {"Circle", "area", "total"}


@pytest.mark.parametrize(
    "code", ["def __len__(cls):\n    return _\n", "x = '<id_0>'\nyes = x\n", "list = 1\nx = list\n"]
)
def test_given_names_and_text_with_marks_are_left_alone(code: str) -> None:
    assert found_in((0, len(code)), code) == {}


def test_example_beyond_the_limit_is_none() -> None:
    found, size = found_in(), len(laid(["area"]).ids)
    chosen = {"area": found["area"]}
    for limit, fits in ((size, True), (size - 1, False)):
        made = lay_masked(CODE, WHOLE, chosen, letters, SPELLED, IDS, limit=limit)
        assert (made is not None) == fits


def test_stretches_are_the_text_between_the_sentinels() -> None:
    masked = laid(["area", "value"])
    covered = [read(masked.ids[s.first : s.last]) for s in masked.stretches]
    for text, s in zip(covered, masked.stretches, strict=True):
        assert CODE[s.anchor : s.anchor + len(text)] == text
    assert covered[0].endswith("def ")
    assert covered[1].startswith("(total")


def test_choice_is_of_one_to_most_names_in_order_of_their_first_place() -> None:
    found = {f"name{n:02}": [(100 - n, 101 - n)] for n in range(20)}
    sizes: set[int] = set()
    for seed in range(200):
        chosen = choose(found, random.Random(seed))
        sizes.add(len(chosen))
        assert list(chosen) == sorted(chosen, reverse=True)
        assert chosen == choose(found, random.Random(seed))
    assert sizes == set(range(1, MOST + 1))
    assert choose({"only": [(1, 5)]}, random.Random(1)) == {"only": [(1, 5)]}


def test_sentinel_is_letters_unless_the_tokenizer_has_one(encoder: Tokenizer) -> None:
    spelled = spellings(encoder)
    assert len(spelled) == MOST
    assert all(encoder.decode(ids) == f"<id_{n}>" for n, ids in enumerate(spelled))
    assert all(min(ids) >= len(SENTINELS) for ids in spelled)
    richer = Tokenizer.from_str(encoder.to_str())
    richer.add_special_tokens([AddedToken("<id_0>", special=True)])
    richer.encode_special_tokens = True
    assert spellings(richer)[0] == [encoder.get_vocab_size()]
    assert spellings(richer)[1:] == spelled[1:]
