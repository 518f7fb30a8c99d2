"""What is counted of a replay, from the answers to its requests. Pure; pairs are pooled over files."""

from __future__ import annotations

from collections.abc import Sequence

from eval.item import Answer
from eval.metrics.chars_saved import chars_saved, keystrokes_saved
from eval.metrics.latency import percentile
from eval.replay.replay import ASKED, NO_MODEL
from eval.replay.typist import Verdict, size


def measures(region: str, answers: Sequence[Answer]) -> dict[str, float | tuple[float, float]]:
    """Return the scores of one file.

    - ``chars_saved``: characters that completions brought, of all characters of the region.
    - ``keystrokes_saved``: keys not pressed, of the keys of typing all of it; each completion that
      is taken costs one.
    - ``shown``: requests at which something was shown, of all requests: one behind each key and
      behind each completion taken.
    - ``accepted``: completions taken, whole or their first line, of those shown. A completion that
      stays while it is typed through is asked for, shown and counted anew at each key.
    - ``wrong_edit``: completions whose text came next and which would have spoilt the file all the
      same, by what they replace, of those shown.
    - ``served_without_model``: of the completions shown, those for which no model was asked. Only
      where that is known: through a language server.
    - ``model_requests``: requests that went to the model, of all requests; likewise.
    - ``recomputed_p50_tokens``, ``recomputed_p95_tokens``: what a key costs: percentiles of the
      prompt's tokens that were computed again, over the requests that went to the model; likewise.
    """
    found = [answer.data for answer in answers]
    shown = [data for data in found if data["shown"]]
    taken = [data for data in shown if data["brought"]]
    characters, brought = size(region), sum(data["brought"] for data in taken)
    scores: dict[str, float | tuple[float, float]] = {
        "keystrokes_saved": keystrokes_saved(characters, characters - brought + len(taken)),
        "chars_saved": chars_saved(characters, brought),
        "shown": _share(len(shown), len(found)),
        "accepted": _share(len(taken), len(shown)),
        "wrong_edit": _share(sum(data["verdict"] == Verdict.WRONG for data in shown), len(shown)),
    }
    if any(data["model"] in (ASKED, NO_MODEL) for data in found):
        without = sum(data["model"] == NO_MODEL for data in shown)
        scores["served_without_model"] = _share(without, len(shown))
        asked = sum(data["model"] == ASKED for data in found)
        scores["model_requests"] = _share(asked, len(found))
    again = [
        float(answer.timings.recomputed_tokens)
        for answer in answers
        if answer.data["model"] == ASKED
    ]
    if again:
        scores["recomputed_p50_tokens"] = percentile(again, 50)
        scores["recomputed_p95_tokens"] = percentile(again, 95)
    return scores


def _share(part: int, whole: int) -> tuple[float, float]:
    return float(part), float(whole)
