"""The mixed law of WORKSPACE.md token by token in float64, for tests to compare with."""

import math

from completion.workspace.match import Matcher
from completion.workspace.workspaces import DOCUMENT_WEIGHT, LONGEST


def written_out(checkpoint, row, store, mixing, ids):
    """Return p_mix behind ``ids``; ``row`` are the model's log-probabilities there."""
    fit = checkpoint.workspace_fit
    matcher = Matcher(
        store.view(without=mixing.path), mixing.document(ids, len(ids)),
        document_weight=DOCUMENT_WEIGHT, longest=LONGEST,
    )  # fmt: skip
    match = matcher.find()
    p = row.exp().tolist()
    if match is None:
        return p
    kept = checkpoint.vocabulary.special_ids
    q = dict(zip(match.ids.tolist(), (match.weights / match.weights.sum()).tolist(), strict=True))
    r, b = fit.terms(match.length, match.share, match.seen)
    most = min(max(max(p), 1e-6), 1 - 1e-6)
    weight = 1 / (1 + math.exp(-(r + b * math.log((1 - most) / most))))
    ends = sum(p[t] for t in kept)
    return [
        p[t] if t in kept
        else (1 - ends) * ((1 - weight) * p[t] / (1 - ends) + weight * q.get(t, 0.0))
        for t in range(len(p))
    ]  # fmt: skip
