"""From answers and outcomes to scores, records, metrics and warnings. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from eval.execution.program import Outcome, Program, Verdict
from eval.item import Answer, Item, to_text
from eval.metrics import latency
from eval.metrics.direction import less_is_better
from eval.metrics.summary import ENOUGH, summarise
from eval.result import PREFIX_SHOWN, SUFFIX_SHOWN, Baseline, Metric, Record
from eval.running import codec
from eval.suites.base import CUT, Scores, Suite


def record(
    suite: Suite,
    item: Item,
    answers: Sequence[Answer],
    scores: Scores,
    outcomes: Mapping[Program, Outcome],
    facets: Mapping[str, str] | None = None,
) -> Record:
    """Return what the result keeps of one item."""
    first = answers[0] if answers else Answer()
    samples = [codec.answer_to_json(answer) for answer in answers[1:]]
    data: dict[str, Any] = dict(first.data)
    if first.ranked:
        data["ranked"] = [to_text(text) for text in first.ranked]
    if first.log_prob is not None:
        data["log_prob"] = first.log_prob
    return Record(
        id=item.id,
        kind=item.kind,
        prompt_sha256=prompt_sha256(item),
        place_sha256=prompt_sha256(replace(item, related=())),
        prefix=to_text(item.prefix[-PREFIX_SHOWN:]),
        suffix=to_text(item.suffix[:SUFFIX_SHOWN]),
        reference=to_text(item.reference),
        raw=None if first.raw is None else to_text(first.raw),
        cut=None if first.cut is None else to_text(first.cut),
        raw_end=first.raw_end,
        cut_end=first.cut_end,
        declined=first.declined,
        scores=_plain(scores),
        verdicts=verdicts(suite, item, answers, outcomes),
        timings=timings(first),
        samples=samples,
        data=data,
        facets=dict(facets or {}),
    )


def prompt_sha256(item: Item) -> str:
    """Return what tells whether two runs asked the same of an item: all that was sent of it."""
    parts = [item.prefix, item.suffix]
    for one in item.related:
        parts += [one.path.encode("utf-8", "surrogateescape"), one.text]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def timings(answer: Answer) -> dict[str, float]:
    """Return an answer's timings by stage; nothing where no model was asked."""
    if not answer.timings.total_ms:
        return {}
    return {
        **asdict(answer.timings),
        "recomputed_tokens": float(answer.timings.recomputed_tokens),
    }


def verdicts(
    suite: Suite, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
) -> dict[str, str]:
    """Return what became of each sample's raw and cut program, by ``raw``, ``cut``, ``raw/2``, ….

    Which program is whose is found by asking the suite for those of the raw text alone; the others
    of a sample are of the cut one, which where they agree is the same program.
    """
    found: dict[str, str] = {}
    for number, answer in enumerate(answers):
        programs = suite.programs(item, [answer])
        if not programs:
            continue
        end = f"/{number}" if number else ""
        raw = suite.programs(item, [replace(answer, cut=None)]) if answer.raw is not None else []
        if raw:
            found[f"raw{end}"] = _together(raw, outcomes)
        if answer.cut is not None:
            cut = [program for program in programs if program not in raw] or raw
            found[f"cut{end}"] = _together(cut, outcomes)
    return found


def _together(programs: Sequence[Program], outcomes: Mapping[Program, Outcome]) -> str:
    """Return the first verdict that is no pass, or that all passed."""
    found = [outcomes[program].verdict for program in programs]
    return next((v for v in found if v is not Verdict.PASSED), Verdict.PASSED).value


def metrics(scores: Mapping[str, Scores], *, seed: int) -> dict[str, Metric]:
    """Return the figures of all items."""
    return summarise(scores, seed=seed)


def groups(
    items: Sequence[Item], scores: Mapping[str, Scores], *, seed: int
) -> dict[str, dict[str, Metric]]:
    """Return the figures of each kind of item, in the order in which they first appear."""
    kinds: dict[str, dict[str, Scores]] = {}
    for item in items:
        if item.kind:
            kinds.setdefault(item.kind, {})[item.id] = scores[item.id]
    return {kind: summarise(found, seed=seed) for kind, found in kinds.items()}


def baseline(scores: Mapping[str, Scores], *, seed: int) -> Baseline:
    """Return a baseline's part of the result."""
    return Baseline(
        metrics=summarise(scores, seed=seed),
        scores={item: _plain(found) for item, found in scores.items()},
    )


def _plain(scores: Scores) -> dict[str, Any]:
    """Return scores as JSON reads them back: a pair as a list."""
    return {name: list(s) if isinstance(s, tuple) else s for name, s in scores.items()}


def latencies(answers: Mapping[str, Sequence[Answer]]) -> dict[str, dict[str, float]]:
    """Return the latency table over all samples; empty where no model was asked."""
    rows = [row for found in answers.values() for one in found if (row := timings(one))]
    return latency.table(rows) if rows else {}


def few_items(n: int) -> list[str]:
    """Return the warning that few items deserve."""
    if n >= ENOUGH:
        return []
    return [f"fewer than {ENOUGH} items ({n}): differences of a few points mean nothing"]


def skipped(outcomes: Mapping[Program, Outcome]) -> list[str]:
    """Return the warning for programs that could not be run here."""
    languages = [p.language for p, o in outcomes.items() if o.verdict is Verdict.SKIPPED]
    if not languages:
        return []
    return [
        f"{len(languages)} programs were not run for want of a tool chain for "
        f"{', '.join(sorted(set(languages)))}: their items are left out of pass@k"
    ]


def beaten(
    headline: Sequence[str], ours: Mapping[str, Metric], theirs: Mapping[str, Baseline]
) -> list[str]:
    """Return a plain word for each baseline that the model does not beat on the first headline."""
    metric = next((name for name in headline if name in ours), None)
    if metric is None:
        return []
    sign = -1 if less_is_better(metric) else 1
    mine = ours[metric].value
    return [
        f"the model does not beat {name} on {_in_words(metric)} ({_figure(metric, mine)} against "
        f"{_figure(metric, other.metrics[metric].value)}): here it is worth nothing"
        for name, other in theirs.items()
        if metric in other.metrics and sign * mine <= sign * other.metrics[metric].value
    ]


def _in_words(metric: str) -> str:
    return metric.removesuffix(CUT).replace("_", " ") + (" (cut)" if metric.endswith(CUT) else "")


_PLAIN = ("_ms", "_seconds", "_tokens", "_bytes", "_chars", "_keystrokes")
"""Ends of names of metrics that are no shares."""


def is_share(metric: str, value: float) -> bool:
    """Return whether a metric is a share of 1, to be shown in percent; bits per byte are none."""
    name = metric.removesuffix(CUT)
    # Keystrokes saved are a share below 0 where completions cost more than they brought.
    return "bits" not in name and not name.endswith(_PLAIN) and abs(value) <= 1 + 1e-9


def _figure(metric: str, value: float) -> str:
    share = is_share(metric, value)
    return f"{100 * value:.1f} %" if share else f"{value:.3g}"


class RunningMean:
    """A metric so far, as it is shown while a run goes on."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._part = self._whole = 0.0

    def add(self, scores: Scores) -> None:
        """Take an item in."""
        score = scores.get(self._metric)
        if score is not None:
            part, whole = score if isinstance(score, tuple) else (score, 1.0)
            self._part += part
            self._whole += whole

    def __str__(self) -> str:
        if not self._whole:
            return ""
        return f"{_in_words(self._metric)} {_figure(self._metric, self._part / self._whole)}"
