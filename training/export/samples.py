"""What a model says at a few cursors, greedily: for its card, shown as it is.

Lives here: the cursors and a plain decoding loop without healing, filters or stop rules, so that
the card shows the model and not the server.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from training.model import Decoder
from training.tokenizer import Sentinels


@dataclass(frozen=True, slots=True)
class Cursor:
    """Text before and behind a cursor, and what most would expect there."""

    prefix: str
    suffix: str
    expected: str


CURSORS = (
    Cursor("import os\nimport sys\n\nimport numpy as", "\n", " np"),
    Cursor(
        "class Person:\n    def __init__(self, name, age):\n        self.name = ",
        "\n        self.age = age\n",
        "name",
    ),
    Cursor(
        "def total(items):\n    result = 0\n    for i in range(",
        "):\n        result += items[i]\n    return result\n",
        "len(items)",
    ),
    Cursor("def add(a, b):\n    return ", "\n", "a + b"),
    Cursor('if __name__ == "', "\n    main()\n", '__main__":'),
    Cursor(
        "import os\n\n\ndef read(path):\n    with open(path) as f:\n        ",
        "\n",
        "return f.read()",
    ),
    Cursor("try:\n    import json\nexcept Imp", ":\n    json = None\n", "ortError"),
    Cursor("values = [1, 2, 3]\nfor value in ", ":\n    print(value)\n", "values"),
)
"""Ordinary Python; the first three are the ones that a first model is asked for."""


@torch.no_grad()
def complete(
    model: Decoder,
    tokenizer: Tokenizer,
    ids: Sentinels,
    cursor: Cursor,
    *,
    suffix_first: bool,
    limit: int = 24,
) -> tuple[str, bool]:
    """Return the greedy middle and whether the model ended it by itself within ``limit`` tokens."""
    prefix = tokenizer.encode(cursor.prefix).ids
    suffix = tokenizer.encode(cursor.suffix).ids
    if suffix_first:
        prompt = [ids.fim_prefix, ids.fim_suffix, *suffix, ids.fim_middle, *prefix]
    else:
        prompt = [ids.fim_prefix, *prefix, ids.fim_suffix, *suffix, ids.fim_middle]
    device = next(model.parameters()).device
    said: list[int] = []
    while len(said) < limit and len(prompt) + len(said) < model.recipe.context:
        row = torch.tensor([[*prompt, *said]], device=device)
        token = int(model(row)[0, -1].argmax())
        if token == ids.end:
            return tokenizer.decode(said, skip_special_tokens=False), True
        said.append(token)
    return tokenizer.decode(said, skip_special_tokens=False), False
