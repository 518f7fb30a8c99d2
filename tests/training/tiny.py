"""Ordinary code for a corpus of a few kilobytes."""

from __future__ import annotations

from training.corpus.shards import Document

VOCABULARY = 400


def source(name: str, functions: int = 12) -> str:
    """Ordinary code, a little different for each name."""
    lines = [f'"""Module {name}."""', "", "import os", "from typing import Any", ""]
    for i in range(functions):
        lines += [
            "",
            f"def {name}_{i}(values: list[int], limit: int = {i}) -> int:",
            f'    """Add the values of {name} up to limit {i}."""',
            "    total = 0",
            "    for value in values:",
            f"        if value > limit and os.environ.get('{name.upper()}') is None:",
            f"            total += compute(value, {i}, name='{name}')",
            "    return total",
            "",
        ]
    return "\n".join(lines) + "\n"


def documents(package: str, names: list[str]) -> list[Document]:
    return [Document(package, f"{package}/{name}.py", source(name)) for name in names]


TRAIN = documents("alpha", ["apple", "ant", "arrow", "anchor"]) + documents(
    "beta", ["bear", "boat", "bread", "bridge"]
)
HELD = documents("gamma", ["goat", "glass"])
