"""CrossCodeEval: a statement that uses other files of its repository, in four languages.

Ding et al., "CrossCodeEval" (arXiv:2310.11248) and its published scripts: the
completion is cut to its first statement, comments are dropped from both sides, and the lines are
compared (EM), the characters (ES) and the identifiers (EM, F1).

The paper's own prompts are what is left of the cursor. Where an item has ``right_context``, as in
the published files, it is the suffix here: the fill-in-the-middle variant, which is what code
models report today. ``data`` of a result says which it was, and whether snippets of other files
came with the items: the file decides (``line_completion.jsonl`` has none).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from completion.errors import UsageError
from eval.data.reading import field, placed_rows, utf8, utf8_text
from eval.data.registry import find
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, Related, to_text
from eval.metrics.edit_similarity import edit_similarity
from eval.metrics.identifiers import identifier_scores
from eval.metrics.statement import lines_match, truncate_statement, without_comments
from eval.suites.base import CUT, Loaded, Published, Scores, Suite
from eval.suites.common import cut_against, text_scores
from eval.workspace.place import REPOSITORY

QWEN = "Hui et al. 2024, arXiv:2409.12186: one figure over all languages, in their own prompt"
NAMES = ("exact_match", "edit_similarity", "identifier_exact_match", "identifier_f1")


class _CrossCodeEval(Suite):
    """What the four languages share."""

    version: ClassVar[str] = "1"
    headline: ClassVar[tuple[str, ...]] = ("exact_match", "edit_similarity")
    language: ClassVar[str]
    published: ClassVar[tuple[Published, ...]] = tuple(
        Published(who=who, metric="exact_match", value=value, source=QWEN)
        for who, value in (
            ("Qwen2.5-Coder-0.5B", 0.246),
            ("Qwen2.5-Coder-1.5B", 0.402),
            ("Qwen2.5-Coder-3B", 0.449),
        )
    )

    def load(self, data: Path | None) -> Loaded:
        """Read the items of the published JSON lines, with or without context of other files."""
        found = find(self.name, data)
        items = [self._item(row, where) for where, row in placed_rows(found.path)]
        repeated = [id_ for id_, number in Counter(i.id for i in items).items() if number > 1]
        if repeated:
            raise UsageError(f"{found.path}: two items with the task_id {repeated[0]}")
        with_suffix = sum(bool(item.suffix) for item in items)
        with_files = sum(bool(item.related) for item in items)
        return Loaded(
            items=items,
            data=found.data
            | {
                "suffix": _share("right_context", with_suffix, len(items)),
                "cross_file_context": _share("retrieved snippets", with_files, len(items)),
            },
            warnings=list(found.warnings),
        )

    def _item(self, row: Mapping[str, Any], where: str) -> Item:
        metadata = field(row, "metadata", dict, where)
        id_ = utf8_text(metadata, "task_id", where)
        # A task is called project_cc_java/51; the files of all languages have the same name.
        if id_.startswith("project_cc_") and not id_.startswith(f"project_cc_{self.language}/"):
            raise UsageError(f"{where}: {id_} is an item of another language than {self.language}")
        has_right = row.get("right_context") is not None
        return Item(
            id=id_,
            prefix=utf8(row, "prompt", where),
            suffix=utf8(row, "right_context", where) if has_right else b"",
            reference=utf8(row, "groundtruth", where),
            language=self.language,
            path=utf8_text(metadata, "file", where),
            related=_related(row, where),
            data={REPOSITORY: metadata[REPOSITORY]} if metadata.get(REPOSITORY) else {},
        )

    def ask(self, item: Item) -> Ask:
        """Ask for a statement; the published scripts end at 50 tokens of the model's own."""
        return Ask(lines="auto", max_tokens=96)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return EM, ES and identifier scores: raw cut to a statement as published, and what an
        editor would insert as it is."""
        answer = answers[0] if answers else Answer()
        raw = None
        if answer.raw is not None:
            raw = truncate_statement(to_text(answer.raw), item.language, to_text(item.prefix))
        text, _, expected = cut_against(item, answer)
        cut = None if text is None else to_text(text)
        return (
            text_scores(item, answers)
            | _scores(raw, to_text(item.reference), item.language, "")
            | _scores(cut, to_text(expected), item.language, CUT)
        )


def _related(row: Mapping[str, Any], where: str) -> tuple[Related, ...]:
    if row.get("crossfile_context") is None:
        return ()
    chunks = field(row, "crossfile_context.list", list, where)
    if not all(isinstance(chunk, dict) for chunk in chunks):
        raise UsageError(f"{where}: a snippet in crossfile_context.list is no object")
    scores = [_score(chunk, where) for chunk in chunks]
    # BM25 has no upper bound, cosine similarity has; the contract's relevance is 0 to 1.
    highest = max(1.0, *scores) if scores else 1.0
    return tuple(
        Related(
            path=utf8_text(chunk, "filename", where),
            text=utf8(chunk, "retrieved_chunk", where),
            kind=_kind(chunk, where),
            relevance=max(0.0, score / highest),
        )
        for chunk, score in zip(chunks, scores, strict=True)
    )


def _score(chunk: Mapping[str, Any], where: str) -> float:
    return field(chunk, "score", float, where) if chunk.get("score") is not None else 0.5


def _kind(chunk: Mapping[str, Any], where: str) -> str:
    """Return what a snippet is; the published files do not say, and theirs are shown as code that
    the statement may use."""
    return utf8_text(chunk, "kind", where) if chunk.get("kind") is not None else "definition"


def _share(what: str, number: int, of: int) -> str:
    if number == of:
        return what
    return f"{what} of {number} in {of} items" if number else "none"


def _scores(text: str | None, reference: str, language: str, end: str) -> Scores:
    if text is None:
        return {name + end: 0.0 for name in NAMES}
    similarity = edit_similarity(
        without_comments(text).strip(), without_comments(reference).strip()
    )
    values = (
        lines_match(text, reference),
        similarity,
        *identifier_scores(text, reference, language),
    )
    return dict(zip((name + end for name in NAMES), values, strict=True))


class Python(_CrossCodeEval):
    """2665 items."""

    name = "crosscodeeval:python"
    about = "a Python statement that uses other files; EM, ES, identifier EM and F1"
    language = "python"


class Java(_CrossCodeEval):
    """2139 items."""

    name = "crosscodeeval:java"
    about = "a Java statement that uses other files; EM, ES, identifier EM and F1"
    language = "java"


class TypeScript(_CrossCodeEval):
    """3356 items."""

    name = "crosscodeeval:typescript"
    about = "a TypeScript statement that uses other files; EM, ES, identifier EM and F1"
    language = "typescript"


class CSharp(_CrossCodeEval):
    """1768 items."""

    name = "crosscodeeval:csharp"
    about = "a C# statement that uses other files; EM, ES, identifier EM and F1"
    language = "csharp"
