"""What a document stands behind when a model reads it by itself, as in training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from completion.errors import CaretError

if TYPE_CHECKING:
    from completion.engine.checkpoint import Checkpoint


def start_token(checkpoint: Checkpoint) -> int:
    """Return the token that a document stands behind: the family's first one, else its end token.

    Raises:
        CaretError: the model has neither.
    """
    special = checkpoint.vocabulary.special
    bos = checkpoint.template.bos
    if bos is not None and bos in special:
        return special[bos]
    config = json.loads((checkpoint.path / "config.json").read_text(encoding="utf-8"))
    end = config.get("eos_token_id")
    end = end[0] if isinstance(end, list) and end else end
    if not isinstance(end, int):
        raise CaretError(
            f"{checkpoint.name}: config.json has no eos_token_id, which documents stand behind"
        )
    return end
