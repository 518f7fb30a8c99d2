from __future__ import annotations

from typing import Any

from tests.training.objectives.pairs import IDS, pairs, spelled
from training.objectives import fim


def within(order: Any, *parts: str, limit: int) -> list[int]:
    """The ids, whose stretches name the very text that they stand for."""
    laid = order(*parts, pairs, IDS, limit=limit)
    assert laid is not None
    text = "".join(parts)
    covered: set[int] = set()
    for stretch in laid.stretches:
        ids = laid.ids[stretch.first : stretch.last]
        said = "".join(i.to_bytes(2, "big").lstrip(b"\0").decode() for i in ids)
        if stretch.anchored_end:
            assert text[: stretch.anchor].endswith(said)
        else:
            assert text[stretch.anchor :].startswith(said)
        covered |= set(range(stretch.first, stretch.last))
    framed = [i for i, token in enumerate(laid.ids) if token in range(1000, 1007)]
    assert sorted([*covered, *framed]) == list(range(len(laid.ids)))
    return laid.ids


def test_psm_encodes_its_three_parts_apart() -> None:
    ids = fim.psm("abc", "def", "ghi", pairs, IDS)
    assert spelled(ids) == "<P> ab c <S> gh i <M> de f <E>"


def test_spm_encodes_prefix_and_middle_as_one_string() -> None:
    ids = fim.spm("abc", "def", "ghi", pairs, IDS)
    assert spelled(ids) == "<P> <S> gh i <M> ab cd ef <E>"


def test_empty_middle_is_followed_by_the_end_at_once() -> None:
    assert spelled(fim.psm("ab", "", "cd", pairs, IDS)) == "<P> ab <S> cd <M> <E>"
    assert spelled(fim.spm("ab", "", "cd", pairs, IDS)) == "<P> <S> cd <M> ab <E>"


def test_what_fits_is_left_whole() -> None:
    whole = fim.psm("abc", "def", "ghi", pairs, IDS)
    assert within(fim.psm_within, "abc", "def", "ghi", limit=len(whole)) == whole
    whole = fim.spm("abc", "def", "ghi", pairs, IDS)
    assert within(fim.spm_within, "abc", "def", "ghi", limit=len(whole)) == whole


def test_prefix_loses_its_beginning_and_suffix_its_end() -> None:
    ids = within(fim.psm_within, "aabbccddeeff", "xx", "gghhiijjkkll", limit=12)
    assert spelled(ids) == "<P> aa bb cc dd ee ff <S> gg <M> xx <E>"
    ids = within(fim.psm_within, "aabbccddeeff", "xx", "gghhiijjkkll", limit=10)
    assert spelled(ids) == "<P> cc dd ee ff <S> gg <M> xx <E>"


def test_spm_keeps_the_middle_when_it_trims() -> None:
    ids = within(fim.spm_within, "aabbccddeeff", "xxyy", "gghhiijjkkll", limit=12)
    assert len(ids) == 12
    assert spelled(ids).endswith("ff xx yy <E>")
    assert " <M> " in spelled(ids)
    assert spelled(ids).startswith("<P> <S> gg")


def test_middle_that_leaves_no_room_is_refused() -> None:
    assert fim.psm_within("ab" * 9, "xy" * 9, "cd", pairs, IDS, limit=12) is None
    assert fim.spm_within("ab" * 9, "xy" * 9, "cd", pairs, IDS, limit=12) is None


def test_front_is_the_servers_snippet_format() -> None:
    ids = fim.front("demo", "d/a.py", [("d/b.py", "x=1")], pairs, IDS)
    assert [i for i in ids if i >= 1000 and i <= 1006] == [1005, 1006, 1006]
    first, second = ids.index(1006), len(ids) - 1 - ids[::-1].index(1006)
    assert ids[1:first] == pairs("demo\n")
    assert ids[first + 1 : second] == pairs("d/b.py\nx=1\n")
    assert ids[second + 1 :] == pairs("d/a.py\n")


def test_split_at_puts_the_window_together_again() -> None:
    text = "0123456789"
    assert fim.split_at(text, (2, 9), (4, 6)) == ("23", "45", "678")
