"""The licence of a folder of code: what its LICENSE files and its project files say of it.

Every statement counts, and one that is not permissive refuses the folder. Lives here: finding and
reading the statements; :mod:`training.corpus.licences` judges them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from training.corpus.licences import Licence, judge
from training.corpus.reading import Unreadable, read_bounded

_NAMES = re.compile(r"(?i)(?:un)?licen[cs]e(?:[-._].*)?|copying(?:[-._].*)?")
_CODE = re.compile(r"(?i)\.(?:py|js|ts|go|rs|java|c|h|cpp|rb|php|cs|sh|tmpl|tpl|json|ya?ml)$")
_MAX_BYTES = 200_000


def is_licence_file(name: str) -> bool:
    """Whether a file of this name holds a licence: LICENSE, COPYING, UNLICENSE, LICENSE-MIT, …"""
    return _NAMES.fullmatch(name) is not None and _CODE.search(name) is None


def licence_in(folder: Path, names: Iterable[str]) -> Licence | None:
    """Return what the licence files among ``names``, which lie in ``folder``, allow together.

    ``None`` where there is none. An unreadable one is a refusal.
    """
    return _together(
        judge("", [], _text(folder / name)) for name in sorted(names) if is_licence_file(name)
    )


def folder_licence(folder: Path) -> Licence:
    """Return the licence of the folder by pyproject.toml, Cargo.toml, package.json and LICENSE files.

    Raises OSError where the folder cannot be listed.
    """
    names = [path.name for path in folder.iterdir()]
    found = [*_statements(folder), licence_in(folder, names)]
    together = _together(one for one in found if one is not None)
    if together is None:
        reason = "no licence found in the folder; give it with --licence SPDX"
        return Licence(name="", allowed=False, reason=reason)
    return together


def _together(statements: Iterable[Licence]) -> Licence | None:
    said = list(statements)
    refused = next((one for one in said if not one.allowed), None)
    return refused or (said[0] if said else None)


def _statements(folder: Path) -> Iterable[Licence]:
    project = _table(folder / "pyproject.toml").get("project")
    if isinstance(project, dict):
        stated = project.get("license")
        text = stated.get("text") if isinstance(stated, dict) else None
        expression = stated if isinstance(stated, str) else ""
        classifiers = project.get("classifiers")
        lines = (
            [c for c in classifiers if isinstance(c, str)] if isinstance(classifiers, list) else []
        )
        licensed = any(line.startswith("License") for line in lines)
        if expression or licensed or isinstance(text, str):
            yield judge(expression, lines, text if isinstance(text, str) else "")
    crate = _table(folder / "Cargo.toml").get("package")
    for table in (crate, _table(folder / "package.json")):
        stated = table.get("license") if isinstance(table, dict) else None
        if isinstance(stated, str) and not stated.upper().startswith("SEE LICENSE IN"):
            yield judge(stated, [], "")


def _table(path: Path) -> dict[str, Any]:
    """A TOML or JSON file as a table; empty where it is not there, or is none."""
    try:
        text = read_bounded(path, _MAX_BYTES).decode("utf-8")
        table = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (Unreadable, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _text(path: Path) -> str:
    try:
        return read_bounded(path, _MAX_BYTES).decode("utf-8", "replace")
    except Unreadable:
        return "unreadable"
