"""The mixed law of WORKSPACE.md token by token in float64, for tests to compare with."""

import math

from completion.workspace.match import Matcher
from completion.workspace.request import RUN_ON
from completion.workspace.workspaces import DOCUMENT_WEIGHT, LONGEST


def written_out(checkpoint, row, store, mixing, ids, fit=None):
    """Return p_mix behind ``ids``; ``row`` are the model's log-probabilities there.

    ``fit``: the workspace's own, where it is fitted. Where what was said ends with the first tokens of
    the text behind the cursor, nothing is mixed in.
    """
    fit = fit or checkpoint.workspace_fit
    matcher = Matcher(
        store.view(without=mixing.path), mixing.document(ids, len(ids)),
        document_weight=DOCUMENT_WEIGHT, longest=LONGEST,
    )  # fmt: skip
    match = matcher.find()
    p = row.exp().tolist()
    said, after = ids[mixing.base :], ids[slice(*mixing.suffix)]
    runs_on = any(
        list(said[-size:]) == list(after[:size])
        for size in range(RUN_ON, min(len(said), len(after)) + 1)
    )
    if match is None or runs_on:
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


def next_bytes_written_out(checkpoint, mixed, typed, least=1e-7):
    """Return P(typed, b) for each next byte b, and at 256 of the end, summed over all covers.

    ``mixed``: the law behind the prompt and some ids, as :func:`written_out` has it. Token sequences
    that weigh less than ``least`` are left out.
    """
    spelled = checkpoint.vocabulary.token_bytes
    found = [0.0] * 257
    waiting = [((), typed, 1.0)]
    while waiting:
        ids, rest, weight = waiting.pop()
        if weight < least:
            continue
        for token, p in enumerate(mixed(ids)):
            text = spelled[token] if token < len(spelled) else b""
            if rest and text and rest.startswith(text):
                waiting.append(((*ids, token), rest[len(text) :], weight * p))
            elif text.startswith(rest) and text:
                found[text[len(rest)]] += weight * p
            elif not rest:
                found[256] += weight * p
    return found
