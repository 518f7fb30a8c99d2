from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from training.corpus import stretches
from training.corpus.imports import import_order
from training.corpus.mapped import MappedDocuments
from training.corpus.mapping import ensure_mapped
from training.corpus.ordering import PART, write_order
from training.corpus.scale import ThisProcess, Workers, local
from training.corpus.shards import Document, write_manifest, write_shards

FILES = ("order.npy", "stands.npy")


def quiet(*_: object) -> None:
    """Show no progress."""


class Interrupted:
    """Workers that stop in the middle, and count."""

    def __init__(self, after: int | None = None) -> None:
        self.done, self._after = 0, after

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        for result in ThisProcess().map(function, items):
            if self.done == self._after:
                raise KeyboardInterrupt
            self.done += 1
            yield result


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight packages whose first file imports the last one; a stretch holds two of them."""
    monkeypatch.setattr(stretches, "STRETCH", 6)
    documents = [
        Document(f"p{n}", f"{name}.py", f"import {name}\nimport {other}\n")
        for n in range(8)
        for name, other in (("a", "c"), ("b", "a"), ("c", "c"))
    ]
    corpus = tmp_path / "corpus"
    parts = {"train": write_shards(documents, corpus, "train"), "held_out": []}
    write_manifest(corpus, {"parts": parts})
    ensure_mapped(corpus, corpus / "mapped", quiet, processes=1)
    return corpus / "mapped"


def made(folder: Path, workers: Workers) -> list[bytes]:
    write_order(folder, workers, quiet)
    assert not (folder / PART).exists()
    return [(folder / name).read_bytes() for name in FILES]


def test_order_is_that_of_each_package_with_any_workers(mapped: Path) -> None:
    plain = made(mapped, ThisProcess())
    documents = MappedDocuments(mapped, "train")
    stands = documents.stands()
    assert stands == [
        [n + i for i in import_order(documents[n : n + 3])] for n in range(0, len(documents), 3)
    ]
    assert stands[1] == [5, 3, 4]
    assert made(mapped, local(2)) == plain


@pytest.mark.parametrize("damage", ["", "torn", "not an order", "of another corpus"])
def test_interrupted_order_goes_on_behind_the_last_whole_package(mapped: Path, damage: str) -> None:
    whole = made(mapped, ThisProcess())
    with pytest.raises(KeyboardInterrupt):
        write_order(mapped, Interrupted(2), quiet)
    part = mapped / PART
    left = {"": 2, "torn": 3, "not an order": 4, "of another corpus": 4}[damage]
    if damage == "torn":  # of the fourth package; three are whole
        part.write_bytes(part.read_bytes()[:-4])
    elif damage == "not an order":  # the first package
        lines = part.read_text().splitlines()
        part.write_text("\n".join([lines[0], "[0, 0, 1]", *lines[2:]]) + "\n")
    elif damage:
        part.write_text('"x"' + part.read_text())
    again = Interrupted()
    assert made(mapped, again) == whole
    assert again.done == left
