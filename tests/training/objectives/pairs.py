"""A tokenizer of two letters a token, in which the place of a cut shows."""

from __future__ import annotations

from collections.abc import Sequence

from training.tokenizer import Sentinels

IDS = Sentinels(
    end=1000, fim_prefix=1001, fim_suffix=1002, fim_middle=1003, fim_pad=1004, repo_name=1005,
    file_sep=1006,
)  # fmt: skip


def pairs(text: str) -> list[int]:
    """``ab`` is 97 * 256 + 98."""
    return [int.from_bytes(text[i : i + 2].encode(), "big") for i in range(0, len(text), 2)]


def spelled(ids: list[int]) -> str:
    names = {1000: "<E>", 1001: "<P>", 1002: "<S>", 1003: "<M>", 1005: "<R>", 1006: "<F>"}
    text = (i.to_bytes(2, "big").lstrip(b"\0").decode() for i in ids if i not in names)
    return " ".join(names.get(i) or next(text) for i in ids)


class _Sizes(Sequence[int]):
    """Bytes of every id, without a table of all of them."""

    def __len__(self) -> int:
        return 1 << 16

    def __getitem__(self, index: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return 0 if 1000 <= index <= 1006 else 2 if index > 255 else 1


SIZES = _Sizes()
