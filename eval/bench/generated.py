"""A workspace of generated Python files: any number of them, the same ones every time.

Packages of :data:`FOLDER` modules. Each module has a class and some functions, imports two other
modules and uses their names, so that there is something to look up and something to gather.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

FOLDER = 100
"""Modules of a package."""
_VERBS = ("load", "store", "merge", "split", "check", "count", "trace", "build", "parse", "apply")
_NOUNS = ("order", "invoice", "account", "report", "ticket", "device", "route", "sample", "record")
_TOLD_EVERY = 5000


def write_workspace(root: Path, files: int, say: Callable[[str], None] = lambda text: None) -> None:
    """Write ``files`` modules below ``root``, which exists."""
    for number in range(files):
        path = root / path_of(number)
        if number % FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
        path.write_text(module(number, files), encoding="utf-8")
        if (number + 1) % _TOLD_EVERY == 0:
            say(f"{number + 1:,} of {files:,} files written")


def path_of(number: int) -> str:
    """Return the path of a module, with slashes."""
    return f"pack_{number // FOLDER:05d}/module_{number:06d}.py"


def module(number: int, files: int) -> str:
    """Return the text of the module of that number, of ``files``."""
    rng = random.Random(number)
    near = number - number % FOLDER
    beside = near + rng.randrange(min(FOLDER, files - near))
    far = rng.randrange(files)
    lines = [
        f'"""Module {number} of a generated workspace."""',
        "",
        f"from {_dotted(beside)} import {_class(beside)}",
        f"from {_dotted(far)} import {_function(far, 0)}",
        "",
        "",
        f"class {_class(number)}:",
        f'    """Holds what number {number} needs."""',
        "",
        "    def __init__(self, size: int, label: str) -> None:",
        "        self.size, self.label = size, label",
        "",
        f"    def {rng.choice(_VERBS)}_all(self, other: {_class(beside)}) -> int:",
        "        total = self.size",
        "        for step in range(other.size):",
        f"            total += {_function(far, 0)}(step, {rng.randrange(100)})",
        "        return total",
    ]
    for count in range(3 + rng.randrange(3)):
        lines += [
            "",
            "",
            f"def {_function(number, count)}(first: int, second: int) -> int:",
            f'    """{rng.choice(_VERBS).title()} the {rng.choice(_NOUNS)}."""',
            f"    held = {_class(number)}(first, {rng.choice(_NOUNS)!r})",
            f"    if second > {rng.randrange(1000)}:",
            f"        return held.size * {1 + rng.randrange(9)}",
            f"    return held.size + second - {rng.randrange(50)}",
        ]
    return "\n".join(lines) + "\n"


def _dotted(number: int) -> str:
    return path_of(number).removesuffix(".py").replace("/", ".")


def _class(number: int) -> str:
    return f"{_NOUNS[number % len(_NOUNS)].title()}{number}"


def _function(number: int, count: int) -> str:
    verb, noun = _VERBS[(number + count) % len(_VERBS)], _NOUNS[(number // 7) % len(_NOUNS)]
    return f"{verb}_{noun}_{number}_{count}"
