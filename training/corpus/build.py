"""The corpus from its sources: filter, deduplicate, decontaminate, cap, and account for all.

Lives here: the order of the steps and the counting. Each step is a function of its own module.
The outcome depends on the sources and the settings alone, not on time, order or processes.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from completion.errors import CaretError, UsageError
from training.corpus import filters
from training.corpus.contamination import Benchmarks, HeldOut, fingerprint, read_benchmarks
from training.corpus.partial import Partial
from training.corpus.shards import Document, write_manifest, write_shards
from training.corpus.sources import Package, Source, canonical, open_package, read_sources

MAX_MISSING = 0.1
"""Share of the listed packages that may not be found before the build gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a build is asked for. Bytes are of text."""

    out: Path
    cache: Path
    sources: Path
    held_out: Path
    decontaminate: Path | None = None
    package_bytes: int = 4_000_000
    """Most text taken from one package, so that no large one sets the style."""
    test_share: float = 0.1
    """Most of a package's text that may come from its test suites."""
    processes: int = 2


@dataclass(kw_only=True)
class Tally:
    """What happened to the files of one package."""

    seen: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    kept: int = 0
    bytes: int = 0


def build(settings: Settings, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Build the corpus and return its manifest; ``progress`` gets a label, done and total."""
    sources, held_sources = read_sources(settings.sources), read_sources(settings.held_out)
    benchmarks = read_benchmarks(settings.decontaminate) if settings.decontaminate else None
    held_names = {canonical(s.name) for s in held_sources}
    both = [s.name for s in sources if canonical(s.name) in held_names]
    if both:
        raise UsageError(f"package {both[0]} is both a source and held out; unlist it as a source")

    packages: dict[str, dict[str, Any]] = {}
    held_documents, known = _held_out(held_sources, settings, packages, progress)
    seen = {fingerprint(d.text) for d in held_documents}
    skipped: dict[str, str] = {}
    missing: dict[str, str] = {}

    partial = Partial(settings.out, _key(settings))

    def train() -> Iterator[Document]:
        context = multiprocessing.get_context("fork")
        judge = _Judge(known, benchmarks)
        with concurrent.futures.ProcessPoolExecutor(
            settings.processes, mp_context=context, initializer=_set_judge, initargs=(judge,)
        ) as pool:
            for done, source in enumerate(sources):
                progress(source.name, done, len(sources))
                found = partial.load(source.name)
                if found is None:
                    found = _take(source, seen, settings, pool)
                    if "missing" not in found[0]:
                        partial.save(source.name, *found)
                account, documents = found
                seen.update(fingerprint(d.text) for d in documents)
                if "missing" in account:
                    skipped[source.name] = missing[source.name] = account["missing"]
                elif "skipped" in account:
                    skipped[source.name] = account["skipped"]
                else:
                    packages[source.name] = account
                yield from documents

    entries = write_shards(train(), settings.out, "train")
    if len(missing) > MAX_MISSING * len(sources):
        why = next(iter(missing.values()))
        raise CaretError(f"{len(missing)} of {len(sources)} packages are missing: {why}")
    manifest = {
        "parts": {"train": entries, "held_out": write_shards(held_documents, settings.out, "held")},
        "packages": packages,
        "skipped": skipped,
        "totals": totals(packages),
        "settings": {
            "package_bytes": settings.package_bytes,
            "test_share": settings.test_share,
            "decontaminated_items": benchmarks.size if benchmarks else 0,
            "density_filter": False,
        },
    }
    manifest["checksum"] = checksum(entries)
    write_manifest(settings.out, manifest)
    partial.clear()
    return manifest


def _key(settings: Settings) -> str:
    """What decides a package's documents, beside the packages before it."""
    lists = settings.sources.read_text(encoding="utf-8"), settings.held_out.read_text("utf-8")
    return repr((lists, settings.package_bytes, settings.test_share, settings.decontaminate))


def _take(
    source: Source,
    seen: set[bytes],
    settings: Settings,
    pool: concurrent.futures.ProcessPoolExecutor,
) -> tuple[dict[str, Any], list[Document]]:
    """One package's account and its kept documents; a refused one has no documents."""
    try:
        package = open_package(source, settings.cache)
    except CaretError as error:
        return {"missing": error.message}, []
    if not package.licence.allowed:
        return {"skipped": package.licence.reason}, []
    tally = Tally()
    documents = list(_documents(package, tally, seen, settings, pool))
    return _entry(package, tally, "train"), documents


def _held_out(
    sources: list[Source],
    settings: Settings,
    packages: dict[str, dict[str, Any]],
    progress: Callable[[str, int, int], None],
) -> tuple[list[Document], HeldOut]:
    """All files of the held-out packages for finding copies; the good ones for measuring."""
    documents: list[Document] = []
    known, seen = HeldOut(), set[bytes]()
    for done, source in enumerate(sources):
        progress(f"held out: {source.name}", done, len(sources))
        package = open_package(source, settings.cache)
        tally = Tally()
        for path, data in package.files:
            tally.seen += 1
            if filters.is_foreign(path):
                tally.dropped["vendored"] += 1
                continue
            reason = filters.reject_text(path, data)
            text = data.decode("utf-8", "replace")
            known.add(package.name, text)
            mark = fingerprint(text)
            reason = reason or filters.reject_syntax(text) or ("seen" if mark in seen else None)
            if reason:
                tally.dropped[reason] += 1
                continue
            seen.add(mark)
            tally.kept += 1
            tally.bytes += len(data)
            documents.append(Document(package.name, path, text))
        packages[package.name] = _entry(package, tally, "held_out")
    return documents, known


class _Judge:
    """The costly checks of one file; runs in the pool's processes."""

    def __init__(self, known: HeldOut, benchmarks: Benchmarks | None) -> None:
        self._known, self._benchmarks = known, benchmarks

    def __call__(self, text: str) -> str | None:
        if self._known.copied_in(text):
            return "copy of a held-out file"
        if self._benchmarks and self._benchmarks.contained_in(text):
            return "benchmark item"
        return filters.reject_syntax(text)


_judge: _Judge | None = None


def _set_judge(judge: _Judge) -> None:
    global _judge
    _judge = judge


def _run_judge(text: str) -> str | None:
    assert _judge is not None
    return _judge(text)


def _documents(
    package: Package,
    tally: Tally,
    seen: set[bytes],
    settings: Settings,
    pool: concurrent.futures.ProcessPoolExecutor,
) -> Iterator[Document]:
    """The kept files of one package, in an order drawn by hash, up to the package's cap."""
    candidates: list[Document] = []
    for path, data in package.files:
        tally.seen += 1
        reason = "vendored" if filters.is_foreign(path) else filters.reject_text(path, data)
        if reason is None:
            candidates.append(Document(package.name, path, data.decode("utf-8")))
        else:
            tally.dropped[reason] += 1
    candidates.sort(key=lambda d: (filters.is_test(d.path), _order(d)))
    test_bytes = 0
    for start in range(0, len(candidates), 64):
        batch = candidates[start : start + 64]
        if tally.bytes >= settings.package_bytes:
            tally.dropped["beyond the package's cap"] += len(batch)
            continue
        reasons = pool.map(_run_judge, [d.text for d in batch], chunksize=8)
        for document, reason in zip(batch, reasons, strict=True):
            size = len(document.text.encode("utf-8"))
            test = size if filters.is_test(document.path) else 0
            mark = fingerprint(document.text)
            if reason is None and mark in seen:
                reason = "seen"
            elif reason is None and tally.bytes + size > settings.package_bytes:
                reason = "beyond the package's cap"
            elif test and test_bytes + test > settings.test_share * (tally.bytes + size):
                reason = reason or "beyond the share of tests"
            if reason:
                tally.dropped[reason] += 1
                continue
            seen.add(mark)
            test_bytes += test
            tally.kept += 1
            tally.bytes += size
            yield document


def _order(document: Document) -> bytes:
    return hashlib.sha256(f"{document.package}/{document.path}".encode()).digest()


def _entry(package: Package, tally: Tally, part: str) -> dict[str, Any]:
    return {
        "part": part,
        "version": package.version,
        "licence": package.licence.name,
        "files_seen": tally.seen,
        "files": tally.kept,
        "bytes": tally.bytes,
        "dropped": dict(sorted(tally.dropped.items())),
    }


def checksum(entries: list[dict[str, Any]]) -> str:
    """Return one hash over all shards of a part."""
    return hashlib.sha256("".join(e["sha256"] for e in entries).encode()).hexdigest()


def totals(packages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Add the packages up, by part."""
    out: dict[str, Any] = {}
    for part in ("train", "held_out"):
        rows = [p for p in packages.values() if p["part"] == part]
        dropped: Counter[str] = Counter()
        for row in rows:
            dropped.update(row["dropped"])
        out[part] = {
            "packages": sum(1 for r in rows if r["files"]),
            "files_seen": sum(r["files_seen"] for r in rows),
            "files": sum(r["files"] for r in rows),
            "bytes": sum(r["bytes"] for r in rows),
            "dropped": dict(sorted(dropped.items())),
        }
    return out
