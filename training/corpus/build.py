"""The corpus from its sources: filter, deduplicate, decontaminate, cap, and account for all.

Lives here: the order of the steps. Each step is a function of its own module. The outcome depends
on the sources and the settings alone, not on time, processes or interruptions. Memory grows with
the number of documents, by what deduplication keeps of each, and with no text but the held-out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.corpus import filters, near
from training.corpus.account import Tally, checksum, entry, totals
from training.corpus.checks import Known
from training.corpus.contamination import HeldOut, fingerprint, read_benchmarks
from training.corpus.finding import Found, Progress, find
from training.corpus.intake import Intake, Limits, Turn
from training.corpus.journal import Journal, Position, writing
from training.corpus.languages import PYTHON
from training.corpus.marks import PERMUTATIONS, Marks
from training.corpus.scale import Workers, local
from training.corpus.settings import Settings
from training.corpus.shards import Document, ShardWriter, write_manifest, write_shards
from training.corpus.sources import Package, Source, open_package, read_sources


def build(settings: Settings, progress: Progress, workers: Workers | None = None) -> dict[str, Any]:
    """Build the corpus and return its manifest; a build that was interrupted is gone on with.

    ``workers`` read and check files; where none are given, processes of this machine do.
    """
    held_sources = read_sources(settings.held_out)
    benchmarks = read_benchmarks(settings.decontaminate) if settings.decontaminate else None
    found = find(settings, held_sources, progress)
    accounts: dict[str, dict[str, Any]] = {}
    held_documents, held_lines = _held_out(held_sources, settings, accounts, progress)
    size = benchmarks.size if benchmarks else 0
    journal = Journal(settings.out, _key(settings, found, size))
    position = journal.load()
    if not position.shards:
        _forget_shards(settings.out)
    with writing(settings.out):
        held_entries = write_shards(held_documents, settings.out, "held")
    seen = {fingerprint(document.text) for document in held_documents}
    del held_documents
    known = Known(held_out=held_lines, benchmarks=benchmarks)
    workers = workers or local(settings.processes)
    entries, taken = _take(found, position, journal, settings, workers, known, seen, progress)
    accounts.update(taken)
    manifest = {
        "parts": {"train": entries, "held_out": held_entries},
        "packages": accounts,
        "skipped": found.skipped,
        "totals": totals(accounts),
        "settings": {
            "package_bytes": settings.package_bytes,
            "test_share": settings.test_share,
            "decontaminated_items": size,
            "near_duplicates": {
                "permutations": PERMUTATIONS,
                "gram": near.GRAM,
                "jaccard": near.JACCARD,
            },
            "density_filter": False,
        },
        "checksum": checksum(entries),
    }
    with writing(settings.out):
        write_manifest(settings.out, manifest)
    journal.clear()
    return manifest


def _take(
    found: Found,
    position: Position,
    journal: Journal,
    settings: Settings,
    workers: Workers,
    known: Known,
    seen: set[bytes],
    progress: Progress,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Write the training part from ``position`` on; return its shards and the packages' accounts."""
    with writing(settings.out):
        marks = Marks(journal.marks, position.documents)
    accounts, total = dict(position.accounts), len(found.packages)
    try:
        intake = Intake(workers, known, marks, seen, settings.out)
        with ShardWriter(settings.out, "train", entries=position.shards) as writer:
            for turn, documents in intake.packages(_turns(found, position, settings)):
                package, tally, number = turn.package, turn.tally, turn.number
                progress(package.name, number, total)
                for document in documents:
                    share = tally.seen / package.count if package.count else 0.0
                    progress(package.name, number + share, total)
                    with writing(settings.out):
                        if writer.add(document):
                            journal.save(
                                Position(
                                    package=number,
                                    tally=tally.table(),
                                    accounts=accounts,
                                    shards=writer.entries,
                                    documents=marks.count,
                                )
                            )
                accounts[package.name] = _account(package, tally)
            with writing(settings.out):
                return writer.finish(), accounts
    finally:
        marks.close()


def _turns(found: Found, position: Position, settings: Settings) -> list[Turn]:
    """What is left to take; of the package that was under way, the rest."""
    turns: list[Turn] = []
    for number, package in enumerate(found.packages[position.package :], position.package):
        table = position.tally if number == position.package else None
        folder = package.name in found.folders
        most = settings.folder_bytes if folder else settings.package_bytes
        limits = Limits(package_bytes=most, test_share=settings.test_share)
        tally = Tally.of(table) if table else Tally()
        turns.append(Turn(number=number, package=package, tally=tally, limits=limits))
    return turns


def _account(package: Package, tally: Tally) -> dict[str, Any]:
    """The account of a package, with what its listing left out."""
    dropped = tally.dropped + package.dropped
    seen = tally.seen + package.dropped.total()
    whole = Tally.of({**tally.table(), "dropped": dropped, "seen": seen})
    return entry(whole, "train", package.version, package.licence.name)


def _key(settings: Settings, found: Found, benchmarks: int) -> str:
    """All that decides what the corpus will hold, as text."""
    sources = [(p.name, p.version, p.licence.name, p.digest) for p in found.packages]
    limits = (settings.package_bytes, settings.folder_bytes, settings.test_share)
    held_out = settings.held_out.read_text(encoding="utf-8")
    return repr((sources, limits, held_out, settings.decontaminate, benchmarks))


def _forget_shards(out: Path) -> None:
    """Remove what a build with other settings left: the new one may have fewer shards."""
    for path in out.glob("train-[0-9]*.jsonl.xz*"):
        path.unlink()


def _held_out(
    sources: list[Source], settings: Settings, accounts: dict[str, Any], progress: Progress
) -> tuple[list[Document], HeldOut]:
    """All files of the held-out packages for finding copies; the good ones for measuring."""
    documents: list[Document] = []
    known, seen = HeldOut(), set[bytes]()
    for done, source in enumerate(sources):
        progress(f"held out: {source.name}", done, len(sources))
        package = open_package(source, settings.cache)
        tally = Tally()
        for file in package.files(str, 0):
            tally.seen += 1
            if filters.is_foreign(file.path):
                tally.dropped["vendored"] += 1
                continue
            reason = file.reason or filters.reject_text(file.path, file.data)
            text = file.data.decode("utf-8", "replace")
            known.add(package.name, text)
            mark = fingerprint(text)
            reason = reason or filters.reject_syntax(text) or ("seen" if mark in seen else None)
            if reason:
                tally.dropped[reason] += 1
                continue
            seen.add(mark)
            tally.keep(len(file.data), PYTHON, test=filters.is_test(file.path))
            documents.append(Document(package.name, file.path, text))
        accounts[package.name] = entry(tally, "held_out", package.version, package.licence.name)
    return documents, known
