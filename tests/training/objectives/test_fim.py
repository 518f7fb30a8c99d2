from __future__ import annotations

from training.objectives import fim
from training.tokenizer import Sentinels

IDS = Sentinels(
    end=1000, fim_prefix=1001, fim_suffix=1002, fim_middle=1003, fim_pad=1004, repo_name=1005,
    file_sep=1006,
)  # fmt: skip


def pairs(text: str) -> list[int]:
    """Two letters a token, so that the place of a cut shows: ``ab`` is 97 * 256 + 98."""
    return [int.from_bytes(text[i : i + 2].encode(), "big") for i in range(0, len(text), 2)]


def spelled(ids: list[int]) -> str:
    names = {1000: "<E>", 1001: "<P>", 1002: "<S>", 1003: "<M>", 1005: "<R>", 1006: "<F>"}
    text = (i.to_bytes(2, "big").lstrip(b"\0").decode() for i in ids if i not in names)
    return " ".join(names.get(i) or next(text) for i in ids)


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
    assert fim.psm_within("abc", "def", "ghi", pairs, IDS, limit=len(whole)) == whole
    whole = fim.spm("abc", "def", "ghi", pairs, IDS)
    assert fim.spm_within("abc", "def", "ghi", pairs, IDS, limit=len(whole)) == whole


def test_prefix_loses_its_beginning_and_suffix_its_end() -> None:
    ids = fim.psm_within("aabbccddeeff", "xx", "gghhiijjkkll", pairs, IDS, limit=12)
    assert ids is not None
    assert spelled(ids) == "<P> aa bb cc dd ee ff <S> gg <M> xx <E>"
    ids = fim.psm_within("aabbccddeeff", "xx", "gghhiijjkkll", pairs, IDS, limit=10)
    assert ids is not None
    assert spelled(ids) == "<P> cc dd ee ff <S> gg <M> xx <E>"


def test_spm_keeps_the_middle_when_it_trims() -> None:
    ids = fim.spm_within("aabbccddeeff", "xxyy", "gghhiijjkkll", pairs, IDS, limit=12)
    assert ids is not None
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
