"""A built item set as a file: a header line, then one item a line, the same bytes every time.

The header names suite, version, tree and seed, and holds a checksum of the lines below it, so a
file that was cut off, changed or built by another version is found out before anything is run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from eval.item import Item, Related, to_bytes, to_text

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Built:
    """Items made from a tree, and what they were made from."""

    suite: str
    version: str
    tree: str
    """Its name; no path of this machine."""
    tree_sha256: str
    tree_files: int
    seed: int
    items: list[Item]
    warnings: list[str] = field(default_factory=list[str])

    @property
    def data(self) -> dict[str, Any]:
        """What a result says of the data."""
        return {
            "source": f"built from {self.tree}, {self.tree_files} files",
            "sha256": self.tree_sha256,
            "licence": "that of each package of the tree",
            "published": False,
            "seed": self.seed,
        }


def write_built(built: Built, path: Path) -> None:
    """Write it in one replacing move. Raises UsageError where that cannot be."""
    lines = [_line(_table(item)) for item in built.items]
    header = {
        "caret_built": FORMAT,
        "suite": built.suite,
        "version": built.version,
        "tree": {"name": built.tree, "sha256": built.tree_sha256, "files": built.tree_files},
        "seed": built.seed,
        "items": len(lines),
        "sha256": _digest(lines),
        "warnings": built.warnings,
    }
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(b"".join([_line(header), *lines]))
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror or error}") from None


def read_built(path: Path, suite: str, version: str) -> Built:
    """Read the items of ``suite``.

    Raises:
        UsageError: there is no such file, it is of another suite or version, cut off or changed.
    """
    again = f"build it again: caret eval build {suite} TREE --out {path.name}"
    try:
        head, *lines = path.read_bytes().splitlines(keepends=True) or [b""]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    try:
        header = json.loads(head)
        form = header["caret_built"]
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path}: its first line is no header of `caret eval build`; {again}"
        ) from None
    if form != FORMAT:
        raise UsageError(f"{path}: in format {form}, this Caret reads {FORMAT}; {again}")
    try:
        found = (header["suite"], header["version"])
        if found != (suite, version):
            raise UsageError(
                f"{path}: built for {found[0]} version {found[1]}, "
                f"not for {suite} version {version}; {again}"
            )
        if len(lines) != header["items"] or _digest(lines) != header["sha256"]:
            raise UsageError(
                f"{path}: cut off or changed: {len(lines)} of {header['items']} items, and their "
                f"checksum is not the header's; {again}"
            )
        return Built(
            suite=suite,
            version=version,
            tree=header["tree"]["name"],
            tree_sha256=header["tree"]["sha256"],
            tree_files=header["tree"]["files"],
            seed=header["seed"],
            items=[_item(json.loads(line)) for line in lines],
            warnings=header["warnings"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: lacks something or has too much ({error}); {again}") from None


def _line(table: dict[str, Any]) -> bytes:
    return json.dumps(table, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _digest(lines: list[bytes]) -> str:
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _table(item: Item) -> dict[str, Any]:
    table: dict[str, Any] = {
        "id": item.id,
        "prefix": to_text(item.prefix),
        "suffix": to_text(item.suffix),
        "reference": to_text(item.reference),
        "language": item.language,
        "path": item.path,
        "eol": item.eol,
        "kind": item.kind,
        "data": dict(item.data),
    }
    if item.related:
        table["related"] = [
            {"path": r.path, "text": to_text(r.text), "kind": r.kind, "relevance": r.relevance}
            for r in item.related
        ]
    return table


def _item(table: dict[str, Any]) -> Item:
    related = tuple(
        Related(**row | {"text": to_bytes(row["text"])}) for row in table.pop("related", ())
    )
    texts = {name: to_bytes(table.pop(name)) for name in ("prefix", "suffix", "reference")}
    return Item(**texts, **table, related=related)
