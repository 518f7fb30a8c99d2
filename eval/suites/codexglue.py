"""CodeXGLUE's code completion on PY150: the rest of a line, and the next token.

Lu et al., "CodeXGLUE" (arXiv:2102.04664) and its published scripts. The files are tokens
(:mod:`eval.suites.codexglue_text`). What the model is shown is their text with real line ends and
plain literals; the cursor stands where the next token begins. No suffix: the task is published left
to right.

Published figures are of models trained on this very form. A model that writes ``f(x)`` as people
do misses ``f ( x )``; ``exact_match_unspaced`` compares without any blank and shows how often.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from completion.errors import UsageError
from eval.data.reading import field, lines, placed_rows, utf8_text
from eval.data.registry import find
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, to_text
from eval.metrics.codexglue import line_scores
from eval.metrics.token_accuracy import NOT_COUNTED, token_accuracy
from eval.suites.base import CUT, Loaded, Published, Scores, Suite
from eval.suites.codexglue_text import first_token, pieces_of, plain_token, text_of
from eval.suites.common import text_scores

CODEXGLUE = "Lu et al. 2021, arXiv:2102.04664"
PYCODER = "Takerngsaksiri et al. 2022, arXiv:2211.04673"
HUB = "google/code_x_glue_cc_code_completion_line (python/train-00000-of-00001.parquet)"
"""Where the published test set is with its answers: the hub calls it train."""
SAMPLE = 10_000
"""Positions that are drawn of all tokens; the published test set has 37 million."""
PREFIX_BYTES = 1 << 15
"""Kept before a token: more than the published models' 1024 tokens."""


def _before(pieces: Sequence[str]) -> bytes:
    """Return the text before the token that follows those that ``pieces`` are of."""
    text = "".join(pieces[-PREFIX_BYTES:])
    return _encoded(text + " " if text and not text.endswith("\n") else text)[-PREFIX_BYTES:]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class Line(Suite):
    """The rest of a line, cut at a random token of a file."""

    name = "codexglue-line"
    version = "1"
    about = "the rest of a line of PY150 in tokens; EM by words and ES of CodeXGLUE's evaluator"
    headline: ClassVar[tuple[str, ...]] = ("exact_match", "edit_similarity")
    default_limit = 1000
    published = tuple(
        Published(who=who, metric=metric, value=value, source=source)
        for who, match, similarity, source in (
            ("LSTM", 0.238, 0.563, CODEXGLUE),
            ("Transformer", 0.385, 0.690, CODEXGLUE),
            ("GPT-2", 0.417, 0.706, CODEXGLUE),
            ("CodeGPT-adapted", 0.424, 0.716, CODEXGLUE),
            ("PyCoder", 0.434, 0.732, PYCODER),
        )
        for metric, value in (("exact_match", match), ("edit_similarity", similarity))
    )

    def load(self, data: Path | None) -> Loaded:
        """Read rows of ``input`` and ``gt``, both in tokens; those without ``gt`` are left out."""
        found = find(self.name, data)
        items: list[Item] = []
        blank = 0
        for number, (where, row) in enumerate(placed_rows(found.path)):
            answer = utf8_text(row, "gt", where)
            if not answer.strip():
                blank += 1
                continue
            items.append(
                Item(
                    id=f"py150/{number}",
                    prefix=_before(list(pieces_of(utf8_text(row, "input", where).split()))),
                    suffix=b"",
                    reference=_encoded(text_of(answer.split())),
                    path="file.py",
                )
            )
        if not items:
            raise UsageError(
                f"{found.path}: has no answers, 'gt' is blank in every row: so the authors publish "
                f"their test file, and score it themselves. The answers are in the hub's {HUB}"
            )
        left_out = [f"left out, because 'gt' is blank: {blank} items"] if blank else []
        return Loaded(items=items, data=found.data, warnings=[*found.warnings, *left_out])

    def ask(self, item: Item) -> Ask:
        """Ask for a line; the published script ends at 100 tokens of the model's own."""
        return Ask(lines="single", max_tokens=100)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return the published evaluator's EM and ES: of the raw text's first line as published,
        and of what an editor would insert as it is."""
        answer = answers[0] if answers else Answer()
        raw = None if answer.raw is None else to_text(answer.raw).split("\n", 1)[0]
        cut = None if answer.cut is None else to_text(answer.cut)
        reference = to_text(item.reference)
        return (
            text_scores(item, answers)
            | _line_scores(raw, reference, "")
            | _line_scores(cut, reference, CUT)
        )


def _line_scores(text: str | None, reference: str, end: str) -> Scores:
    match, similarity, unspaced = 0.0, 0.0, 0.0
    if text is not None:
        match, similarity = line_scores(text, reference)
        unspaced = float("".join(text.split()) == "".join(reference.split()))
    return {
        f"exact_match{end}": match,
        f"edit_similarity{end}": similarity,
        f"exact_match_unspaced{end}": unspaced,
    }


class Token(Suite):
    """The next token, at positions drawn of all tokens of all files.

    Every prompt is the true text before the token (teacher forcing), as published. There every
    token is asked for; here every token is as likely to be, so the mean estimates the same figure.
    """

    name = "codexglue-token"
    version = "1"
    about = "the next token of PY150, at sampled positions; accuracy without <s> </s> <EOL> <pad>"
    headline: ClassVar[tuple[str, ...]] = ("token_accuracy", "token_accuracy_cut")
    default_limit = 2000
    published = tuple(
        Published(who=who, metric="token_accuracy", value=value, source=source)
        for who, value, source in (
            ("LSTM", 0.619, CODEXGLUE),
            ("Transformer", 0.745, CODEXGLUE),
            ("GPT-2", 0.759, CODEXGLUE),
            ("CodeGPT-adapted", 0.766, CODEXGLUE),
            ("PyCoder", 0.771, PYCODER),
        )
    )

    def load(self, data: Path | None) -> Loaded:
        """Read files of tokens, one a line or a row of ``code``, and draw positions."""
        found = find(self.name, data)
        total = sum(len(_counted(tokens)) for tokens in _files(found.path))
        if not total:
            raise UsageError(f"{found.path}: no token to ask for, only marks of the data set")
        return Loaded(
            items=list(_sampled(_files(found.path), total)),
            data=found.data | {"tokens": total, "sampled": min(total, SAMPLE)},
            warnings=list(found.warnings),
        )

    def ask(self, item: Item) -> Ask:
        """Ask for enough to see a whole token."""
        return Ask(lines="single", max_tokens=24)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return whether the first token is the right one, raw and cut.

        A token whose literal is lost has no text that could be told right from wrong (a bare
        ``<STR_LIT>``): nothing is scored there.
        """
        answer = answers[0] if answers else Answer()
        reference = first_token(to_text(item.reference))
        if not reference:
            return {}
        scores: Scores = {}
        for end, text in (("", answer.raw), (CUT, answer.cut)):
            guess = "" if text is None else first_token(to_text(text))
            scores[f"token_accuracy{end}"] = token_accuracy([guess], [reference])
        return scores


def _files(path: Path) -> Iterator[list[str]]:
    """Yield the tokens of each file of the set."""
    if path.name.removesuffix(".gz").endswith(".txt"):
        for where, line in lines(path):
            tokens = line.split()
            if tokens[0] != "<s>" or tokens[-1] != "</s>":
                raise UsageError(
                    f"{where}: a file's tokens stand between <s> and </s>; cut off or damaged"
                )
            yield tokens
        return
    for where, row in placed_rows(path):
        tokens = field(row, "code", list, where)
        if not all(isinstance(token, str) for token in tokens):
            raise UsageError(f"{where}: a token in the field 'code' is no text")
        yield tokens


def _counted(tokens: Sequence[str]) -> list[int]:
    return [at for at, token in enumerate(tokens) if token not in NOT_COUNTED]


def positions(total: int, wanted: int) -> Iterator[int]:
    """Yield ``wanted`` of ``total`` positions in order, all of them where there are fewer.

    One from each of ``wanted`` equal stretches, at a place that a hash of the stretch's number
    decides: spread over all files, the same in every run, each token as likely as any other.
    """
    if total <= wanted:
        yield from range(total)
        return
    for stretch in range(wanted):
        low, high = stretch * total // wanted, (stretch + 1) * total // wanted
        hashed = hashlib.sha256(f"codexglue-token {stretch}".encode()).digest()
        yield low + int.from_bytes(hashed[:8]) % (high - low)


def _sampled(files: Iterator[list[str]], total: int) -> Iterator[Item]:
    chosen = positions(total, SAMPLE)
    wanted = next(chosen, None)
    seen = 0
    for number, tokens in enumerate(files):
        counted = _counted(tokens)
        here = wanted is not None and wanted < seen + len(counted)
        pieces = list(pieces_of(tokens)) if here else []
        while wanted is not None and wanted < seen + len(counted):
            at = counted[wanted - seen]
            yield Item(
                id=f"py150/{number}/{at}",
                prefix=_before(pieces[max(0, at - PREFIX_BYTES) : at]),
                suffix=b"",
                reference=_encoded(plain_token(tokens[at])),
                path="file.py",
            )
            wanted = next(chosen, None)
        seen += len(counted)
