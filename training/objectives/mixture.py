"""How often each kind of middle is drawn, and a mixture that follows a checkpoint's failures.

Pure: tables of shares in, tables of shares out. Sagtani et al. (Context & Curriculum FIM, arXiv
2412.16589, section 3) over-sample the kinds of nodes that a model gets wrong most and keep 35 % of
random spans. Here the failures are measured by ``caret eval nodes``. A mixture, not stages: the
place for a hard one is the end of a run, so train to there, then begin a run from those weights
with the mixture in its recipe. It does not change inside a run, because a visit to a document
depends on the seed, the epoch and the document alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

SHARES: dict[str, float] = {
    "random": 0.30,
    "line": 0.20,
    "arguments": 0.15,
    "body": 0.10,
    "name": 0.08,
    "header": 0.07,
    "block": 0.05,
    "import": 0.03,
    "docstring": 0.02,
}
"""How often each kind is tried first; one that a window lacks becomes ``line``."""
RANDOM = "random"
"""The kind that is no node of the tree."""
LEAST_RANDOM = 0.3
"""The least share of random middles in a mixture that follows failures: where the cursor stands at
no boundary of a node, only they are practice."""
FLOOR = 0.25
"""What a kind keeps of its share however well it goes."""
LEAST_ITEMS = 20
"""Items of a kind under which its failure rate is not told from the others'."""


def fault(shares: Mapping[str, float]) -> str:
    """Return what is wrong with a table of shares, in words; nothing: it is a mixture."""
    unknown = [kind for kind in shares if kind not in SHARES]
    if unknown:
        return f"has an unknown kind {unknown[0]}; known are {', '.join(SHARES)}"
    if not all(share >= 0 and math.isfinite(share) for share in shares.values()):
        return "must be numbers from 0 on"
    if abs(sum(shares.values()) - 1) > 1e-3:
        return f"must add up to 1, not {sum(shares.values()):g}"
    return ""


def ordered(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the shares in the order of :data:`SHARES`: equal tables draw equal middles."""
    return {kind: shares[kind] for kind in SHARES if kind in shares}


def harder(base: Mapping[str, float], failures: Mapping[str, float]) -> dict[str, float]:
    """Return ``base`` with more of the kinds that fail more; shares have four digits.

    ``failures`` are rates, 0 to 1, by kind. Random middles keep their share, at least
    :data:`LEAST_RANDOM`. The rest R is divided among the other kinds k, of base shares b adding up
    to B, as

        R / B · b(k) · (FLOOR + (1 - FLOOR) · f(k) / f̄)

    where f̄ is the mean of f, each kind counted by its b; so the shares add up to R, and a kind
    keeps at least :data:`FLOOR` of what it had. A kind that was not measured counts as f̄, one that
    ``base`` lacks stays out, and where nothing fails, nothing moves.
    """
    nodes = {kind: share for kind, share in ordered(base).items() if kind != RANDOM}
    measured = {kind: share for kind, share in nodes.items() if kind in failures and share > 0}
    total = sum(measured.values())
    mean = sum(share * failures[kind] for kind, share in measured.items()) / total if total else 0.0
    kept = base.get(RANDOM, 0.0)
    wanted = max(kept, LEAST_RANDOM)
    scale = (1 - wanted) / sum(nodes.values()) if sum(nodes.values()) else 0.0
    out = {RANDOM: wanted if scale else 1.0}
    for kind, share in nodes.items():
        relative = failures[kind] / mean if mean and kind in measured else 1.0
        out[kind] = round(scale * share * (FLOOR + (1 - FLOOR) * relative), 4)
    return ordered(out)
