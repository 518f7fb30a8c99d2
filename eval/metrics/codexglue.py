"""CodeXGLUE's line-level protocol: literals made plain, then EM by words and ES by characters.

The data set replaces rare literals by ``<STR_LIT>``, ``<NUM_LIT>``, ``<CHAR_LIT>`` and writes
frequent ones as ``<STR_LIT:text>``, inside their quotes. The published evaluator undoes that on
both sides before it compares.
"""

from __future__ import annotations

import re

from eval.metrics.edit_similarity import edit_similarity
from eval.metrics.exact_match import exact_words

_UNKNOWN = {"<NUM_LIT>": "0", "<STR_LIT>": "", "<CHAR_LIT>": ""}
"""What stands for a literal whose text the data set has dropped."""
_KNOWN = re.compile(r"<(?:STR|NUM|CHAR)_LIT:(.*?)>", re.DOTALL)
"""Its text ends at the first ``>``, even one that belongs to the literal."""


def plain_literals(code: str) -> str:
    """Return ``code`` with every literal mark replaced by its text, ``0`` or nothing.

    Marks are found first and then replaced one after the other, wherever they stand. Spaces and
    commas inside of literals stay written as ``U+0020`` and ``U+002C``: on both sides alike.
    """
    for mark, text in _UNKNOWN.items():
        code = code.replace(mark, text)
    for found in list(_KNOWN.finditer(code)):
        code = code.replace(found[0], found[1])
    return code


def line_scores(completion: str, reference: str) -> tuple[float, float]:
    """Return exact match and edit similarity, 0 to 1, by the published line evaluator.

    The completion is stripped before literals are made plain, the reference is not; words decide
    the match, characters the similarity (Lu et al. 2021, code completion, line level).
    """
    guess, right = plain_literals(completion.strip()), plain_literals(reference)
    return exact_words(guess, right), edit_similarity(guess, right)
