"""A whole tiny run in a process of its own: ``python -m tests.training.runs``.

Reads from standard input as JSON: ``recipe`` (a table), ``tokenizer`` and ``out`` (folders),
``shard``, ``steps`` (to stop after, or null). Under the variables of ``torchrun`` it is one of many.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from completion.errors import CaretError
from tests.training.tiny import HELD, TRAIN
from training.distributed import Group, leave
from training.loop import Inputs, Run
from training.recipe import recipe_from
from training.tokenizer import load_text_encoder


def main() -> int:
    asked = json.load(sys.stdin)
    group = Group.from_environment(sharded=asked.get("shard", False))
    inputs = Inputs(
        train=TRAIN, held_out=HELD, tokenizer=load_text_encoder(Path(asked["tokenizer"]))
    )
    try:
        run = Run(recipe_from(asked["recipe"]), inputs, Path(asked["out"]), "cpu", group)
        run.train(stop_after_steps=asked.get("steps"))
    except CaretError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    finally:
        group.close()
    return leave(0)


if __name__ == "__main__":
    sys.exit(main())
