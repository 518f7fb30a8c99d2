"""RepoBench-C: the next line of a file, with snippets of the files that it imports.

Liu et al., "RepoBench" (arXiv:2306.03091) and the published scripts: of what the model
writes, the first line that is code counts; EM compares words, ES characters. Both layouts are
read: v1.1 (snippets in a list, ``cropped_code``) and v1.0 (snippets as comments in one text,
``code``). Nothing behind the cursor is published, so the suffix is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from completion.errors import UsageError
from eval.data.reading import field, placed_rows, utf8, utf8_text
from eval.data.registry import Found, find_all
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, Related, to_text
from eval.metrics.edit_similarity import edit_similarity
from eval.metrics.exact_match import exact_words
from eval.metrics.first_line import truncate_line
from eval.suites.base import CUT, Loaded, Scores, Suite
from eval.suites.common import cut_against, text_scores

SETTINGS = ("cross_file_first", "cross_file_random", "in_file")
"""The line is the first use of a module of another file, a later one, or uses none."""
SHORT = {"cff": SETTINGS[0], "cfr": SETTINGS[1], "if": SETTINGS[2]}
"""v1.0's names: ``python_cff``."""
LEVELS = frozenset(("2k", "4k", "8k", "12k", "16k"))
FIRST_DAY, LAST_DAY = "2023-12-01", "2023-12-31"
"""What the published script takes of the published files; longer prompts are rare."""
LANGUAGES = {".py": "python", ".java": "java"}
_COMMENT = {"python": "#", "java": "//"}


class RepoBench(Suite):
    """The next line, Python and Java, three settings as kinds."""

    name = "repobench"
    version = "1"
    about = "the next line of a file with snippets of other files (RepoBench-C); EM by words, ES"
    headline: ClassVar[tuple[str, ...]] = ("exact_match", "edit_similarity")
    default_limit = 1000

    def load(self, data: Path | None) -> Loaded:
        """Read the items of one or more files; of published ones what the published script takes:
        prompts of up to 16k tokens, of December 2023."""
        found = find_all(self.name, data)
        items: list[Item] = []
        for one in found:
            name = PurePosixPath(one.source).name
            setting = _setting(name)
            for number, (where, row) in enumerate(placed_rows(one.path)):
                if one.published and not _taken(row):
                    continue
                items.append(_item(row, where, f"{name.split('.')[0]}/{number}", setting))
        if not items:
            raise UsageError(
                f"{found[0].path}: no item of a level up to 16k and of December 2023, which is what "
                "the published script takes; rename the file to use all of it as a set of your own"
            )
        return Loaded(items=items, data=_data(found), warnings=_warnings(found))

    def ask(self, item: Item) -> Ask:
        """Ask for a line; 128 tokens are the published script's."""
        return Ask(lines="single", max_tokens=128)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return EM and ES: of the raw text's first line of code as published, and of what an
        editor would insert as it is."""
        answer = answers[0] if answers else Answer()
        raw = None if answer.raw is None else truncate_line(to_text(answer.raw), item.language)
        text, _, expected = cut_against(item, answer)
        cut = None if text is None else to_text(text)
        return (
            text_scores(item, answers)
            | _scores(raw, to_text(item.reference), "")
            | _scores(cut, to_text(expected), CUT)
        )


def _scores(text: str | None, reference: str, end: str) -> Scores:
    return {
        f"exact_match{end}": 0.0 if text is None else exact_words(text, reference),
        f"edit_similarity{end}": 0.0 if text is None else edit_similarity(text, reference),
    }


def _setting(file_name: str) -> str:
    """Return the setting that a file's name says; empty: the rows have to say it."""
    for setting in SETTINGS:
        if setting in file_name:
            return setting
    words = file_name.split(".")[0].split("_")
    return next((SHORT[word] for word in words if word in SHORT), "")


def _taken(row: Mapping[str, Any]) -> bool:
    day = str(row.get("created_at", FIRST_DAY))[:10]
    return row.get("level", "2k") in LEVELS and FIRST_DAY <= day <= LAST_DAY


def _item(row: Mapping[str, Any], where: str, id_: str, setting: str) -> Item:
    path = utf8_text(row, "file_path", where)
    language = LANGUAGES.get(PurePosixPath(path).suffix)
    if language is None:
        raise UsageError(f"{where}: file_path {path!r} is neither Python nor Java")
    imports, line_end = utf8(row, "import_statement", where), b"\n"
    if "cropped_code" in row:
        prefix = imports + line_end + utf8(row, "cropped_code", where) + line_end
    else:
        code = utf8(row, "code", where)
        gap = b"" if code.endswith(b"\n") else line_end
        prefix = imports + line_end + line_end + code + gap
    return Item(
        id=id_,
        prefix=prefix,
        suffix=b"",
        reference=utf8(row, "next_line", where).rstrip(b"\r\n"),  # the answer is a line without
        language=language,
        path=path,
        related=tuple(_related(row, where, language)),
        kind=setting or _setting_of(row),
        data={"repository": str(row.get("repo_name", "")), "level": str(row.get("level", ""))},
    )


def _setting_of(row: Mapping[str, Any]) -> str:
    if row.get("setting") in SETTINGS:
        return row["setting"]
    gold = row.get("gold_snippet_index")
    return "in_file" if gold is None or gold < 0 else "cross_file"


def _related(row: Mapping[str, Any], where: str, language: str) -> Iterator[Related]:
    """Yield the snippets in the published order. Which one the line needs is not told."""
    if isinstance(row.get("context"), str):
        yield from _commented(utf8(row, "context", where).decode(), _COMMENT[language])
        return
    for chunk in field(row, "context", list, where):
        if not isinstance(chunk, dict):
            raise UsageError(f"{where}: a snippet in context is no object")
        yield Related(
            path=utf8_text(chunk, "path", where),
            text=utf8(chunk, "snippet", where),
            kind="definition",
        )


def _commented(context: str, mark: str) -> Iterator[Related]:
    """Yield the snippets of v1.0's text: comment lines, each snippet under one with its path."""
    path, lines = "", list[str]()
    for line in [*context.split("\n"), f"{mark} Path: "]:
        if line.startswith(f"{mark} Path: "):
            if any(lines):
                text = "\n".join(lines).strip("\n") + "\n"
                yield Related(path=path, text=text.encode(), kind="definition")
            path, lines = line.removeprefix(f"{mark} Path: "), []
        else:
            lines.append(line.removeprefix(mark).removeprefix(" "))


def _data(found: Sequence[Found]) -> dict[str, Any]:
    data = found[0].data
    if len(found) > 1:
        data["source"] = ", ".join(one.source for one in found)
        data["sha256"] = ", ".join(one.sha256 for one in found)
        data["published"] = all(one.published for one in found)
    if data["published"]:
        data["taken"] = f"levels up to 16k, created {FIRST_DAY} to {LAST_DAY}"
    return data


def _warnings(found: Sequence[Found]) -> list[str]:
    return list(dict.fromkeys(warning for one in found for warning in one.warnings))
