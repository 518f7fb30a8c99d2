"""Cardinal points: the next token at the cursors where people want a completion.

The protocol of CodeFill (Izadi et al. 2022); how points are found stands in
:mod:`eval.build.cardinal`. Its models see what is before the point, ours also what follows the
logical line, so the published figures are beside ours and not against them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from eval.build.builders import BUILDERS, load
from eval.build.cardinal import ASKED
from eval.build.code import Token, first_tokens
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, to_text
from eval.metrics.meteor import meteor
from eval.metrics.mrr import reciprocal_rank
from eval.metrics.rouge_l import rouge_l
from eval.suites.base import CUT, Loaded, Published, Scores, Suite

DEPTH = 10
"""Candidates that are ranked, as in CodeFill's MRR."""
MAX_TOKENS = 12
"""Of the model: enough for four of code, unless one of them is a long string."""

_SOURCE = "CodeFill, ICSE 2022, cardinal points; left context only, other files"


class Cardinal(Suite):
    """The first token and the first four of the ranked candidates, against the file's own.

    ``accuracy``: the first token of the best candidate is the next token of the file. ``mrr``: of
    the first tokens of the ten best, an equal one counted once, at its best rank. ``rouge_l`` and
    ``meteor``: the first four tokens of the best candidate against the next four, up to the end of
    the logical line. ``first_token_cut_off``: the best candidate ran into the limit of
    tokens within its first token, which then may be wrong for that reason alone. A candidate that
    has no token before the logical line ends says that it ends here: a rank of its own, always
    wrong.
    """

    name: ClassVar[str] = "cardinal"
    version: ClassVar[str] = BUILDERS["cardinal"].version
    about: ClassVar[str] = "the next token where people want one; accuracy, MRR, ROUGE-L, METEOR"
    headline: ClassVar[tuple[str, ...]] = ("accuracy", "mrr")
    default_limit: ClassVar[int] = BUILDERS["cardinal"].items
    baselines: ClassVar[tuple[str, ...]] = ("nearest-line", "ngram", "jedi")
    published: ClassVar[tuple[Published, ...]] = tuple(
        Published(who=who, metric=metric, value=value, source=_SOURCE)
        for who, metric, value in (
            ("CodeFill", "accuracy", 0.700),
            ("CodeFill", "mrr", 0.709),
            ("GPT-C", "accuracy", 0.661),
            ("GPT-C", "mrr", 0.678),
            ("TravTrans+", "accuracy", 0.650),
            ("TravTrans+", "mrr", 0.662),
        )
    )

    def load(self, data: Path | None) -> Loaded:
        """Make the items from a tree, or read built ones."""
        return load(self.name, data)

    def ask(self, item: Item) -> Ask:
        """Ask for ten short candidates."""
        return Ask(lines="single", max_tokens=MAX_TOKENS, candidates=DEPTH)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Score the candidates of the first answer."""
        answer = answers[0] if answers else Answer()
        ranked = list(answer.ranked or ([] if answer.raw is None else [answer.raw]))
        depth = int(item.data["depth"])
        wanted = _texts(first_tokens(item.reference, depth, int(item.data["tokens"])))
        candidates = [first_tokens(text, depth, ASKED) for text in ranked[:DEPTH]]
        firsts = list(dict.fromkeys(_first(tokens) for tokens in candidates))
        best = _texts(candidates[0]) if candidates else []
        cut = [] if answer.cut is None else first_tokens(answer.cut, depth, 1)
        return {
            "accuracy": float(bool(firsts) and firsts[0] == wanted[0]),
            "accuracy" + CUT: float(_first(cut) == wanted[0]),
            "mrr": reciprocal_rank(firsts, wanted[0], DEPTH),
            "rouge_l": rouge_l(best, wanted),
            "meteor": meteor(best, wanted),
            "first_token_cut_off": float(
                bool(candidates)
                and answer.raw_end == "length"
                and _reaches_end(ranked[0], candidates[0])
            ),
        }


def _texts(tokens: Sequence[Token]) -> list[str]:
    return [to_text(token.text) for token in tokens]


def _first(tokens: Sequence[Token]) -> str:
    return to_text(tokens[0].text) if tokens else ""


def _reaches_end(text: bytes, tokens: Sequence[Token]) -> bool:
    return bool(tokens) and tokens[0].end == len(text)
