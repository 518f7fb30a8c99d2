"""Scores that every fill-in-the-middle suite shares: of texts, and of programs that were run.

Pure. Raw is the model's own middle; cut is what an editor would insert. A cut text may take the
place of some of the suffix, and is then compared on the text that it makes, not on itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from eval.execution.languages import tool_chain
from eval.execution.program import Outcome, Program, Verdict
from eval.item import Answer, Item, to_text
from eval.metrics.edit_similarity import edit_similarity
from eval.metrics.endings import ended_by_model, ended_rightly, lines_right
from eval.metrics.exact_match import exact_match
from eval.metrics.pass_at_k import pass_at_k
from eval.metrics.repeats_suffix import repeats_suffix
from eval.suites.base import CUT, Scores

KS = (1, 10, 100)
"""Of pass@k, as published; those up to the number of samples are reported, and that number."""


def text_scores(item: Item, answers: Sequence[Answer]) -> Scores:
    """Return the text metrics of the first sample, raw and cut.

    No answer at all scores 0; ``repeats_suffix`` is 0 there too, since nothing is repeated.
    ``ended_rightly`` and ``lines_right`` are of the texts that there are, the former of those that
    are right as far as they go.
    """
    answer = answers[0] if answers else Answer()
    scores = _scores(answer.raw, item.suffix, item.reference, "")
    scores["ended_by_model"] = ended_by_model(answer.raw_end if answer.raw is not None else "")
    text, suffix, reference = cut_against(item, answer)
    return scores | _scores(text, suffix, reference, CUT)


def cut_against(item: Item, answer: Answer) -> tuple[bytes | None, bytes, bytes]:
    """Return the cut text, the suffix behind it and the reference it is to be compared with.

    What the text brings along and replaces in the suffix (a closing bracket) is left out of both;
    when it replaces something else, what is replaced belongs to the reference.
    """
    replaced = item.suffix[: answer.replace_after]
    if answer.cut is None or not replaced:
        return answer.cut, item.suffix, item.reference
    if answer.cut.endswith(replaced):
        return answer.cut[: -len(replaced)], item.suffix, item.reference
    return answer.cut, item.suffix[len(replaced) :], item.reference + replaced


def cut_middle(item: Item, answer: Answer) -> bytes | None:
    """Return the cut text with the suffix as it stands once the text is inserted."""
    if answer.cut is None:
        return None
    return answer.cut + item.suffix[answer.replace_after :]


def pass_scores(
    raw: Sequence[Program | None],
    cut: Sequence[Program | None],
    outcomes: Mapping[Program, Outcome],
) -> Scores:
    """Return pass@k over the samples, raw and cut."""
    return pass_at(raw, outcomes, "") | pass_at(cut, outcomes, CUT)


def pass_at(
    programs: Sequence[Program | None],
    outcomes: Mapping[Program, Outcome],
    end: str,
    right: Collection[Program] = (),
    language: str = "python",
) -> Scores:
    """Return pass@k of the samples' programs, the names ending in ``end``.

    ``None`` is a sample without an answer: a failure that is not run. Where ``language`` has no
    tool chain the metric is left out, answer or not, so that every engine is scored on the same
    items; one of ``right`` passes however it ended.
    """
    if not tool_chain(language):
        return {}
    found = [None if program is None else outcomes[program] for program in programs]
    if any(outcome is not None and outcome.verdict is Verdict.SKIPPED for outcome in found):
        return {}
    passed = sum(
        outcome is not None and (outcome.passed or program in right)
        for program, outcome in zip(programs, found, strict=True)
    )
    ks = sorted({k for k in (*KS, len(found)) if 1 <= k <= len(found)})
    return {f"pass@{k}{end}": pass_at_k(len(found), passed, k) for k in ks}


def _scores(text: bytes | None, suffix: bytes, reference: bytes, end: str) -> Scores:
    names = ("exact_match", "edit_similarity", "repeats_suffix")
    if text is None:
        return {name + end: 0.0 for name in names}
    ours, theirs = to_text(text), to_text(reference)
    repeats = repeats_suffix(ours, to_text(suffix), theirs)
    values = (exact_match(ours, theirs), edit_similarity(ours, theirs), float(repeats))
    scores: Scores = dict(zip((name + end for name in names), values, strict=True))
    if (rightly := ended_rightly(ours, theirs)) is not None:
        scores["ended_rightly" + end] = rightly
    scores["lines_right" + end] = lines_right(ours, theirs)
    return scores
