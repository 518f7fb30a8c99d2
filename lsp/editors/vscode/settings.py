"""The settings of the VS Code extension, generated from the configuration classes.

``python -m lsp.editors.vscode.settings`` writes them into ``package.json`` beside this file,
``--check`` only says whether they are as they should be. What a workspace may set is an ordinary
setting; all else has VS Code's scope ``machine``, which no workspace can set, and reaches
``caret lsp`` as ``CARET_…`` variables when it starts. Defaults here are what is shown; only what a
user has set is sent, so that the configuration files keep their say.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_type_hints

from completion.config import Config
from lsp.settings import SECTIONS

PACKAGE = Path(__file__).with_name("package.json")

TITLES = {
    "client": "Suggestions",
    "context": "Other files",
    "workspace_model": "The project's own words",
    "feedback": "What became of suggestions",
    "popup": "The popup of names",
}
"""Headings of the sections, in their order."""

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}

OWN: dict[str, Any] = {
    "title": "Caret",
    "order": 0,
    "properties": {
        "caret.command": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "default": ["caret"],
            "scope": "machine",
            "order": 0,
            "markdownDescription": "How `caret` is run: the program, a name or a full path, and "
            "words before `lsp`. A workspace cannot set it.",
        },
        "caret.arguments": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "scope": "machine",
            "order": 1,
            "markdownDescription": "Further words behind `caret lsp`; `caret lsp --help` lists them.",
        },
        "caret.logLevel": {
            "type": "string",
            "enum": ["debug", "info", "warning", "error"],
            "default": "warning",
            "scope": "machine",
            "order": 2,
            "markdownDescription": "Least severe line of the log. It never holds source text.",
        },
    },
}
"""What is the extension's own and in no configuration class."""


def configuration() -> list[dict[str, Any]]:
    """Return ``contributes.configuration``: one heading a section."""
    sections = {section.name: section for section in fields(Config)}
    headings = [OWN]
    for order, name in enumerate(("client", *SECTIONS), start=1):
        cls: Any = sections[name].default_factory
        hints = get_type_hints(cls)
        headings.append({
            "title": TITLES[name],
            "order": order,
            "properties": {
                setting_name(name, key.name): _property(key, hints[key.name], place)
                for place, key in enumerate(fields(cls))
            },
        })  # fmt: skip
    return headings


def setting_name(section: str, key: str) -> str:
    """Return the setting's name, as VS Code spells such names."""
    inner = "" if section == "client" else f"{camel(section)}."
    return f"caret.{inner}{camel(key)}"


def camel(name: str) -> str:
    """Return ``snake_case`` as ``camelCase``; the extension goes the other way."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _property(key: Field[Any], kind: Any, order: int) -> dict[str, Any]:
    meta = key.metadata
    said = str(meta["help"])
    shown: dict[str, Any] = {"type": _TYPES.get(kind, "array")}
    if shown["type"] == "array":
        shown["items"] = {"type": "string"}
    shown["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    if meta["choices"]:
        shown["enum"] = list(meta["choices"])
    for limit, name in (("low", "minimum"), ("high", "maximum")):
        if meta[limit] is not None:
            shown[name] = meta[limit]
    shown["scope"] = "window" if meta["workspace"] else "machine"
    shown["order"] = order
    shown["markdownDescription"] = f"{said[:1].upper()}{said[1:]}."
    return shown


def generated(text: str) -> str:
    """Return the text of ``package.json`` with the settings as they should be."""
    package = json.loads(text)
    package["contributes"]["configuration"] = configuration()
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the settings, or check them; 1 where they differ."""
    parser = argparse.ArgumentParser(description="The VS Code extension's settings.")
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    args = parser.parse_args()
    before = PACKAGE.read_text(encoding="utf-8")
    after = generated(before)
    if not args.check:
        PACKAGE.write_text(after, encoding="utf-8")
        return 0
    if before != after:
        sys.stderr.write("package.json: run `python -m lsp.editors.vscode.settings`\n")
    return int(before != after)


if __name__ == "__main__":
    raise SystemExit(main())
