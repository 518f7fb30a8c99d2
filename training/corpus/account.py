"""What happened to the files, counted: per package, and added up for the manifest.

Pure: counts in, plain tables out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Tally:
    """The files of one package so far; ``seen`` is also how far its files have been gone through."""

    seen: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    kept: int = 0
    bytes: int = 0
    test_bytes: int = 0
    """Of ``bytes``, what comes from test suites."""
    languages: Counter[str] = field(default_factory=Counter[str])
    """Of ``bytes``, what is written in each language."""

    def keep(self, size: int, language: str, *, test: bool) -> None:
        """Count a kept file of ``size`` bytes."""
        self.kept += 1
        self.bytes += size
        self.test_bytes += size if test else 0
        self.languages[language] += size

    def table(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        counters = {"dropped": dict(self.dropped), "languages": dict(self.languages)}
        return {**vars(self), **counters}

    @staticmethod
    def of(table: dict[str, Any]) -> Tally:
        """Return the tally that :meth:`table` was made from."""
        return Tally(
            **{
                **table,
                "dropped": Counter(table["dropped"]),
                "languages": Counter(table["languages"]),
            }
        )


def entry(tally: Tally, part: str, version: str, licence: str) -> dict[str, Any]:
    """Return what the manifest says of a package."""
    return {
        "part": part,
        "version": version,
        "licence": licence,
        "files_seen": tally.seen,
        "files": tally.kept,
        "bytes": tally.bytes,
        "languages": dict(sorted(tally.languages.items())),
        "dropped": dict(sorted(tally.dropped.items())),
    }


def checksum(entries: list[dict[str, Any]]) -> str:
    """Return one hash over all shards of a part."""
    return hashlib.sha256("".join(e["sha256"] for e in entries).encode()).hexdigest()


def totals(packages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Add the packages up, by part; a corpus from before languages were counted has none."""
    out: dict[str, Any] = {}
    for part in ("train", "held_out"):
        rows = [p for p in packages.values() if p["part"] == part]
        dropped, languages = Counter[str](), Counter[str]()
        for row in rows:
            dropped.update(row["dropped"])
            languages.update(row.get("languages", {}))
        out[part] = {
            "packages": sum(1 for r in rows if r["files"]),
            "files_seen": sum(r["files_seen"] for r in rows),
            "files": sum(r["files"] for r in rows),
            "bytes": sum(r["bytes"] for r in rows),
            "languages": dict(sorted(languages.items())),
            "dropped": dict(sorted(dropped.items())),
        }
    return out
